/// Tells whether anybody reads a column of a derived table; if not, it is not computed.
final class ColumnUse {
    var isUsed = false
}

/// A column that an expression can name.
struct ScopeColumn {
    /// The names that may stand before it.
    let tables: [String]
    let name: String
    var value: Typed
    let use: ColumnUse?
    /// Whether it says what another column says, so that `*` leaves it out.
    var isRepeated = false
}

/// An expression in SQLite's SQL.
struct Typed {
    var sql: String
    var type: SQLType
    /// How upstream names a column of this expression that has no name of its own.
    var label: String
    var isInvocationID = false
    /// Whether it is known to be never null, as a count or a literal.
    var isNeverNull = false
    /// The whole number that it is, if that was written down.
    var number: Int64?
    /// The text, if it is a string literal.
    var literal: String?
    var interval: Interval?

    /// Whether it is a number that was written down and may stand beside an unsigned one.
    var isNaturalNumber: Bool { (number ?? -1) >= 0 }

    /// What SQLite can sort and compare: its own integers are signed.
    var ordered: String { type == .uint64 ? "hf_order(\(sql), 1)" : sql }
}

/// What expressions of one SELECT can name, and what those around it can.
final class Scope {
    var columns: [ScopeColumn] = []
    /// The names that SELECT gave to its items.
    var aliases: [String: Typed] = [:]
    /// What rows are grouped by, in SQLite's SQL; nil if they are not grouped.
    var groups: Set<String>?
    let outer: Scope?

    init(within outer: Scope?) {
        self.outer = outer
    }

    /// The column with this name; nil if there is none.
    func column(table: String?, name: String) throws(QueryError) -> ScopeColumn? {
        let found = columns.filter { column in
            column.name == name && (table.map { column.tables.contains($0) } ?? true)
        }
        if found.count > 1 { throw .ambiguousColumn(name) }
        if let column = found.first {
            column.use?.isUsed = true
            return column
        }
        return try outer?.column(table: table, name: name)
    }

    /// For the message about a name that is not there.
    var validNames: [String] {
        columns.map { column in (column.tables.first.map { "\($0)." } ?? "") + column.name }
    }
}

/// A column of a query's answer.
struct OutputColumn {
    let name: String
    let type: SQLType
    /// The names that may stand before it outside of a derived table that has no alias.
    var tables: [String] = []
    var isInvocationID = false
    /// Whether it is known to be never null.
    var isNeverNull = false
    let use = ColumnUse()
}

/// A query in SQLite's SQL. Its text is made last, when it is known which columns are used.
struct TranslatedQuery {
    var columns: [OutputColumn]
    let render: () -> String
}
