import HoldfastEngine

/// The tables that describe the tables.
enum Catalog {
    static let schema = "information_schema"
    static let columns = "information_schema.columns"
    static let tables = "information_schema.tables"

    static let schemata = "information_schema.schemata"
    static let views = "information_schema.views"
    /// What stands before the schema in whole names.
    static let name = "restate"
    /// The schema of all other tables.
    static let usualSchema = "public"

    static let schemas: [TableSchema] = [
        TableSchema(
            columns, keys: ["table_name"],
            [
                .text("table_catalog"), .text("table_schema"), .text("table_name"), .text("column_name"),
                .uint64("ordinal_position"), .text("column_default"), .text("is_nullable"), .text("data_type"),
                .uint64("character_maximum_length"), .uint64("character_octet_length"), .uint64("numeric_precision"),
                .uint64("numeric_precision_radix"), .uint64("numeric_scale"), .uint64("datetime_precision"),
                .text("interval_type"),
            ]),
        TableSchema(
            schemata,
            [
                .text("catalog_name"), .text("schema_name"), .text("schema_owner"),
                .text("default_character_set_catalog"), .text("default_character_set_schema"),
                .text("default_character_set_name"), .text("sql_path"),
            ]),
        TableSchema(
            views, keys: ["table_name"],
            [.text("table_catalog"), .text("table_schema"), .text("table_name"), .text("definition")]),
        TableSchema(
            tables, keys: ["table_name"],
            [.text("table_catalog"), .text("table_schema"), .text("table_name"), .text("table_type")]),
    ]

    /// The rows of one of these tables.
    static func rows(of table: TableSchema, describing described: [TableSchema]) -> ListCursor {
        switch table.name {
        case tables: ListCursor(described.map(tableRow) + schemas.map(tableRow))
        case columns: ListCursor(described.flatMap(columnRows))
        case schemata: ListCursor([schema, usualSchema].map { [.text(name), .text($0)] })
        default: ListCursor(([TableSchema.invocation] + schemas).map(place))
        }
    }

    private static func place(of table: TableSchema) -> [SQLValue] {
        let parts = table.name.split(separator: ".")
        return [.text(name), .text(parts.count > 1 ? schema : usualSchema), .text(String(parts.last ?? ""))]
    }

    private static func tableRow(_ table: TableSchema) -> [SQLValue] {
        let isView = table.name == TableSchema.invocation.name || schemas.contains { $0.name == table.name }
        return place(of: table) + [.text(isView ? "VIEW" : "BASE TABLE")]
    }

    private static func columnRows(of table: TableSchema) -> [[SQLValue]] {
        table.columns.enumerated().map { index, column in
            let sizes: [SQLValue] =
                switch column.type {
                case .string, .binary: [.null, .unsigned(UInt64(Int64.max)), .null, .null]
                case .uint32: [.null, .null, .unsigned(32), .unsigned(2)]
                case .uint64: [.null, .null, .unsigned(64), .unsigned(2)]
                default: []
                }
            return place(of: table) + [
                .text(column.name), .unsigned(UInt64(index + 1)), .null, .text(table.isNullable(column) ? "YES" : "NO"),
                .text(column.type.name),
            ] + sizes
        }
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
