/// What the texts of all identifiers have in common: `<prefix>_1<fields of fixed width>`.
enum IdentifierCodec {
    /// Reads the fields behind a prefix, one after the other.
    struct Fields {
        private(set) var rest: Bytes

        mutating func number64() throws(IdentifierError) -> UInt64 {
            guard let number = Base62.number64(try take(Base62.width64)) else { throw .digits }
            return number
        }

        mutating func number128() throws(IdentifierError) -> UInt128 {
            guard let number = Base62.number128(try take(Base62.width128)) else { throw .digits }
            return number
        }

        func end() throws(IdentifierError) {
            guard rest.isEmpty else { throw .length }
        }

        private mutating func take(_ count: Int) throws(IdentifierError) -> Bytes {
            guard rest.count >= count else { throw .length }
            defer { rest = rest.dropFirst(count) }
            return rest.prefix(count)
        }
    }

    /// The fields of an identifier of one kind.
    ///
    /// The order of the checks decides which of several faults is named: prefix, version, kind, then the fields.
    static func fields(of text: String, _ expected: IdentifierPrefix) throws(IdentifierError) -> Fields {
        let bytes = Bytes(utf8: text)
        guard !bytes.isEmpty else { throw .length }
        guard let separator = bytes.firstIndex(of: UInt8(ascii: "_")) else { throw .format }
        let prefix = bytes[..<separator].lossyString
        guard let kind = IdentifierPrefix(rawValue: prefix) else { throw .unknownType(prefix) }
        let body = bytes[(separator + 1)...]
        guard let version = body.first else { throw .length }
        guard version == UInt8(ascii: "1") else { throw .codecVersion }
        guard kind == expected else { throw .otherType }
        return Fields(rest: body.dropFirst())
    }

    static func text(_ prefix: IdentifierPrefix, _ appendFields: (inout [UInt8]) -> Void) -> String {
        var text = Array(prefix.rawValue.utf8)
        text.append(UInt8(ascii: "_"))
        text.append(UInt8(ascii: "1"))
        appendFields(&text)
        return String(decoding: text, as: UTF8.self)
    }
}
