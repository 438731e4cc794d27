/// Reads a statement, by recursive descent: each function reads what its name says, and leaves the rest.
struct Parser {
    /// What a statement asks for.
    enum Statement: Sendable {
        case query(Query)
        /// A setting or a prepared query, which is accepted and has no effect.
        case setting
    }

    /// How deep a query may be nested; reading and translating it take stack for each level.
    static let depthMax = 60
    /// How many operators may follow each other without parentheses.
    static let chainMax = 500

    private let tokens: [Token]
    private var index = 0
    private var depth = 0

    static func statement(_ text: String) throws(QueryError) -> Statement {
        var parser = Parser(tokens: try Lexer.tokens(of: text))
        let statement = try parser.statement()
        while parser.take(symbol: ";") {}
        guard parser.current.kind == .end else { throw .syntax("the end of the query", found: parser.current) }
        return statement
    }

    private init(tokens: [Token]) {
        self.tokens = tokens
    }

    private mutating func statement() throws(QueryError) -> Statement {
        guard current.kind == .word else {
            if isNext("(") { return .query(try query()) }
            throw .syntax("a statement", found: current)
        }
        switch current.text {
        case "select", "with", "values":
            return .query(try query())
        case "show":
            return .query(try show())
        case "describe", "desc":
            advance()
            _ = take("table")
            return .query(Self.columns(of: try tableName()))
        case "set", "prepare":
            // Upstream takes these too; here each query stands for itself.
            while current.kind != .end, !isNext(";") { advance() }
            return .setting
        case "insert", "update", "delete", "create", "drop", "alter", "truncate", "copy", "merge", "attach", "detach",
            "pragma", "vacuum", "begin", "commit", "rollback", "grant", "use", "call", "load", "reindex":
            throw .readOnly(current.text)
        case "explain":
            throw .unsupported("EXPLAIN")
        default:
            throw .syntax("a statement", found: current)
        }
    }

    private mutating func show() throws(QueryError) -> Query {
        advance()
        if take("tables") {
            return Query(body: .select(Select(items: [.all], source: .table(name: Catalog.tables, alias: nil))))
        }
        try expect("columns")
        guard take("from") || take("in") else { throw .syntax("FROM and a table", found: current) }
        return Self.columns(of: try tableName())
    }

    private static func columns(of table: String) -> Query {
        let items = ["column_name", "data_type", "is_nullable"].map {
            Select.Item.expression(.column(table: nil, name: $0), alias: nil)
        }
        let condition = Expression.binary(.equal, .column(table: nil, name: "table_name"), .literal(.string(table)))
        let source = Select.Source.table(name: Catalog.columns, alias: nil)
        return Query(body: .select(Select(items: items, source: source, condition: condition)))
    }

    // MARK: - Queries

    mutating func query() throws(QueryError) -> Query {
        try enter()
        defer { depth -= 1 }
        var named: [NamedQuery] = []
        if take("with") {
            if take("recursive") { throw .unsupported("WITH RECURSIVE") }
            repeat {
                let name = try name("a name for a query")
                let columns = isNext("(") ? try nameList() : []
                try expect("as")
                try expect(symbol: "(")
                named.append(NamedQuery(name: name, columns: columns, query: try query()))
                try expect(symbol: ")")
            } while take(symbol: ",")
        }
        var query = Query(named: named, body: try combination())
        if take("order") {
            try expect("by")
            query.order = try orderTerms()
        }
        while true {
            if take("limit") {
                if !take("all") { query.limit = try expression() }
                if take(symbol: ",") {
                    // MySQL's spelling: what is left out comes first.
                    query.offset = query.limit
                    query.limit = try expression()
                }
            } else if take("offset") {
                query.offset = try expression()
                _ = take("rows") || take("row")
            } else {
                return query
            }
        }
    }

    /// Bodies joined by UNION and EXCEPT, which bind less tightly than INTERSECT.
    private mutating func combination() throws(QueryError) -> Query.Body {
        var body = try intersection()
        var count = 0
        while current.kind == .word, let kind = Query.SetOperator(rawValue: current.text.uppercased()),
            kind == .union || kind == .except
        {
            advance()
            count += 1
            guard count < Self.depthMax else { throw .tooDeep(Self.depthMax) }
            let isAll = take("all")
            _ = take("distinct")
            if isAll, kind == .except { throw .unsupported("EXCEPT ALL") }
            body = .combined(isAll ? .unionAll : kind, body, try intersection())
        }
        return body
    }

    private mutating func intersection() throws(QueryError) -> Query.Body {
        var body = try simpleBody()
        var count = 0
        while take("intersect") {
            count += 1
            guard count < Self.depthMax else { throw .tooDeep(Self.depthMax) }
            if take("all") { throw .unsupported("INTERSECT ALL") }
            body = .combined(.intersect, body, try simpleBody())
        }
        return body
    }

    private mutating func simpleBody() throws(QueryError) -> Query.Body {
        if take(symbol: "(") {
            let query = try query()
            try expect(symbol: ")")
            return .nested(query)
        }
        if take("values") {
            var rows: [[Expression]] = []
            repeat {
                try expect(symbol: "(")
                rows.append(try expressions())
                try expect(symbol: ")")
            } while take(symbol: ",")
            return .values(rows)
        }
        try expect("select")
        return .select(try select())
    }

    private mutating func select() throws(QueryError) -> Select {
        var select = Select()
        select.isDistinct = take("distinct")
        if select.isDistinct, isNext("on") { throw .unsupported("DISTINCT ON") }
        if !select.isDistinct { _ = take("all") }
        repeat { select.items.append(try item()) } while take(symbol: ",")
        if take("from") { select.source = try sources() }
        if take("where") { select.condition = try expression() }
        if take("group") {
            try expect("by")
            if take("all") {
                // Whatever is no aggregate; these are known as soon as all items are.
                select.groups = select.items.enumerated().compactMap { index, item in
                    guard case .expression(let expression, _) = item, !expression.hasAggregate else { return nil }
                    return .literal(.integer(UInt64(index) + 1))
                }
            } else if isNext("rollup") || isNext("cube") || isNext("grouping") {
                throw .unsupported("GROUP BY \(current.text.uppercased())")
            } else {
                select.groups = try expressions()
            }
        }
        if take("having") { select.groupCondition = try expression() }
        if isNext("qualify") || isNext("fetch") || isNext("window") {
            throw .unsupported(current.text.uppercased())
        }
        return select
    }

    private mutating func item() throws(QueryError) -> Select.Item {
        if take(symbol: "*") { return .all }
        if current.isName, following(1).text == ".", following(2).text == "*", following(2).kind == .symbol {
            let table = current.text
            advance(3)
            return .allOf(table: table)
        }
        let expression = try expression()
        if take("as") { return .expression(expression, alias: try name("a name")) }
        return .expression(expression, alias: try alias())
    }

    /// A name that follows without AS.
    private mutating func alias() throws(QueryError) -> String? {
        if current.kind == .quotedWord || (current.kind == .word && !Self.reserved.contains(current.text)) {
            return try name("a name")
        }
        return nil
    }

    // MARK: - FROM

    private mutating func sources() throws(QueryError) -> Select.Source {
        var source = try joined()
        var count = 0
        while take(symbol: ",") {
            count += 1
            guard count < Self.depthMax else { throw .tooDeep(Self.depthMax) }
            source = .join(.cross, source, try joined(), .none)
        }
        return source
    }

    private mutating func joined() throws(QueryError) -> Select.Source {
        var source = try singleSource()
        var count = 0
        while true {
            let isNatural = take("natural")
            guard let join = try joinKind() else {
                guard !isNatural else { throw .syntax("JOIN", found: current) }
                break
            }
            count += 1
            guard count < Self.depthMax else { throw .tooDeep(Self.depthMax) }
            let right = try singleSource()
            var condition = Select.JoinCondition.none
            if isNatural {
                condition = .natural
            } else if take("on") {
                condition = .on(try expression())
            } else if take("using") {
                condition = .using(try nameList())
            } else if join != .cross {
                throw .syntax("ON or USING", found: current)
            }
            source = .join(join, source, right, condition)
        }
        return source
    }

    private mutating func joinKind() throws(QueryError) -> Select.Join? {
        if take("join") { return .inner }
        if take("inner") {
            try expect("join")
            return .inner
        }
        if take("cross") {
            try expect("join")
            return .cross
        }
        for (word, join) in [("left", Select.Join.left), ("right", .right), ("full", .full)] where take(word) {
            if isNext("semi") || isNext("anti") {
                throw .unsupported("\(word.uppercased()) \(current.text.uppercased()) JOIN")
            }
            _ = take("outer")
            try expect("join")
            return join
        }
        return nil
    }

    private mutating func singleSource() throws(QueryError) -> Select.Source {
        try enter()
        defer { depth -= 1 }
        if isNext("lateral") || isNext("unnest") { throw .unsupported(current.text.uppercased()) }
        guard take(symbol: "(") else {
            let table = try tableName()
            if isNext("(") { throw .unsupported("table function '\(table)'") }
            _ = take("as")
            return .table(name: table, alias: try alias())
        }
        if isNext("select") || isNext("with") || isNext("values") || isNext("(") {
            let query = try query()
            try expect(symbol: ")")
            _ = take("as")
            let alias = try alias()
            return .query(query, alias: alias, columns: alias != nil && isNext("(") ? try nameList() : [])
        }
        let source = try sources()
        try expect(symbol: ")")
        return source
    }

    /// A table's name, without the catalog and schema before it; those of `information_schema` keep theirs.
    private mutating func tableName() throws(QueryError) -> String {
        var parts = [try name("a table")]
        while take(symbol: ".") { parts.append(try name("a table")) }
        let name = parts.removeLast()
        let schema = parts.popLast() ?? Catalog.usualSchema
        guard parts.isEmpty || parts == [Catalog.name], schema == Catalog.usualSchema || schema == Catalog.schema else {
            throw .unknownTable((parts + [schema, name]).joined(separator: "."))
        }
        return schema == Catalog.schema ? "\(schema).\(name)" : name
    }

    private mutating func nameList() throws(QueryError) -> [String] {
        try expect(symbol: "(")
        var names: [String] = []
        repeat { names.append(try name("a column")) } while take(symbol: ",")
        try expect(symbol: ")")
        return names
    }

    mutating func orderTerms() throws(QueryError) -> [OrderTerm] {
        var terms: [OrderTerm] = []
        repeat {
            var term = OrderTerm(expression: try expression())
            if take("desc") { term.isDescending = true } else { _ = take("asc") }
            if take("nulls") {
                term.areNullsFirst = take("first")
                if term.areNullsFirst == false { try expect("last") }
            }
            terms.append(term)
        } while take(symbol: ",")
        return terms
    }

    // MARK: - Tokens

    var current: Token { tokens[index] }

    func following(_ ahead: Int) -> Token { tokens[min(index + ahead, tokens.count - 1)] }

    mutating func advance(_ count: Int = 1) {
        index = min(index + count, tokens.count - 1)
    }

    func isNext(_ text: String) -> Bool {
        (current.kind == .word || current.kind == .symbol) && current.text == text
    }

    mutating func take(_ word: String) -> Bool {
        guard current.kind == .word, current.text == word else { return false }
        advance()
        return true
    }

    mutating func take(symbol: String) -> Bool {
        guard current.kind == .symbol, current.text == symbol else { return false }
        advance()
        return true
    }

    mutating func expect(_ word: String) throws(QueryError) {
        guard take(word) else { throw .syntax(word.uppercased(), found: current) }
    }

    mutating func expect(symbol: String) throws(QueryError) {
        guard take(symbol: symbol) else { throw .syntax("'\(symbol)'", found: current) }
    }

    mutating func name(_ what: String) throws(QueryError) -> String {
        guard current.isName else { throw .syntax(what, found: current) }
        defer { advance() }
        return current.text
    }

    mutating func enter() throws(QueryError) {
        depth += 1
        guard depth <= Self.depthMax else { throw .tooDeep(Self.depthMax) }
    }

    mutating func leave() { depth -= 1 }

    /// Words that follow an expression or a table, so that they are no alias.
    private static let reserved: Set<String> = [
        "from", "where", "group", "order", "having", "limit", "offset", "union", "except", "intersect", "on", "join",
        "left", "right", "full", "inner", "outer", "cross", "natural", "using", "as", "and", "or", "not", "in", "is",
        "like", "ilike", "between", "case", "when", "then", "else", "end", "asc", "desc", "nulls", "fetch", "over",
        "filter", "with", "select", "distinct", "by", "qualify", "window", "similar", "lateral", "tablesample", "for",
        "escape", "values", "semi", "anti",
    ]
}

extension Token {
    var isName: Bool { kind == .word || kind == .quotedWord }
}
