import HoldfastWire

/// Percent-encoding of paths and queries.
enum FormText {
    /// A part of a query: `+` is a blank, and `%XX` a byte.
    static func decode(_ text: some StringProtocol) throws(AdminError) -> String {
        try decode(text, plusIsBlank: true)
    }

    /// A part of a path: `%XX` is a byte.
    static func decodePath(_ text: some StringProtocol) throws(AdminError) -> String {
        try decode(text, plusIsBlank: false)
    }

    private static func decode(_ text: some StringProtocol, plusIsBlank: Bool) throws(AdminError) -> String {
        var decoded: [UInt8] = []
        var rest = Bytes(text.utf8)
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let escaped = Bytes(hex: rest.prefix(2).lossyString)?.first {
                decoded.append(escaped)
                rest = rest.dropFirst(2)
            } else {
                decoded.append(plusIsBlank && byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            }
        }
        guard let result = decoded[...].utf8String else { throw .badText(text) }
        return result
    }
}
