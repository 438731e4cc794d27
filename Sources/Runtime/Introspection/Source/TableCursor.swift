import HoldfastEngine
import HoldfastWire

/// What the columns of a table are, as functions of a row.
struct RowColumns<Row>: Sendable {
    typealias Value = @Sendable (Row) -> SQLValue

    /// By the columns' index in the schema; nil for columns that are always null here.
    private let values: [Value?]
    /// Names that the schema does not know; a test asserts that there are none.
    let unknownNames: [String]

    init(_ schema: TableSchema, _ define: (inout [String: Value]) -> Void) {
        var values: [String: Value] = [:]
        define(&values)
        self.values = schema.columns.map { values[$0.name] }
        let known = Set(schema.columns.map(\.name))
        unknownNames = values.keys.filter { !known.contains($0) }
    }

    func value(_ column: Int, of row: Row) -> SQLValue {
        guard values.indices.contains(column), let value = values[column] else { return .null }
        return value(row)
    }
}

/// Walks through rows that come in pages.
final class TableCursor<Row>: RowCursor {
    typealias Pages = () throws(StorageError) -> [Row]?

    private let columns: RowColumns<Row>
    private let nextPage: Pages
    private var page: [Row] = []
    private var index = -1

    /// `nextPage` is nil after the last page; pages may be empty.
    init(_ columns: RowColumns<Row>, _ nextPage: @escaping Pages) {
        self.columns = columns
        self.nextPage = nextPage
    }

    /// A cursor over rows that are few.
    convenience init(_ columns: RowColumns<Row>, rows: [Row]) {
        var rest: [Row]? = rows
        self.init(columns) { () throws(StorageError) in
            defer { rest = nil }
            return rest
        }
    }

    func next() throws(StorageError) -> Bool {
        index += 1
        while index >= page.count {
            guard let next = try nextPage() else {
                page = []
                index = 0
                return false
            }
            page = next
            index = 0
        }
        return true
    }

    func value(_ column: Int) -> SQLValue {
        guard page.indices.contains(index) else { return .null }
        return columns.value(column, of: page[index])
    }
}
