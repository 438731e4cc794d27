import HoldfastWire

/// Percent-decoding as paths and queries need it: what is no valid code stays as it is.
enum PercentEncoding {
    /// The bytes that a path segment stands for. A plus is a plus.
    static func decoded(segment: Bytes) -> Bytes {
        guard segment.contains(UInt8(ascii: "%")) else { return segment }
        return decode(segment, plusIsSpace: false)
    }

    /// The text that the name or value of a query's parameter stands for. A plus is a space, and what is not UTF-8
    /// becomes U+FFFD.
    static func decoded(parameter: Bytes) -> String { decode(parameter, plusIsSpace: true).lossyString }

    /// Names and values of a query, in order.
    ///
    /// A parameter without `=` has an empty value; empty parameters are left out.
    static func parameters(of query: Bytes) -> [(name: String, value: String)] {
        query.split(separator: UInt8(ascii: "&")).map { parameter in
            let equals = parameter.firstIndex(of: UInt8(ascii: "=")) ?? parameter.endIndex
            return (decoded(parameter: parameter[..<equals]), decoded(parameter: parameter[equals...].dropFirst()))
        }
    }

    private static func decode(_ bytes: Bytes, plusIsSpace: Bool) -> Bytes {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count)
        var rest = bytes
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let code = Bytes(hex: rest.prefix(2).lossyString)?.first {
                rest.removeFirst(2)
                decoded.append(code)
            } else {
                decoded.append(plusIsSpace && byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            }
        }
        return decoded[...]
    }
}

/// Where bytes stop being UTF-8.
struct UTF8Fault: Equatable {
    /// How many bytes before the fault are valid.
    var validCount: Int
    /// How many bytes the fault has; nil when the text ends within a character.
    var faultyCount: Int?

    /// The first fault in `bytes`; nil when they are valid UTF-8.
    init?(in bytes: Bytes) {
        guard bytes.utf8String == nil else { return nil }
        var position = bytes.startIndex
        while position < bytes.endIndex {
            let (length, isWhole) = Self.character(bytes[position...])
            guard isWhole else {
                validCount = position - bytes.startIndex
                faultyCount = position + length == bytes.endIndex && Self.mayContinue(bytes[position...]) ? nil : length
                return
            }
            position += length
        }
        return nil
    }

    /// The length of the character at the start, or of the longest beginning of one, and whether it is complete.
    private static func character(_ bytes: Bytes) -> (length: Int, isWhole: Bool) {
        guard let first = bytes.first else { return (0, false) }
        guard first >= 0x80 else { return (1, true) }
        guard let (needed, second) = form(of: first) else { return (1, false) }
        var length = 1
        for byte in bytes.dropFirst().prefix(needed - 1) {
            guard (length == 1 ? second : 0x80...0xBF).contains(byte) else { return (length, false) }
            length += 1
        }
        return (length, length == needed)
    }

    private static func mayContinue(_ bytes: Bytes) -> Bool {
        guard let first = bytes.first, let (needed, _) = form(of: first) else { return false }
        return bytes.count < needed
    }

    /// How many bytes a character has that begins with `first`, and what the second may be.
    private static func form(of first: UInt8) -> (Int, ClosedRange<UInt8>)? {
        switch first {
        case 0xC2...0xDF: (2, 0x80...0xBF)
        case 0xE0: (3, 0xA0...0xBF)
        case 0xED: (3, 0x80...0x9F)
        case 0xE1...0xEF: (3, 0x80...0xBF)
        case 0xF0: (4, 0x90...0xBF)
        case 0xF1...0xF3: (4, 0x80...0xBF)
        case 0xF4: (4, 0x80...0x8F)
        default: nil
        }
    }
}
