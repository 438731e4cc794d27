import CHoldfastSQLite
import HoldfastWire

/// The functions of text and of JSON text that SQLite lacks, or has with another meaning.
enum SQLTextFunctions {
    /// What a function makes of its arguments, none of which is null; nil ends the query.
    private typealias Compute = ([String]) -> SQLValue?

    /// The bytes that a function may make of less.
    private static let sizeMax = 1 << 20

    /// Name, number of arguments (-1: any), and the function.
    static let all: [(name: String, arguments: CInt, function: SQLFunctions.Function)] = [
        ("hf_lower", 1, { text($0, $1, $2) { .text($0[0].lowercased()) } }),
        ("hf_upper", 1, { text($0, $1, $2) { .text($0[0].uppercased()) } }),
        ("hf_initcap", 1, { text($0, $1, $2) { .text(capitalized($0[0])) } }),
        (
            "hf_reverse", 1,
            { text($0, $1, $2) { .text(String(String.UnicodeScalarView($0[0].unicodeScalars.reversed()))) } }
        ),
        ("hf_repeat", 2, { text($0, $1, $2) { repeated($0[0], $0[1]) } }),
        ("hf_substr", 2, { text($0, $1, $2) { part(of: $0[0], from: $0[1], count: nil) } }),
        ("hf_substr", 3, { text($0, $1, $2) { part(of: $0[0], from: $0[1], count: $0[2]) } }),
        ("hf_left", 2, { text($0, $1, $2) { end(of: $0[0], $0[1], isLeft: true) } }),
        ("hf_right", 2, { text($0, $1, $2) { end(of: $0[0], $0[1], isLeft: false) } }),
        ("hf_lpad", 3, { text($0, $1, $2) { padded($0[0], $0[1], $0[2], isLeft: true) } }),
        ("hf_rpad", 3, { text($0, $1, $2) { padded($0[0], $0[1], $0[2], isLeft: false) } }),
        ("hf_translate", 3, { text($0, $1, $2) { .text(translated($0[0], from: $0[1], to: $0[2])) } }),
        ("hf_base64", 1, { base64($0, $2) }),
        ("hf_json", -1, { json($0, $1, $2) }),
        (
            "hf_to_char", 2,
            {
                text($0, $1, $2) { arguments in
                    Int64(arguments[0]).flatMap { MomentFormat.text(milliseconds: $0, format: arguments[1]) }.map(
                        SQLValue.text)
                }
            }
        ),
    ]

    private static func text(
        _ context: OpaquePointer?, _ count: CInt, _ arguments: UnsafeMutablePointer<OpaquePointer?>?,
        _ compute: Compute
    ) {
        guard let arguments, !(0..<Int(count)).contains(where: { SQLiteValue.isNull(arguments[$0]) }) else {
            return sqlite3_result_null(context)
        }
        if let result = compute((0..<Int(count)).map { SQLiteValue.text(arguments[$0]) }) {
            SQLiteValue.setResult(context, result)
        } else {
            SQLiteValue.setError(context, "an argument of a function of text is out of range, or no format")
        }
    }

    /// Without padding, as upstream writes it.
    private static func base64(_ context: OpaquePointer?, _ arguments: UnsafeMutablePointer<OpaquePointer?>?) {
        guard let value = arguments?[0], !SQLiteValue.isNull(value) else { return sqlite3_result_null(context) }
        let bytes = UnsafeRawBufferPointer(start: sqlite3_value_blob(value), count: Int(sqlite3_value_bytes(value)))
        let text = Base64URL.encode(bytes).replacing("-", with: "+").replacing("_", with: "/")
        SQLiteValue.setText(context, text)
    }

    private static func capitalized(_ text: String) -> String {
        var isInside = false
        return text.reduce(into: "") { result, character in
            let isPart = character.isLetter || character.isNumber
            result += isPart && !isInside ? character.uppercased() : character.lowercased()
            isInside = isPart
        }
    }

    private static func repeated(_ text: String, _ count: String) -> SQLValue? {
        guard let count = Int(count) else { return nil }
        guard count > 0, !text.isEmpty else { return .text("") }
        guard count <= sizeMax / text.utf8.count else { return nil }
        return .text(String(repeating: text, count: count))
    }

    /// Places count from 1; those before the beginning have no character.
    private static func part(of text: String, from first: String, count: String?) -> SQLValue? {
        guard let first = Int64(first) else { return nil }
        var last = Int64.max
        if let count {
            guard let count = Int64(count), count >= 0 else { return nil }
            let (end, overflow) = first.addingReportingOverflow(count)
            if !overflow { last = end &- 1 }
        }
        let scalars = text.unicodeScalars
        let skipped = scalars.dropFirst(Int(clamping: max(first, 1) - 1))
        guard last != .max else { return .text(String(skipped)) }
        guard last >= max(first, 1) else { return .text("") }
        return .text(String(skipped.prefix(Int(clamping: last - max(first, 1) + 1))))
    }

    /// So many characters of one end; of a negative number, all but so many of the other end.
    private static func end(of text: String, _ count: String, isLeft: Bool) -> SQLValue? {
        guard let count = Int(count) else { return nil }
        let scalars = text.unicodeScalars
        let size = Int(clamping: count.magnitude)
        switch (isLeft, count >= 0) {
        case (true, true): return .text(String(scalars.prefix(size)))
        case (true, false): return .text(String(scalars.dropLast(size)))
        case (false, true): return .text(String(scalars.suffix(size)))
        case (false, false): return .text(String(scalars.dropFirst(size)))
        }
    }

    private static func padded(_ text: String, _ size: String, _ fill: String, isLeft: Bool) -> SQLValue? {
        guard let size = Int(size).map({ max(0, $0) }), size <= sizeMax else { return nil }
        let scalars = text.unicodeScalars
        let missing = size - scalars.count
        guard missing > 0, !fill.isEmpty else { return .text(String(scalars.prefix(size))) }
        let whole = String(repeating: fill, count: missing / fill.unicodeScalars.count + 1)
        let padding = String(whole.unicodeScalars.prefix(missing))
        return .text(isLeft ? padding + text : text + padding)
    }

    /// Each character of `from` becomes the one at its place in `to`, or goes if there is none.
    private static func translated(_ text: String, from: String, to: String) -> String {
        let targets = Array(to.unicodeScalars)
        let places = Dictionary(
            from.unicodeScalars.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            guard let place = places[scalar] else {
                result.append(scalar)
                continue
            }
            if place < targets.count { result.append(targets[place]) }
        }
        return String(result)
    }

    // MARK: - JSON

    /// What to tell of a member, the JSON text, and the names and indexes that lead to the member.
    private static func json(
        _ context: OpaquePointer?, _ count: CInt, _ arguments: UnsafeMutablePointer<OpaquePointer?>?
    ) {
        guard let arguments, count >= 2, !SQLiteValue.isNull(arguments[1]) else { return sqlite3_result_null(context) }
        let wanted = SQLiteValue.text(arguments[0])
        var found = try? JSON(parsing: SQLiteValue.text(arguments[1]))
        for index in 2..<max(2, Int(count)) {
            if sqlite3_value_type(arguments[index]) == SQLITE_INTEGER {
                let place = sqlite3_value_int64(arguments[index])
                let elements = found?.array ?? []
                found = elements.indices.contains(Int(clamping: place)) ? elements[Int(clamping: place)] : nil
            } else {
                found = found?[SQLiteValue.text(arguments[index])]
            }
        }
        SQLiteValue.setResult(context, member(found, wanted))
    }

    private static func member(_ found: JSON?, _ wanted: String) -> SQLValue {
        if wanted == "contains" { return .boolean(found != nil) }
        guard let found, wanted == "json" || !found.isNull else { return .null }
        switch wanted {
        case "text": return .text(found.string ?? found.text)
        case "str": return .optional(found.string, SQLValue.text)
        case "int": return .optional(found.int, SQLValue.integer)
        case "float": return .optional(found.double, SQLValue.double)
        case "bool": return .optional(found.bool, SQLValue.boolean)
        case "length": return .optional(found.array?.count ?? found.members?.count) { .integer(Int64($0)) }
        case "keys": return .optional(found.members) { .text(JSON.array($0.map { .string($0.key) }).text) }
        default: return .text(found.text)
        }
    }
}
