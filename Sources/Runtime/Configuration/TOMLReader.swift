import HoldfastWire

/// Reads a TOML document into the value that JSON would have for it.
///
/// What configuration files need: tables, arrays of tables, dotted and quoted keys, inline tables, arrays over several
/// lines, all kinds of strings and numbers. Dates and times are refused: no option has one.
struct TOMLReader {
    private let bytes: [UInt8]
    private var position = 0
    private var line = 1

    private init(_ text: String) { bytes = Array(text.utf8) }

    /// The document as an object.
    static func read(_ text: String) throws(TOMLError) -> JSON {
        var reader = TOMLReader(text)
        return try reader.document()
    }

    /// One value, such as the elements of an array in an environment variable.
    static func readValue(_ text: String) throws(TOMLError) -> JSON {
        var reader = TOMLReader(text)
        let value = try reader.value(depth: 0)
        reader.skipBlanks()
        guard reader.next == nil else { throw reader.fault("something follows the value") }
        return value
    }

    private mutating func document() throws(TOMLError) -> JSON {
        var root = JSON.object([])
        var table: [String] = []
        while true {
            skipLines()
            guard let byte = next else { return root }
            if byte == UInt8(ascii: "[") {
                table = try header(in: &root)
            } else {
                let path = try keyPath()
                try expect("=")
                let value = try value(depth: 0)
                try insert(value, at: table + path, into: &root)
            }
            try endOfLine()
        }
    }

    /// `[table]` or `[[array of tables]]`; what follows goes into it.
    private mutating func header(in root: inout JSON) throws(TOMLError) -> [String] {
        advance()
        let isArray = next == UInt8(ascii: "[")
        if isArray { advance() }
        let path = try keyPath()
        try expect("]")
        if isArray {
            guard next == UInt8(ascii: "]") else { throw fault("an array of tables ends in ']]'") }
            advance()
            try appendTable(at: path, in: &root)
        } else {
            try ensureTable(at: path, in: &root)
        }
        return path
    }

    private mutating func keyPath() throws(TOMLError) -> [String] {
        var path = [try key()]
        skipBlanks()
        while next == UInt8(ascii: ".") {
            advance()
            path.append(try key())
            skipBlanks()
        }
        return path
    }

    private mutating func key() throws(TOMLError) -> String {
        skipBlanks()
        if next == UInt8(ascii: "\"") || next == UInt8(ascii: "'") { return try string() }
        let start = position
        while let byte = next, Self.isBareKey(byte) { advance() }
        guard position > start else { throw fault("a key is missing") }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func value(depth: Int) throws(TOMLError) -> JSON {
        guard depth < 32 else { throw fault("values are nested deeper than 32 levels") }
        skipBlanks()
        switch next {
        case UInt8(ascii: "\""), UInt8(ascii: "'"): return .string(try string())
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "{"): return try inlineTable(depth: depth)
        case nil: throw fault("a value is missing")
        default: return try word()
        }
    }

    private mutating func array(depth: Int) throws(TOMLError) -> JSON {
        advance()
        var elements: [JSON] = []
        while true {
            skipLines()
            if next == UInt8(ascii: "]") { break }
            elements.append(try value(depth: depth + 1))
            skipLines()
            guard next == UInt8(ascii: ",") else { break }
            advance()
        }
        guard next == UInt8(ascii: "]") else { throw fault("an array ends in ']'") }
        advance()
        return .array(elements)
    }

    private mutating func inlineTable(depth: Int) throws(TOMLError) -> JSON {
        advance()
        var table = JSON.object([])
        skipBlanks()
        while next != UInt8(ascii: "}") {
            let path = try keyPath()
            try expect("=")
            let value = try value(depth: depth + 1)
            try insert(value, at: path, into: &table)
            skipBlanks()
            guard next == UInt8(ascii: ",") else { break }
            advance()
            skipBlanks()
        }
        guard next == UInt8(ascii: "}") else { throw fault("an inline table ends in '}'") }
        advance()
        return table
    }

    /// `true`, `false`, or a number.
    private mutating func word() throws(TOMLError) -> JSON {
        let start = position
        while let byte = next, Self.isBareKey(byte) || byte == UInt8(ascii: "+") || byte == UInt8(ascii: ".") {
            advance()
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if text == "true" || text == "false" { return .bool(text == "true") }
        let digits = text.replacing("_", with: "")
        for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where digits.hasPrefix(prefix) {
            if let number = Int64(digits.dropFirst(2), radix: radix) { return .integer(number) }
        }
        if let number = Int64(digits) { return .integer(number) }
        if let number = Double(digits), number.isFinite, digits.contains(where: \.isNumber) { return .number(number) }
        throw fault("'\(text)' is no value; text stands in quotes")
    }

    private mutating func string() throws(TOMLError) -> String {
        guard let quote = next else { throw fault("a string is missing") }
        if bytes[position...].starts(with: [quote, quote, quote]) { return try longString(quote) }
        advance()
        var content: [UInt8] = []
        while let byte = next, byte != quote {
            guard byte != UInt8(ascii: "\n") else { throw fault("a string ends before its line does") }
            advance()
            if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
                try escape(into: &content)
            } else {
                content.append(byte)
            }
        }
        guard next == quote else { throw fault("a string has no end") }
        advance()
        return try text(content)
    }

    private mutating func longString(_ quote: UInt8) throws(TOMLError) -> String {
        position += 3
        if next == UInt8(ascii: "\n") { advance() }
        var content: [UInt8] = []
        while !bytes[position...].starts(with: [quote, quote, quote]) {
            guard let byte = next else { throw fault("a string has no end") }
            advance()
            if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
                if next == UInt8(ascii: "\n") {
                    while let blank = next, blank <= 0x20 { advance() }
                } else {
                    try escape(into: &content)
                }
            } else {
                content.append(byte)
            }
        }
        position += 3
        // Up to two quotes may stand right before the three that end the string.
        while next == quote {
            content.append(quote)
            advance()
        }
        return try text(content)
    }

    private mutating func escape(into content: inout [UInt8]) throws(TOMLError) {
        guard let byte = next else { throw fault("a string has no end") }
        advance()
        switch byte {
        case UInt8(ascii: "n"): content.append(10)
        case UInt8(ascii: "t"): content.append(9)
        case UInt8(ascii: "r"): content.append(13)
        case UInt8(ascii: "b"): content.append(8)
        case UInt8(ascii: "f"): content.append(12)
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): content.append(byte)
        case UInt8(ascii: "u"), UInt8(ascii: "U"):
            let count = byte == UInt8(ascii: "u") ? 4 : 8
            let digits = String(decoding: bytes[position...].prefix(count), as: UTF8.self)
            guard digits.utf8.count == count, let code = UInt32(digits, radix: 16), let scalar = UnicodeScalar(code)
            else { throw fault("'\\\(Character(UnicodeScalar(byte)))\(digits)' is no character") }
            position += count
            content.append(contentsOf: String(scalar).utf8)
        default: throw fault("'\\\(Character(UnicodeScalar(byte)))' is no escape")
        }
    }

    private func text(_ content: [UInt8]) throws(TOMLError) -> String {
        guard let text = String(validating: content, as: UTF8.self) else { throw fault("a string is not UTF-8") }
        return text
    }

    private func insert(_ value: JSON, at path: [String], into table: inout JSON) throws(TOMLError) {
        try change(&table, at: path[...]) { (found: JSON?) throws(TOMLError) -> JSON in
            guard found == nil else { throw fault("'\(path.joined(separator: "."))' is set twice") }
            return value
        }
    }

    private func ensureTable(at path: [String], in root: inout JSON) throws(TOMLError) {
        try change(&root, at: path[...]) { (found: JSON?) throws(TOMLError) -> JSON in
            guard let found else { return .object([]) }
            guard case .object = found else { throw fault("'\(path.joined(separator: "."))' is no table") }
            return found
        }
    }

    private func appendTable(at path: [String], in root: inout JSON) throws(TOMLError) {
        try change(&root, at: path[...]) { (found: JSON?) throws(TOMLError) -> JSON in
            guard let found else { return .array([.object([])]) }
            guard case .array(let tables) = found else {
                throw fault("'\(path.joined(separator: "."))' is no array of tables")
            }
            return .array(tables + [.object([])])
        }
    }

    /// Replaces the value at `path`; tables on the way are made, and of an array of tables the last one is meant.
    private func change(
        _ table: inout JSON, at path: ArraySlice<String>, _ body: (JSON?) throws(TOMLError) -> JSON
    ) throws(TOMLError) {
        guard let name = path.first else { return }
        switch table {
        case .object(var members):
            let index = members.firstIndex { $0.key == name }
            var value = index.map { members[$0].value }
            if path.count == 1 {
                value = try body(value)
            } else {
                var inner = value ?? .object([])
                try change(&inner, at: path.dropFirst(), body)
                value = inner
            }
            guard let value else { return }
            if let index { members[index].value = value } else { members.append(.init(name, value)) }
            table = .object(members)
        case .array(var elements):
            guard var last = elements.popLast() else { throw fault("'\(name)' stands in an empty array") }
            try change(&last, at: path, body)
            table = .array(elements + [last])
        default:
            throw fault("'\(name)' stands under a key that already has a value")
        }
    }

    private static func isBareKey(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func advance() {
        if next == UInt8(ascii: "\n") { line += 1 }
        position += 1
    }

    private mutating func skipBlanks() {
        while let byte = next, byte == UInt8(ascii: " ") || byte == 9 { advance() }
    }

    /// Skips blanks, ends of lines and comments.
    private mutating func skipLines() {
        while let byte = next {
            if byte == UInt8(ascii: "#") {
                while let rest = next, rest != UInt8(ascii: "\n") { advance() }
            } else if byte == UInt8(ascii: " ") || byte == 9 || byte == 10 || byte == 13 {
                advance()
            } else {
                return
            }
        }
    }

    private mutating func endOfLine() throws(TOMLError) {
        skipBlanks()
        guard let byte = next else { return }
        guard byte == UInt8(ascii: "#") || byte == 10 || byte == 13 else { throw fault("something follows the value") }
    }

    private mutating func expect(_ character: Character) throws(TOMLError) {
        skipBlanks()
        guard next == character.asciiValue else { throw fault("'\(character)' is missing") }
        advance()
    }

    private func fault(_ what: String) -> TOMLError { TOMLError(line: line, what: what) }
}

/// Why a text is no TOML, and in which line.
struct TOMLError: Error, Hashable {
    let line: Int
    let what: String
}
