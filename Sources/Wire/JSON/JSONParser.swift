extension JSON {
    /// How deeply arrays and objects may be nested in a document that comes from somebody else.
    public static let maximumDepth = 128

    /// Reads a document as RFC 8259 defines it, with nothing but white space around it.
    ///
    /// Strict: no comments, no trailing commas, no leading zeros; texts must be valid UTF-8, and escapes valid Unicode.
    /// Nesting is bounded, so that no document exhausts the stack.
    public init(parsing bytes: Bytes, maximumDepth: Int = JSON.maximumDepth) throws(JSONError) {
        var parser = JSONParser(bytes, maximumDepth: maximumDepth)
        self = try parser.document()
    }

    /// Reads a document from a text.
    public init(parsing text: String, maximumDepth: Int = JSON.maximumDepth) throws(JSONError) {
        try self.init(parsing: Bytes(utf8: text), maximumDepth: maximumDepth)
    }
}

/// A recursive-descent parser over a slice of bytes.
struct JSONParser {
    private let bytes: Bytes
    private var position: Int
    private var remainingDepth: Int

    init(_ bytes: Bytes, maximumDepth: Int) {
        self.bytes = bytes
        position = bytes.startIndex
        remainingDepth = maximumDepth
    }

    mutating func document() throws(JSONError) -> JSON {
        let value = try self.value()
        skipWhiteSpace()
        if position < bytes.endIndex { throw error("trailing characters", after: 1) }
        return value
    }

    private mutating func value() throws(JSONError) -> JSON {
        skipWhiteSpace()
        guard position < bytes.endIndex else { throw error("EOF while parsing a value") }
        switch bytes[position] {
        case UInt8(ascii: "{"): return try nested { parser throws(JSONError) in try parser.object() }
        case UInt8(ascii: "["): return try nested { parser throws(JSONError) in try parser.array() }
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw error("expected value", after: 1)
        }
    }

    private mutating func nested(
        _ body: (inout JSONParser) throws(JSONError) -> JSON
    ) throws(JSONError) -> JSON {
        position += 1
        guard remainingDepth > 0 else { throw error("recursion limit exceeded") }
        remainingDepth -= 1
        let value = try body(&self)
        remainingDepth += 1
        return value
    }

    private mutating func array() throws(JSONError) -> JSON {
        var elements: [JSON] = []
        if try nextToken(in: "list") == UInt8(ascii: "]") {
            position += 1
            return .array(elements)
        }
        while true {
            elements.append(try value())
            let separator = try nextToken(in: "list")
            position += 1
            if separator == UInt8(ascii: "]") { return .array(elements) }
            guard separator == UInt8(ascii: ",") else { throw error("expected `,` or `]`") }
            if try nextToken(in: "value") == UInt8(ascii: "]") { throw error("trailing comma", after: 1) }
        }
    }

    private mutating func object() throws(JSONError) -> JSON {
        var members: [JSON.Member] = []
        if try nextToken(in: "object") == UInt8(ascii: "}") {
            position += 1
            return .object(members)
        }
        while true {
            guard try nextToken(in: "object") == UInt8(ascii: "\"") else {
                throw error("key must be a string", after: 1)
            }
            let key = try string()
            guard try nextToken(in: "object") == UInt8(ascii: ":") else { throw error("expected `:`", after: 1) }
            position += 1
            members.append(JSON.Member(key, try value()))
            let separator = try nextToken(in: "object")
            position += 1
            if separator == UInt8(ascii: "}") { return .object(members) }
            guard separator == UInt8(ascii: ",") else { throw error("expected `,` or `}`") }
            if try nextToken(in: "value") == UInt8(ascii: "}") { throw error("trailing comma", after: 1) }
        }
    }

    /// The next character that is no white space; `position` stays on it.
    private mutating func nextToken(in construct: String) throws(JSONError) -> UInt8 {
        skipWhiteSpace()
        guard position < bytes.endIndex else {
            throw error("EOF while parsing a\(construct == "object" ? "n" : "") \(construct)")
        }
        return bytes[position]
    }

    private mutating func literal(_ word: StaticString, _ value: JSON) throws(JSONError) -> JSON {
        for offset in 0..<word.utf8CodeUnitCount {
            guard position < bytes.endIndex else { throw error("EOF while parsing a value") }
            let expected = word.withUTF8Buffer { $0[offset] }
            guard bytes[position] == expected else { throw error("expected ident", after: 1) }
            position += 1
        }
        return value
    }

    private mutating func skipWhiteSpace() {
        while position < bytes.endIndex {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }

    /// An error at the current position, or `after` more bytes.
    private func error(_ what: String, after count: Int = 0) -> JSONError {
        let end = min(position + count, bytes.endIndex)
        let read = bytes[bytes.startIndex..<end]
        let lineStart = read.lastIndex(of: 0x0A).map { $0 + 1 } ?? bytes.startIndex
        let line = read.reduce(1) { $1 == 0x0A ? $0 + 1 : $0 }
        return JSONError(what: what, line: line, column: end - lineStart)
    }
}

// MARK: - Numbers

extension JSONParser {
    private mutating func number() throws(JSONError) -> JSON {
        let start = position
        let isNegative = bytes[position] == UInt8(ascii: "-")
        if isNegative { position += 1 }
        var magnitude: UInt64? = 0
        guard let first = digit() else { throw numberError() }
        magnitude = first
        position += 1
        if first == 0 {
            if digit() != nil { throw error("invalid number", after: 1) }
        } else {
            while let next = digit() {
                magnitude = magnitude.flatMap { appending(next, to: $0) }
                position += 1
            }
        }
        var isWhole = true
        if position < bytes.endIndex, bytes[position] == UInt8(ascii: ".") {
            isWhole = false
            position += 1
            try skipDigits()
        }
        if position < bytes.endIndex, bytes[position] | 0x20 == UInt8(ascii: "e") {
            isWhole = false
            position += 1
            if position < bytes.endIndex, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") {
                position += 1
            }
            try skipDigits()
        }
        if isWhole, let magnitude {
            if !isNegative { return JSON(magnitude) }
            // A negative zero has no integer.
            if magnitude != 0, magnitude <= 1 << 63 { return .integer(Int64(truncatingIfNeeded: 0 &- magnitude)) }
        }
        guard let value = Double(bytes[start..<position].lossyString), value.isFinite else {
            throw error("number out of range")
        }
        return .number(value)
    }

    private func digit() -> UInt64? {
        guard position < bytes.endIndex, case UInt8(ascii: "0")...UInt8(ascii: "9") = bytes[position] else {
            return nil
        }
        return UInt64(bytes[position] - UInt8(ascii: "0"))
    }

    private mutating func skipDigits() throws(JSONError) {
        guard digit() != nil else { throw numberError() }
        while digit() != nil { position += 1 }
    }

    private func appending(_ digit: UInt64, to number: UInt64) -> UInt64? {
        let (product, productOverflow) = number.multipliedReportingOverflow(by: 10)
        let (sum, sumOverflow) = product.addingReportingOverflow(digit)
        return productOverflow || sumOverflow ? nil : sum
    }

    private func numberError() -> JSONError {
        position < bytes.endIndex ? error("invalid number", after: 1) : error("EOF while parsing a value")
    }
}

// MARK: - Texts

extension JSONParser {
    private mutating func string() throws(JSONError) -> String {
        position += 1
        let start = position
        // Most texts have no escape: then the text is a slice of the document.
        skipPlainCharacters()
        if position < bytes.endIndex, bytes[position] == UInt8(ascii: "\"") {
            position += 1
            return try text(bytes[start..<position - 1])
        }
        var content = Array(bytes[start..<position])
        while position < bytes.endIndex {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                position += 1
                return try text(content[...])
            case UInt8(ascii: "\\"):
                position += 1
                try appendEscape(to: &content)
            case 0..<0x20:
                throw error("control character (\\u0000-\\u001F) found while parsing a string", after: 1)
            default:
                let start = position
                skipPlainCharacters()
                content.append(contentsOf: bytes[start..<position])
            }
        }
        throw error("EOF while parsing a string")
    }

    private mutating func skipPlainCharacters() {
        while position < bytes.endIndex {
            let character = bytes[position]
            if character < 0x20 || character == UInt8(ascii: "\"") || character == UInt8(ascii: "\\") { return }
            position += 1
        }
    }

    private func text(_ content: Bytes) throws(JSONError) -> String {
        guard let text = content.utf8String else { throw error("invalid unicode code point") }
        return text
    }

    private mutating func appendEscape(to content: inout [UInt8]) throws(JSONError) {
        guard position < bytes.endIndex else { throw error("EOF while parsing a string") }
        let character = bytes[position]
        position += 1
        switch character {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): content.append(character)
        case UInt8(ascii: "b"): content.append(0x08)
        case UInt8(ascii: "f"): content.append(0x0C)
        case UInt8(ascii: "n"): content.append(0x0A)
        case UInt8(ascii: "r"): content.append(0x0D)
        case UInt8(ascii: "t"): content.append(0x09)
        case UInt8(ascii: "u"): content.append(contentsOf: Character(try escapedScalar()).utf8)
        default: throw error("invalid escape")
        }
    }

    private mutating func escapedScalar() throws(JSONError) -> Unicode.Scalar {
        let unit = try escapedCodeUnit()
        if let scalar = Unicode.Scalar(unit) { return scalar }
        guard UTF16.isLeadSurrogate(unit), position + 1 < bytes.endIndex, bytes[position] == UInt8(ascii: "\\"),
            bytes[position + 1] == UInt8(ascii: "u")
        else { throw error("lone leading surrogate in hex escape") }
        position += 2
        let trail = try escapedCodeUnit()
        guard UTF16.isTrailSurrogate(trail),
            let scalar = Unicode.Scalar(0x10000 + (UInt32(unit - 0xD800) << 10 | UInt32(trail - 0xDC00)))
        else { throw error("lone leading surrogate in hex escape") }
        return scalar
    }

    private mutating func escapedCodeUnit() throws(JSONError) -> UInt16 {
        var unit: UInt16 = 0
        for _ in 0..<4 {
            guard position < bytes.endIndex else { throw error("EOF while parsing a string") }
            guard let digit = hexValue(bytes[position]) else { throw error("invalid escape", after: 1) }
            unit = unit << 4 | UInt16(digit)
            position += 1
        }
        return unit
    }
}
