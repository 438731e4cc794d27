import HoldfastEngine
import HoldfastWire

/// What queries read: the tables' rows as they are at one moment.
public protocol IntrospectionSource: AnyObject, Sendable {
    /// A view of everything as it is now, for one query; it is used by one thread, and released after the query.
    func begin() throws(StorageError) -> any IntrospectionSession
}

/// The tables' rows at one moment.
public protocol IntrospectionSession: AnyObject {
    /// The rows of a table; rows that do not fulfil the filter may be among them.
    func rows(of table: TableSchema, where filter: RowFilter) throws(StorageError) -> any RowCursor
}

/// Walks through rows, one at a time, so that nobody computes what nobody reads.
public protocol RowCursor: AnyObject {
    /// Goes to the next row, at first to the first one; false when there is none.
    func next() throws(StorageError) -> Bool

    /// The value of a column, by its index in the table's schema, of the row that `next` went to.
    func value(_ column: Int) throws(StorageError) -> SQLValue
}

/// What is known of the rows that a query wants: values of some of the table's keys.
public struct RowFilter: Sendable {
    /// The wanted values by column name, for columns that are keys of their table.
    public var values: [String: SQLValue]

    /// Makes a filter.
    public init(values: [String: SQLValue] = [:]) {
        self.values = values
    }

    /// The text that a column must equal, or nil if it may have any value.
    public func text(_ column: String) -> String? {
        guard case .text(let text)? = values[column] else { return nil }
        return text
    }
}

/// A value of a row.
public enum SQLValue: Sendable, Hashable {
    case null
    case boolean(Bool)
    case integer(Int64)
    case unsigned(UInt64)
    case double(Double)
    case text(String)
    /// Text that was not made a `String`, since it is only passed on; it must be UTF-8.
    case utf8(Bytes)
    case bytes(Bytes)

    /// A moment, for columns that are timestamps.
    public static func timestamp(_ moment: Timestamp) -> SQLValue {
        .integer(Int64(clamping: moment.millis))
    }

    /// The value, or null.
    public static func optional<Value>(_ value: Value?, _ make: (Value) -> SQLValue) -> SQLValue {
        value.map(make) ?? .null
    }
}
