import HoldfastEngine

/// The tables that describe the tables.
enum Catalog {
    static let schema = "information_schema"
    static let columns = "information_schema.columns"
    static let tables = "information_schema.tables"

    static let schemas: [TableSchema] = [
        TableSchema(
            columns, keys: ["table_name"],
            [
                .text("table_catalog"), .text("table_schema"), .text("table_name"), .text("column_name"),
                .uint64("ordinal_position"), .text("column_default"), .text("is_nullable"), .text("data_type"),
            ]),
        TableSchema(
            tables, keys: ["table_name"],
            [.text("table_catalog"), .text("table_schema"), .text("table_name"), .text("table_type")]),
    ]

    /// The rows of one of the two tables.
    static func rows(of table: TableSchema, describing described: [TableSchema]) -> ListCursor {
        var rows: [[SQLValue]] = []
        for schema in described {
            let place: [SQLValue] = [.text("restate"), .text("public"), .text(schema.name)]
            if table.name == tables {
                rows.append(place + [.text(schema.name == TableSchema.invocation.name ? "VIEW" : "BASE TABLE")])
                continue
            }
            for (index, column) in schema.columns.enumerated() {
                let isNullable = schema.name != TableSchema.invocation.name || column.name != "status"
                rows.append(
                    place + [
                        .text(column.name), .unsigned(UInt64(index + 1)), .null, .text(isNullable ? "YES" : "NO"),
                        .text(column.type.name),
                    ])
            }
        }
        return ListCursor(rows)
    }
}

/// Rows that are all there already.
public final class ListCursor: RowCursor {
    private let rows: [[SQLValue]]
    private var index = -1

    /// A cursor over rows, each with a value for each column of its table.
    public init(_ rows: [[SQLValue]]) {
        self.rows = rows
    }

    /// Goes to the next row.
    public func next() -> Bool {
        index += 1
        return index < rows.count
    }

    /// The value of a column; columns that the row lacks are null.
    public func value(_ column: Int) -> SQLValue {
        rows.indices.contains(index) && column < rows[index].count ? rows[index][column] : .null
    }
}
