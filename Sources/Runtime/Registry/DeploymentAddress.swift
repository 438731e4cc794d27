import HoldfastWire

/// An absolute URI, taken apart and not rewritten (discovery §8).
struct DeploymentAddress: Sendable, Hashable {
    /// In lower case. Others than `http` and `https` are refused by the discovery.
    var scheme: String
    /// Host and port as written, with user info if any.
    var authority: String
    /// Without the brackets of an IPv6 address.
    var host: String
    var port: Int
    /// Begins with a slash.
    var path: String
    /// Without the question mark.
    var query: String?

    var isSecure: Bool { scheme == "https" }

    /// The authority without user info, as the `host` header and `:authority` carry it.
    var hostAndPort: String {
        authority.lastIndex(of: "@").map { String(authority[authority.index(after: $0)...]) } ?? authority
    }

    /// Why a text is no address.
    enum Fault: Error, Sendable {
        /// It is no URI.
        case notURI
        /// It is a URI without scheme or authority.
        case notAbsolute
    }

    init(text: String) throws(Fault) {
        let bytes = Array(text.utf8)
        guard !bytes.isEmpty, bytes.allSatisfy(Self.isAllowed) else { throw .notURI }
        let scheme = text.prefix { $0 != ":" }
        guard text[scheme.endIndex...].hasPrefix("://"), Self.isScheme(scheme) else {
            // A path, or a host with or without a port, is a URI of a kind.
            throw text.hasPrefix("/") || !text.contains("/") ? .notAbsolute : .notURI
        }
        let withoutFragment = text[scheme.endIndex...].dropFirst(3).prefix { $0 != "#" }
        let authority = withoutFragment.prefix { $0 != "/" && $0 != "?" }
        let pathAndQuery = withoutFragment[authority.endIndex...]
        let path = pathAndQuery.prefix { $0 != "?" }
        self.scheme = scheme.lowercased()
        self.authority = String(authority)
        self.path = path.isEmpty ? "/" : String(path)
        query = path.endIndex < pathAndQuery.endIndex ? String(pathAndQuery[path.endIndex...].dropFirst()) : nil
        let (host, port) = try Self.hostAndPort(authority, isSecure: scheme.lowercased() == "https")
        self.host = host
        self.port = port
    }

    /// The path of a request to the deployment: its own path, one slash, `suffix`, and its own query.
    ///
    /// - Parameter suffix: Without a slash in front: `discover`, `invoke/Greeter/greet`.
    func path(appending suffix: String) -> String {
        let base = path.hasSuffix("/") ? String(path.dropLast()) : path
        return "\(base)/\(suffix)" + (query.map { "?\($0)" } ?? "")
    }

    /// Whether both name the same endpoint: scheme and query are not compared, the authority's case neither.
    func isSameEndpoint(as other: DeploymentAddress) -> Bool {
        path == other.path && authority.lowercased() == other.authority.lowercased()
    }

    private static func hostAndPort(_ authority: Substring, isSecure: Bool) throws(Fault) -> (String, Int) {
        let hostAndPort = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
        let host: Substring
        let rest: Substring
        if hostAndPort.first == "[" {
            guard let end = hostAndPort.firstIndex(of: "]") else { throw .notURI }
            host = hostAndPort[hostAndPort.index(after: hostAndPort.startIndex)..<end]
            rest = hostAndPort[hostAndPort.index(after: end)...]
        } else {
            host = hostAndPort.prefix { $0 != ":" }
            rest = hostAndPort[host.endIndex...]
        }
        guard !host.isEmpty else { throw .notURI }
        if rest.isEmpty || rest == ":" { return (String(host), isSecure ? 443 : 80) }
        guard rest.first == ":", let port = UInt16(rest.dropFirst()) else { throw .notURI }
        return (String(host), Int(port))
    }

    private static func isScheme(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, isLetter(first) else { return false }
        return text.utf8.allSatisfy { isLetter($0) || (48...57).contains($0) || [43, 45, 46].contains($0) }
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (65...90).contains(byte) || (97...122).contains(byte) }

    private static let excluded = Array("<>\\^`\"".utf8)

    /// Blanks, control characters and what RFC 3986 excludes make a text no URI; bytes above 127 do in a request line.
    private static func isAllowed(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7F && !excluded.contains(byte)
    }
}

extension DeploymentAddress: CustomStringConvertible {
    /// The URI as it prints: as given, with at least a slash for a path, and without a fragment.
    var description: String { "\(scheme)://\(authority)\(path)" + (query.map { "?\($0)" } ?? "") }
}
