/// `{"rows":[{"id":"inv_1…","retry_count":2}]}`; nulls are left out.
struct JSONAnswer: AnswerEncoder {
    private let types: [SQLType]
    /// The columns' names as JSON, with the colon behind.
    private let names: [[UInt8]]
    private var body = Array("{\"rows\":[".utf8)
    private var isFirstRow = true

    init(columns: [OutputColumn]) {
        types = columns.map(\.type)
        names = columns.map { column in
            var name: [UInt8] = []
            JSONText.append(Array(column.name.utf8), to: &name)
            name.append(UInt8(ascii: ":"))
            return name
        }
    }

    var size: Int { body.count }

    mutating func append(_ row: borrowing SQLiteConnection.Row) {
        if !isFirstRow { body.append(UInt8(ascii: ",")) }
        isFirstRow = false
        body.append(UInt8(ascii: "{"))
        var isFirst = true
        for column in types.indices where !row.isNull(column) {
            if !isFirst { body.append(UInt8(ascii: ",")) }
            isFirst = false
            body.append(contentsOf: names[column])
            append(row, column)
        }
        body.append(UInt8(ascii: "}"))
    }

    consuming func finish() -> [UInt8] {
        body.append(contentsOf: "]}".utf8)
        return body
    }

    private mutating func append(_ row: borrowing SQLiteConnection.Row, _ column: Int) {
        switch types[column] {
        case .boolean, .int64, .uint32, .uint64, .timestamp, .localTimestamp, .date, .duration:
            guard let value = row.integer(column) else { return appendUntyped(row, column) }
            append(integer: value, types[column])
        case .double:
            append(row.double(column))
        case .binary:
            body.append(UInt8(ascii: "\""))
            row.withBytes(column) { Hexadecimal.append($0, to: &body) }
            body.append(UInt8(ascii: "\""))
        case .stringList, .uint32List, .int64List:
            row.withBytes(column) { body.append(contentsOf: $0) }
        case .string, .interval, .json, .null:
            appendString(row, column)
        }
    }

    private mutating func append(integer value: Int64, _ type: SQLType) {
        switch type {
        case .boolean: body.append(contentsOf: (value != 0 ? "true" : "false").utf8)
        case .uint64: body.append(contentsOf: String(UInt64(bitPattern: value)).utf8)
        case .timestamp: appendQuoted(Calendar.text(milliseconds: value, withZone: true))
        case .localTimestamp: appendQuoted(Calendar.text(milliseconds: value, withZone: false))
        case .date: appendQuoted(String(Calendar.text(milliseconds: value &* 86_400_000, withZone: false).prefix(10)))
        case .duration: appendQuoted(Calendar.durationText(milliseconds: value))
        default: body.append(contentsOf: String(value).utf8)
        }
    }

    private mutating func append(_ value: Double) {
        body.append(contentsOf: (value.isFinite ? "\(value)" : "null").utf8)
    }

    /// SQLite is free with types: what is no integer here is a number or text.
    private mutating func appendUntyped(_ row: borrowing SQLiteConnection.Row, _ column: Int) {
        if row.isDouble(column) { append(row.double(column)) } else { appendString(row, column) }
    }

    private mutating func appendString(_ row: borrowing SQLiteConnection.Row, _ column: Int) {
        row.withBytes(column) { JSONText.append($0, to: &body) }
    }

    /// Text that needs no escapes.
    private mutating func appendQuoted(_ text: String) {
        body.append(UInt8(ascii: "\""))
        body.append(contentsOf: text.utf8)
        body.append(UInt8(ascii: "\""))
    }
}

/// Text as JSON strings.
enum JSONText {
    private static let digits = Array("0123456789abcdef".utf8)

    /// Appends the text in quotes; what is not UTF-8 is passed on as it is.
    static func append(_ text: some Collection<UInt8>, to body: inout [UInt8]) {
        body.append(UInt8(ascii: "\""))
        for character in text {
            switch character {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                body.append(UInt8(ascii: "\\"))
                body.append(character)
            case UInt8(ascii: "\n"): body.append(contentsOf: "\\n".utf8)
            case UInt8(ascii: "\r"): body.append(contentsOf: "\\r".utf8)
            case UInt8(ascii: "\t"): body.append(contentsOf: "\\t".utf8)
            case 0..<32:
                body.append(contentsOf: "\\u00".utf8)
                body.append(digits[Int(character >> 4)])
                body.append(digits[Int(character & 15)])
            default: body.append(character)
            }
        }
        body.append(UInt8(ascii: "\""))
    }
}
