/// Where to listen: an IP address and a port.
public struct NetworkAddress: Sendable, Hashable, CustomStringConvertible {
    /// An IPv4 or IPv6 address, without brackets.
    public var host: String
    /// 0: any free port.
    public var port: UInt16

    /// An address out of its two parts.
    public init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// Reads `ip:port`, or `ip` with the port that is usual here; IPv6 with a port stands in brackets.
    ///
    /// Names of hosts are not looked up, but `localhost` is known. Specification: defaults §1.2.
    public init?(_ text: String, defaultPort: UInt16) {
        let port: Substring?
        let host: Substring
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            host = text[text.index(after: text.startIndex)..<end]
            let rest = text[text.index(after: end)...]
            guard rest.isEmpty || rest.hasPrefix(":") else { return nil }
            port = rest.isEmpty ? nil : rest.dropFirst()
        } else if text.filter({ $0 == ":" }).count == 1 {
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            (host, port) = (parts[0], parts[1])
        } else {
            (host, port) = (text[...], nil)
        }
        let address = host == "localhost" ? "127.0.0.1" : String(host)
        guard Self.isIPAddress(address) else { return nil }
        self.host = address
        guard let port else {
            self.port = defaultPort
            return
        }
        guard let number = UInt16(port) else { return nil }
        self.port = number
    }

    /// True for text that is an IPv4 address or looks like an IPv6 one; listening tells the rest.
    static func isIPAddress(_ text: String) -> Bool {
        if text.contains(":") {
            return text.utf8.allSatisfy { UnicodeScalar($0).properties.isASCIIHexDigit || $0 == 0x3A || $0 == 0x2E }
        }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
    }

    /// `127.0.0.1:8080`, `[::1]:8080`
    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
