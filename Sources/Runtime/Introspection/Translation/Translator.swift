/// Turns a query of the dialect that clients write into SQLite's SQL, and finds the types of its columns.
struct Translator {
    let tables: [String: TableSchema]
    /// What `now()` is, in milliseconds since 1970.
    let now: Int64

    /// The queries named by WITH, innermost last.
    private var named: [(name: String, columns: [OutputColumn])] = []
    private var derivedCount = 0

    init(tables: [String: TableSchema], now: Int64) {
        self.tables = tables
        self.now = now
    }

    /// The text for SQLite, and the columns of the answer.
    static func translate(
        _ query: Query, tables: [String: TableSchema], now: Int64
    ) throws(QueryError) -> (sql: String, columns: [OutputColumn]) {
        var translator = Translator(tables: tables, now: now)
        let translated = try translator.query(query, within: nil)
        for column in translated.columns {
            column.use.isUsed = true
            if column.type == .json {
                throw QueryError(
                    .query,
                    "Column '\(column.name)' is JSON ('->'), which has no type of its own. Use '->>' to get text.")
            }
        }
        return (translated.render(), translated.columns)
    }

    mutating func query(_ query: Query, within outer: Scope?) throws(QueryError) -> TranslatedQuery {
        let namedBefore = named.count
        defer { named.removeLast(named.count - namedBefore) }
        var definitions: [() -> String] = []
        for item in query.named {
            let inner = try self.query(item.query, within: outer)
            for column in inner.columns { column.use.isUsed = true }
            let columns = try Self.renamed(inner.columns, item.columns)
            named.append((item.name, columns))
            let names = columns.map { Self.quoted($0.name) }.joined(separator: ", ")
            definitions.append { "\(Self.quoted(item.name))(\(names)) AS (\(inner.render()))" }
        }
        var order = ""
        var tail = ""
        let body: TranslatedQuery
        if case .select(let select) = query.body {
            let scope = Scope(within: outer)
            body = try self.select(select, scope)
            order = try orderClause(query.order, body.columns, scope)
        } else {
            body = try combination(query.body, within: outer)
            order = try orderClause(query.order, body.columns, nil)
        }
        if let limit = query.limit { tail += " LIMIT \(try expression(limit, Scope(within: nil)).sql)" }
        if let offset = query.offset {
            if query.limit == nil { tail += " LIMIT -1" }
            tail += " OFFSET \(try expression(offset, Scope(within: nil)).sql)"
        }
        return TranslatedQuery(columns: body.columns) { [definitions, order, tail] in
            let text = body.render()
            let with = definitions.isEmpty ? "" : "WITH \(definitions.map { $0() }.joined(separator: ", ")) "
            return with + text + order + tail
        }
    }

    private static func renamed(
        _ columns: [OutputColumn], _ names: [String]
    ) throws(QueryError) -> [OutputColumn] {
        guard !names.isEmpty else { return columns }
        guard names.count == columns.count else {
            throw QueryError(.query, "\(names.count) names are given to \(columns.count) columns.")
        }
        return zip(columns, names).map { column, name in
            OutputColumn(name: name, type: column.type, isInvocationID: column.isInvocationID)
        }
    }

    // MARK: - Set operations

    private mutating func combination(_ body: Query.Body, within outer: Scope?) throws(QueryError) -> TranslatedQuery {
        switch body {
        case .select(let select):
            return try self.select(select, Scope(within: outer))
        case .nested(let query):
            return try self.query(query, within: outer)
        case .values(let rows):
            return try values(rows, within: outer)
        case .combined(let kind, let left, let right):
            let first = try operand(left, within: outer)
            let second = try operand(right, within: outer)
            guard first.columns.count == second.columns.count else {
                throw QueryError(
                    .query,
                    "\(kind.rawValue) needs two queries with as many columns; these have \(first.columns.count) and "
                        + "\(second.columns.count).")
            }
            for column in first.columns + second.columns { column.use.isUsed = true }
            let columns = zip(first.columns, second.columns).map {
                OutputColumn(name: $0.name, type: $0.type.united(with: $1.type), isInvocationID: $0.isInvocationID)
            }
            return TranslatedQuery(columns: columns) {
                "SELECT * FROM (\(first.render())) \(kind.rawValue) SELECT * FROM (\(second.render()))"
            }
        }
    }

    private mutating func operand(_ body: Query.Body, within outer: Scope?) throws(QueryError) -> TranslatedQuery {
        try combination(body, within: outer)
    }

    private mutating func values(_ rows: [[Expression]], within outer: Scope?) throws(QueryError) -> TranslatedQuery {
        var types = [SQLType](repeating: .null, count: rows.first?.count ?? 0)
        var texts: [String] = []
        for row in rows {
            guard row.count == types.count else { throw QueryError(.query, "The rows of VALUES differ in length.") }
            var values: [String] = []
            for (index, item) in row.enumerated() {
                let value = try expression(item, Scope(within: outer))
                types[index] = types[index].united(with: value.type)
                values.append(value.sql)
            }
            texts.append("(\(values.joined(separator: ", ")))")
        }
        let columns = types.enumerated().map { OutputColumn(name: "column\($0 + 1)", type: $1) }
        let names = columns.enumerated().map { "column\($0.offset + 1) AS \(Self.quoted($0.element.name))" }
        let text = "SELECT \(names.joined(separator: ", ")) FROM (VALUES \(texts.joined(separator: ", ")))"
        return TranslatedQuery(columns: columns) { text }
    }

    // MARK: - SELECT

    /// An item of a SELECT: what it computes, and for whom.
    private struct Item {
        let value: Typed
        let column: OutputColumn
        /// It came from `*`, so that it may be left out if nobody reads it.
        var isOptional = false
        /// The column of a derived table that it reads.
        var source: ColumnUse?
    }

    private mutating func select(_ select: Select, _ scope: Scope) throws(QueryError) -> TranslatedQuery {
        let source = try select.source.map { (source) throws(QueryError) in try self.source(source, scope) }
        var items: [Item] = []
        for item in select.items { items += try self.items(item, scope) }
        if items.isEmpty { throw QueryError(.query, "'*' needs a table. Write FROM and its name.") }
        for (index, item) in items.enumerated() where scope.aliases[item.column.name] == nil {
            scope.aliases[item.column.name] = items[index].value
        }
        var clauses = ""
        if let condition = select.condition {
            clauses += " WHERE \(try self.condition(condition, scope))"
        }
        if !select.groups.isEmpty {
            var groups: [String] = []
            for group in select.groups { groups.append(try groupTerm(group, items.map(\.value), scope)) }
            clauses += " GROUP BY \(groups.joined(separator: ", "))"
            scope.groups = Set(groups)
        }
        if let condition = select.groupCondition {
            clauses += " HAVING \(try self.condition(condition, scope, allowingAliases: true))"
        }
        try checkGroups(select, scope)
        let isDistinct = select.isDistinct
        return TranslatedQuery(columns: items.map(\.column)) { [items, clauses] in
            // The items first: what they use of derived tables must be known before those are rendered.
            let list = items.map { item in
                let isNeeded = item.column.use.isUsed || !item.isOptional || isDistinct
                if isNeeded { item.source?.isUsed = true }
                return "\(isNeeded ? item.value.sql : "NULL") AS \(Self.quoted(item.column.name))"
            }
            let from = source.map { " FROM \($0())" } ?? ""
            return "SELECT \(isDistinct ? "DISTINCT " : "")\(list.joined(separator: ", "))\(from)\(clauses)"
        }
    }

    private mutating func items(_ item: Select.Item, _ scope: Scope) throws(QueryError) -> [Item] {
        switch item {
        case .all:
            return scope.columns.filter { !$0.isRepeated }.map(Self.item)
        case .allOf(let table):
            let found = scope.columns.filter { $0.tables.contains(table) }
            guard !found.isEmpty else { throw .unknownTable(table) }
            return found.map(Self.item)
        case .expression(let expression, let alias):
            let value = try self.expression(expression, scope)
            var name = alias ?? value.label
            var tables: [String] = []
            if case .column(_, let columnName) = expression {
                name = alias ?? columnName
                if alias == nil, let column = try scope.column(table: nil, name: columnName, orNil: ()) {
                    tables = column.tables
                }
            }
            let column = OutputColumn(
                name: name, type: value.type, tables: tables, isInvocationID: value.isInvocationID,
                isNeverNull: value.isNeverNull)
            return [Item(value: value, column: column)]
        }
    }

    private static func item(_ column: ScopeColumn) -> Item {
        let output = OutputColumn(
            name: column.name, type: column.value.type, tables: column.tables,
            isInvocationID: column.value.isInvocationID, isNeverNull: column.value.isNeverNull)
        return Item(value: column.value, column: output, isOptional: true, source: column.use)
    }

    /// A column of the tables comes before a name of an item, and a number counts the items.
    private mutating func groupTerm(
        _ group: Expression, _ items: [Typed], _ scope: Scope
    ) throws(QueryError) -> String {
        if case .literal(.integer(let number)) = group {
            guard number >= 1, number <= UInt64(items.count) else {
                throw QueryError(.query, "GROUP BY \(number): there are \(items.count) columns.")
            }
            return items[Int(number) - 1].sql
        }
        return try expression(group, scope, allowingAliases: true).sql
    }

    /// An item's name comes before a column of the tables, and a number counts the items.
    private mutating func orderClause(
        _ terms: [OrderTerm], _ columns: [OutputColumn], _ scope: Scope?
    ) throws(QueryError) -> String {
        guard !terms.isEmpty else { return "" }
        var texts: [String] = []
        for term in terms {
            var text: String?
            switch term.expression {
            case .literal(.integer(let number)) where number >= 1 && number <= UInt64(columns.count):
                text = place(Int(number) - 1, columns, scope)
            case .column(nil, let name):
                text = columns.firstIndex { $0.name == name }.map { place($0, columns, scope) }
            default:
                break
            }
            if text == nil, let scope {
                try checkGrouped(term.expression, scope)
                text = try expression(term.expression, scope, allowingAliases: true).ordered
            }
            guard let text else {
                throw .unsupported("ORDER BY with expressions behind UNION, EXCEPT and INTERSECT: name a column")
            }
            texts.append(text + Self.direction(term))
        }
        return " ORDER BY \(texts.joined(separator: ", "))"
    }

    /// An item of the SELECT, as a criterion of its order.
    private func place(_ index: Int, _ columns: [OutputColumn], _ scope: Scope?) -> String {
        guard columns[index].type == .uint64, let value = scope?.aliases[columns[index].name] else {
            return "\(index + 1)"
        }
        return value.ordered
    }

    /// SQLite puts nulls first when ascending, the dialect puts them last.
    static func direction(_ term: OrderTerm) -> String {
        (term.isDescending ? " DESC" : " ASC") + (term.putsNullsFirst ? " NULLS FIRST" : " NULLS LAST")
    }

    // MARK: - FROM

    private mutating func source(_ source: Select.Source, _ scope: Scope) throws(QueryError) -> () -> String {
        switch source {
        case .table(let name, let alias):
            return try table(name, alias, scope)
        case .query(let query, let alias, let names):
            return try derived(query, alias, names, scope)
        case .join(let kind, let left, let right, let condition):
            let leftText = try self.source(left, scope)
            let leftCount = scope.columns.count
            let rightText = try self.source(right, scope)
            // Rows without a partner have nulls in the place of its columns.
            for index in scope.columns.indices where kind.fills(isLeft: index < leftCount) {
                scope.columns[index].value.isNeverNull = false
            }
            let on = try joinCondition(condition, leftCount, scope)
            return { "\(leftText()) \(kind.rawValue) \(rightText())\(on)" }
        }
    }

    private mutating func table(_ name: String, _ alias: String?, _ scope: Scope) throws(QueryError) -> () -> String {
        let columns: [(name: String, type: SQLType, isInvocationID: Bool, isNeverNull: Bool)]
        if let query = named.last(where: { $0.name == name }) {
            columns = query.columns.map { ($0.name, $0.type, $0.isInvocationID, false) }
        } else if let schema = tables[name] {
            columns = schema.columns.map { ($0.name, $0.type, $0.isInvocationID, !schema.isNullable($0)) }
        } else {
            throw .unknownTable(name)
        }
        let shown = alias ?? name
        try checkNew(shown, scope)
        for column in columns {
            let value = Typed(
                sql: "\(Self.quoted(shown)).\(Self.quoted(column.name))", type: column.type,
                label: "\(shown).\(column.name)", isInvocationID: column.isInvocationID,
                isNeverNull: column.isNeverNull)
            scope.columns.append(ScopeColumn(tables: [shown], name: column.name, value: value, use: nil))
        }
        return { "\(Self.quoted(name)) AS \(Self.quoted(shown))" }
    }

    private mutating func derived(
        _ query: Query, _ alias: String?, _ names: [String], _ scope: Scope
    ) throws(QueryError) -> () -> String {
        let inner = try self.query(query, within: nil)
        derivedCount += 1
        let shown = alias ?? "derived \(derivedCount)"
        if let alias { try checkNew(alias, scope) }
        let renamed = try Self.renamed(inner.columns, names)
        for (column, name) in zip(inner.columns, renamed.map(\.name)) {
            let value = Typed(
                sql: "\(Self.quoted(shown)).\(Self.quoted(name))", type: column.type,
                label: alias.map { "\($0).\(name)" } ?? name, isInvocationID: column.isInvocationID)
            // Without an alias the names of the tables inside stay visible, which the CLI counts on.
            scope.columns.append(
                ScopeColumn(tables: alias.map { [$0] } ?? column.tables, name: name, value: value, use: column.use))
        }
        guard names.isEmpty else {
            let list = zip(inner.columns, names).map { "\(Self.quoted($0.name)) AS \(Self.quoted($1))" }
            for column in inner.columns { column.use.isUsed = true }
            return { "(SELECT \(list.joined(separator: ", ")) FROM (\(inner.render()))) AS \(Self.quoted(shown))" }
        }
        return { "(\(inner.render())) AS \(Self.quoted(shown))" }
    }

    private func checkNew(_ name: String, _ scope: Scope) throws(QueryError) {
        if scope.columns.contains(where: { $0.tables.contains(name) }) {
            throw QueryError(.query, "Two tables are named '\(name)'. Give one of them another name with AS.")
        }
    }

    private mutating func joinCondition(
        _ condition: Select.JoinCondition, _ leftCount: Int, _ scope: Scope
    ) throws(QueryError) -> String {
        switch condition {
        case .none:
            return ""
        case .on(let expression):
            return " ON \(try self.condition(expression, scope))"
        case .natural:
            let right = Set(scope.columns[leftCount...].map(\.name))
            let shared = scope.columns[..<leftCount].map(\.name).filter(right.contains)
            return shared.isEmpty ? "" : try joinCondition(.using(shared), leftCount, scope)
        case .using(let names):
            var parts: [String] = []
            for name in names {
                guard let left = scope.columns[..<leftCount].first(where: { $0.name == name }),
                    let rightIndex = scope.columns[leftCount...].firstIndex(where: { $0.name == name })
                else { throw .unknownColumn(name, valid: scope.validNames) }
                let right = scope.columns[rightIndex]
                left.use?.isUsed = true
                right.use?.isUsed = true
                parts.append("\(left.value.sql) = \(right.value.sql)")
                // The name means the left one from now on; the other is still there with its table's name.
                scope.columns[rightIndex] = ScopeColumn(
                    tables: right.tables, name: "\(right.tables.first ?? "").\(name)", value: right.value,
                    use: right.use, isRepeated: true)
            }
            return " ON \(parts.joined(separator: " AND "))"
        }
    }

    // MARK: - Text

    /// A name in double quotes.
    static func quoted(_ name: String) -> String {
        // A zero byte would end the text of the query.
        "\"\(name.replacing("\0", with: "").replacing("\"", with: "\"\""))\""
    }

    /// A string literal.
    static func literal(_ text: String) -> String {
        // SQLite's text ends at a zero byte, which no stored text has.
        "'\(text.replacing("\0", with: "").replacing("'", with: "''"))'"
    }
}

extension Scope {
    /// The column of this SELECT with this name, or nil, also if there are several.
    fileprivate func column(table: String?, name: String, orNil: Void) throws(QueryError) -> ScopeColumn? {
        let found = columns.filter { $0.name == name }
        return found.count == 1 ? found[0] : nil
    }
}
