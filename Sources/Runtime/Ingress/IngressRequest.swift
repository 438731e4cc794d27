import HoldfastTransport
import HoldfastWire

/// The head of a request: all that is known before its body.
struct IngressRequest {
    let method: String
    let path: IngressPath
    /// In the order of their arrival, names in lower case.
    let headers: HTTPHeaders

    init(_ head: HTTPRequestHead) {
        method = head.method
        path = IngressPath(head.path)
        headers = head.headers
    }

    func require(_ method: String) throws(IngressError) {
        guard self.method == method else { throw .methodNotAllowed }
    }

    /// The first value of a header.
    ///
    /// - Throws: 400 for bytes outside of space, tab and visible ASCII.
    func text(ofHeader name: String) throws(IngressError) -> String? {
        guard let value = headers[name] else { return nil }
        return try Self.checked(value, ofHeader: name)
    }

    static func checked(_ value: String, ofHeader name: String) throws(IngressError) -> String {
        guard value.utf8.allSatisfy({ $0 == 0x09 || (0x20...0x7E).contains($0) }) else { throw .badHeader(name) }
        return value
    }

    /// The first value of the query's parameter whose name, in whatever case, is `name`.
    func parameter(_ name: String) -> String? {
        guard let query = path.query else { return nil }
        return PercentEncoding.parameters(of: query).first { $0.name.lowercased() == name }?.value
    }
}
