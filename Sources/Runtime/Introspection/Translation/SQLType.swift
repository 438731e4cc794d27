/// The type of a column of an answer.
///
/// SQLite has no such types; the translation of a query finds them, and each is kept in SQLite as:
enum SQLType: Sendable, Equatable {
    /// Always null.
    case null
    /// 0 or 1.
    case boolean
    case int64
    case uint32
    /// The bits of a signed integer, because SQLite has no other.
    case uint64
    case double
    case string
    case binary
    /// Milliseconds since 1970, with the zone UTC.
    case timestamp
    /// The same, without a zone.
    case localTimestamp
    /// Days since 1970.
    case date
    /// Milliseconds.
    case duration
    /// Text such as `1 hours`; only literals have this type.
    case interval
    /// JSON text.
    case json
    /// JSON text of an array of strings.
    case stringList
    /// JSON text of an array of unsigned numbers.
    case uint32List
    /// JSON text of an array of numbers.
    case int64List

    var isNumber: Bool {
        switch self {
        case .int64, .uint32, .uint64, .double, .boolean, .null: true
        default: false
        }
    }

    var isTimestamp: Bool { self == .timestamp || self == .localTimestamp }

    /// The name in `information_schema.columns.data_type`.
    var name: String {
        switch self {
        case .null: "Null"
        case .boolean: "Boolean"
        case .int64: "Int64"
        case .uint32: "UInt32"
        case .uint64: "UInt64"
        case .double: "Float64"
        case .string, .json: "LargeUtf8"
        case .binary: "LargeBinary"
        case .timestamp: "Timestamp(ms, \"+00:00\")"
        case .localTimestamp: "Timestamp(ms)"
        case .date: "Date32"
        case .duration: "Duration(ms)"
        case .interval: "Interval(MonthDayNano)"
        case .stringList: "List(LargeUtf8)"
        case .uint32List: "List(UInt32)"
        case .int64List: "List(Int64)"
        }
    }

    /// The type's affinity in SQLite, which decides how a literal of another type is compared.
    var affinity: String {
        switch self {
        case .boolean, .int64, .uint32, .uint64, .timestamp, .localTimestamp, .date, .duration: "INTEGER"
        case .double: "REAL"
        case .binary: "BLOB"
        case .null, .string, .interval, .json, .stringList, .uint32List, .int64List: "TEXT"
        }
    }

    /// The type that holds values of both types, as in `coalesce` or a set operation.
    func united(with other: SQLType) -> SQLType {
        if self == other || other == .null { return self }
        if self == .null { return other }
        if isTimestamp, other == .string { return self }
        if self == .string, other.isTimestamp { return other }
        if isTimestamp, other.isTimestamp { return .timestamp }
        if self == .double || other == .double, isNumber, other.isNumber { return .double }
        if isNumber, other.isNumber { return self == .uint64 && other == .uint32 ? .uint64 : .int64 }
        return .string
    }
}
