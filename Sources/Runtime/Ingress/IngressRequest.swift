import HoldfastWire

/// The head of a request: all that is known before its body.
struct IngressRequest {
    var method: String
    var path: IngressPath
    /// In the order of their arrival, names in lower case.
    var headers: [(name: String, value: Bytes)]

    /// The first value of a header.
    subscript(header name: String) -> Bytes? { headers.first { $0.name == name }?.value }

    /// The first value of a header as a text.
    ///
    /// - Throws: 400 for bytes outside of space, tab and visible ASCII.
    func text(ofHeader name: String) throws(IngressError) -> String? {
        guard let value = self[header: name] else { return nil }
        return try Self.text(of: value, header: name)
    }

    static func text(of value: Bytes, header name: String) throws(IngressError) -> String {
        guard value.allSatisfy({ $0 == 0x09 || (0x20...0x7E).contains($0) }) else { throw .badHeader(name) }
        return value.lossyString
    }

    /// The first value of the query's parameter whose name, in whatever case, is `name`.
    func parameter(_ name: String) -> String? {
        guard let query = path.query else { return nil }
        return PercentEncoding.parameters(of: query).first { $0.name.lowercased() == name }?.value
    }
}

extension IngressRequest {
    /// The length that the body will have; nil when it comes in chunks, or there is none.
    var declaredLength: Int? {
        guard let value = self[header: "content-length"]?.utf8String, value.utf8.allSatisfy({ $0 & 0xF0 == 0x30 })
        else { return nil }
        return Int(value) ?? .max
    }

    func require(_ method: String) throws(IngressError) {
        guard self.method == method else { throw .methodNotAllowed }
    }
}
