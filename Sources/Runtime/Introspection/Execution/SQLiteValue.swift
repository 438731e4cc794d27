import CHoldfastSQLite
import HoldfastWire

/// Values on their way into SQLite and out of it.
enum SQLiteValue {
    /// Tells SQLite to copy what it is given; C spells it as a cast of -1.
    nonisolated(unsafe) private static let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    static func setResult(_ context: OpaquePointer?, _ value: SQLValue) {
        switch value {
        case .null: sqlite3_result_null(context)
        case .boolean(let value): sqlite3_result_int(context, value ? 1 : 0)
        case .integer(let value): sqlite3_result_int64(context, value)
        case .unsigned(let value): sqlite3_result_int64(context, Int64(bitPattern: value))
        case .double(let value): sqlite3_result_double(context, value)
        case .text(let text): setText(context, text)
        case .utf8(let bytes):
            bytes.withUnsafeBytes { buffer in
                let start = buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
                // Without a pointer SQLite would make it null.
                guard let start else { return sqlite3_result_text(context, "", 0, transient) }
                sqlite3_result_text64(context, start, UInt64(buffer.count), transient, UInt8(SQLITE_UTF8))
            }
        case .bytes(let bytes):
            bytes.withUnsafeBytes { buffer in
                guard let start = buffer.baseAddress, buffer.count > 0 else {
                    return sqlite3_result_zeroblob(context, 0)
                }
                sqlite3_result_blob64(context, start, UInt64(buffer.count), transient)
            }
        }
    }

    static func setText(_ context: OpaquePointer?, _ text: String) {
        var text = text
        text.withUTF8 { buffer in
            buffer.withMemoryRebound(to: CChar.self) { characters in
                guard let start = characters.baseAddress else { return sqlite3_result_text(context, "", 0, transient) }
                sqlite3_result_text64(context, start, UInt64(characters.count), transient, UInt8(SQLITE_UTF8))
            }
        }
    }

    static func setError(_ context: OpaquePointer?, _ message: String) {
        sqlite3_result_error(context, message, -1)
    }

    static func read(_ value: OpaquePointer?) -> SQLValue {
        switch sqlite3_value_type(value) {
        case SQLITE_INTEGER: .integer(sqlite3_value_int64(value))
        case SQLITE_FLOAT: .double(sqlite3_value_double(value))
        case SQLITE_TEXT: .text(text(value))
        case SQLITE_BLOB:
            .bytes(
                Array(UnsafeRawBufferPointer(start: sqlite3_value_blob(value), count: Int(sqlite3_value_bytes(value))))[
                    ...])
        default: .null
        }
    }

    /// The text of a value; of a number, its digits.
    static func text(_ value: OpaquePointer?) -> String {
        guard let start = sqlite3_value_text(value) else { return "" }
        return String(
            decoding: UnsafeBufferPointer(start: start, count: Int(sqlite3_value_bytes(value))), as: UTF8.self)
    }

    static func isNull(_ value: OpaquePointer?) -> Bool { sqlite3_value_type(value) == SQLITE_NULL }

    /// The order of two values as SQLite sorts them: numbers before text before bytes; nulls are the caller's.
    static func compare(_ left: OpaquePointer?, _ right: OpaquePointer?) -> Int {
        func rank(_ value: OpaquePointer?) -> Int {
            switch sqlite3_value_type(value) {
            case SQLITE_INTEGER, SQLITE_FLOAT: 0
            case SQLITE_TEXT: 1
            default: 2
            }
        }
        let (leftRank, rightRank) = (rank(left), rank(right))
        if leftRank != rightRank { return leftRank - rightRank }
        if leftRank == 0 {
            if sqlite3_value_type(left) == SQLITE_INTEGER, sqlite3_value_type(right) == SQLITE_INTEGER {
                let (first, second) = (sqlite3_value_int64(left), sqlite3_value_int64(right))
                return first < second ? -1 : (first == second ? 0 : 1)
            }
            let (first, second) = (sqlite3_value_double(left), sqlite3_value_double(right))
            return first < second ? -1 : (first == second ? 0 : 1)
        }
        let first = UnsafeRawBufferPointer(start: sqlite3_value_blob(left), count: Int(sqlite3_value_bytes(left)))
        let second = UnsafeRawBufferPointer(start: sqlite3_value_blob(right), count: Int(sqlite3_value_bytes(right)))
        return first.lexicographicallyPrecedes(second) ? -1 : (first.elementsEqual(second) ? 0 : 1)
    }
}
