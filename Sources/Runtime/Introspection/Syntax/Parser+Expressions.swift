extension Parser {
    mutating func expression() throws(QueryError) -> Expression {
        try expression(above: 0)
    }

    mutating func expressions() throws(QueryError) -> [Expression] {
        var found = [try expression()]
        while take(symbol: ",") { found.append(try expression()) }
        return found
    }

    /// An expression whose operators bind more tightly than `precedence`.
    private mutating func expression(above precedence: Int) throws(QueryError) -> Expression {
        try enter()
        defer { leave() }
        var left = try prefixed()
        var count = 0
        while true {
            if let symbol = binaryOperator(), symbol.precedence > precedence {
                advance()
                left = .binary(symbol, left, try expression(above: symbol.precedence))
            } else if precedence < 5, let tested = try test(of: left) {
                left = tested
            } else {
                return left
            }
            count += 1
            guard count <= Self.chainMax else { throw .tooDeep(Self.chainMax) }
        }
    }

    private func binaryOperator() -> Expression.BinaryOperator? {
        switch (current.kind, current.text) {
        case (.symbol, "=="): .equal
        case (.symbol, "<>"): .notEqual
        case (.symbol, let text): Expression.BinaryOperator(rawValue: text)
        case (.word, "and"): .and
        case (.word, "or"): .or
        default: nil
        }
    }

    private mutating func prefixed() throws(QueryError) -> Expression {
        if take("not") { return .unary(.not, try expression(above: 2)) }
        if take(symbol: "-") { return .unary(.minus, try expression(above: 8)) }
        if take(symbol: "+") { return .unary(.plus, try expression(above: 8)) }
        var value = try primary()
        while true {
            if take(symbol: "::") {
                value = .cast(value, to: try typeName(), orNull: false)
            } else if take(symbol: "[") {
                value = .call(FunctionCall(name: "array_element", arguments: [value, try expression()]))
                try expect(symbol: "]")
            } else {
                return value
            }
        }
    }

    /// What stands between a comparison and AND: IS, IN, BETWEEN, LIKE.
    private mutating func test(of left: Expression) throws(QueryError) -> Expression? {
        if take("is") {
            let negated = take("not")
            if take("null") { return .isNull(left, negated: negated) }
            if take("true") { return .isTruth(left, .true, negated: negated) }
            if take("false") { return .isTruth(left, .false, negated: negated) }
            if take("unknown") { return .isTruth(left, .unknown, negated: negated) }
            try expect("distinct")
            try expect("from")
            return .isDistinct(left, try expression(above: 4), negated: negated)
        }
        let negated = isNext("not") && ["in", "between", "like", "ilike"].contains(following(1).text)
        if negated { advance() }
        if take("in") { return try inList(left, negated) }
        if take("between") {
            let lower = try expression(above: 5)
            try expect("and")
            return .between(left, lower, try expression(above: 5), negated: negated)
        }
        if isNext("like") || isNext("ilike") {
            let ignoringCase = current.text == "ilike"
            advance()
            let pattern = try expression(above: 5)
            let escape = take("escape") ? try expression(above: 5) : nil
            return .like(left, pattern: pattern, escape: escape, ignoringCase: ignoringCase, negated: negated)
        }
        if isNext("similar") || isNext("~") { throw .unsupported("regular expressions") }
        return nil
    }

    private mutating func inList(_ left: Expression, _ negated: Bool) throws(QueryError) -> Expression {
        try expect(symbol: "(")
        defer { _ = take(symbol: ")") }
        if isNext("select") || isNext("with") { return .inQuery(left, try query(), negated: negated) }
        let list = try expressions()
        guard isNext(")") else { throw .syntax("')'", found: current) }
        return .inList(left, list, negated: negated)
    }

    private mutating func primary() throws(QueryError) -> Expression {
        let token = current
        switch token.kind {
        case .number:
            advance()
            return .literal(try Self.number(token))
        case .string:
            advance()
            return .literal(.string(token.text))
        case .bytes:
            advance()
            guard let bytes = Hexadecimal.bytes(token.text) else {
                throw .unreadable("bytes that are not hexadecimal", at: token.position)
            }
            return .literal(.bytes(bytes))
        case .symbol:
            return try parenthesized()
        case .quotedWord:
            return try column()
        case .word:
            return try wordPrimary(token)
        case .end:
            throw .syntax("an expression", found: token)
        }
    }

    private static func number(_ token: Token) throws(QueryError) -> Expression.Literal {
        if let integer = UInt64(token.text) { return .integer(integer) }
        guard let double = Double(token.text), double.isFinite else {
            throw .unreadable("'\(token.text)', which is no number,", at: token.position)
        }
        return .double(double)
    }

    private mutating func parenthesized() throws(QueryError) -> Expression {
        if take(symbol: "[") {
            let elements = isNext("]") ? [] : try expressions()
            try expect(symbol: "]")
            return .call(FunctionCall(name: "make_array", arguments: elements))
        }
        guard take(symbol: "(") else { throw .syntax("an expression", found: current) }
        let inner: Expression = isNext("select") || isNext("with") ? .scalar(try query()) : try expression()
        try expect(symbol: ")")
        return inner
    }

    private mutating func wordPrimary(_ token: Token) throws(QueryError) -> Expression {
        let isCall = following(1).kind == .symbol && following(1).text == "("
        switch token.text {
        case "null", "true", "false":
            advance()
            return .literal(token.text == "null" ? .null : .boolean(token.text == "true"))
        case "case":
            return try choice()
        case "interval":
            if let literal = try interval() { return literal }
        case "timestamp", "date":
            if following(1).kind == .string {
                advance(2)
                let text = tokensBehind()
                return .cast(.literal(.string(text)), to: token.text == "date" ? .date : .localTimestamp, orNull: false)
            }
        case "cast", "try_cast":
            if isCall { return try cast(orNull: token.text == "try_cast") }
        case "exists":
            if isCall {
                advance(2)
                let query = try query()
                try expect(symbol: ")")
                return .exists(query)
            }
        case "current_timestamp", "current_date":
            if !isCall {
                advance()
                return .call(FunctionCall(name: token.text))
            }
        case "extract", "position", "substring", "trim":
            if isCall, let call = try spelledOutCall(token.text) { return call }
        case "select", "from", "where", "group", "order", "having", "limit", "union", "and", "or", "then", "when",
            "end":
            throw .syntax("an expression", found: token)
        default:
            break
        }
        return isCall ? try call() : try column()
    }

    /// The text of the token before the current one.
    private func tokensBehind() -> String { following(-1).text }

    private mutating func column() throws(QueryError) -> Expression {
        var parts = [try name("a column")]
        while current.text == ".", current.kind == .symbol {
            advance()
            parts.append(try name("a column"))
        }
        // A catalog and a schema before the table say nothing: there is one of each.
        return .column(table: parts.count > 1 ? parts[parts.count - 2] : nil, name: parts[parts.count - 1])
    }

    private mutating func choice() throws(QueryError) -> Expression {
        advance()
        let operand = isNext("when") ? nil : try expression()
        var branches: [(when: Expression, then: Expression)] = []
        while take("when") {
            let condition = try expression()
            try expect("then")
            branches.append((condition, try expression()))
        }
        guard !branches.isEmpty else { throw .syntax("WHEN", found: current) }
        let otherwise = take("else") ? try expression() : nil
        try expect("end")
        return .choice(of: operand, branches, otherwise: otherwise)
    }

    /// `INTERVAL '1 hour'` or `INTERVAL '1' HOUR`; nil when `interval` is a name here.
    private mutating func interval() throws(QueryError) -> Expression? {
        let amount = following(1)
        guard amount.kind == .string || amount.kind == .number else { return nil }
        advance(2)
        if let whole = Interval(parsing: amount.text) { return .literal(.interval(whole)) }
        let text = "\(amount.text) \(current.text)"
        guard current.kind == .word, let interval = Interval(parsing: text) else {
            throw .unreadableInterval(amount.text)
        }
        advance()
        return .literal(.interval(interval))
    }

    private mutating func cast(orNull: Bool) throws(QueryError) -> Expression {
        advance(2)
        let value = try expression()
        try expect("as")
        let type = try typeName()
        try expect(symbol: ")")
        return .cast(value, to: type, orNull: orNull)
    }

    /// Calls with words between their arguments; nil if this one has commas.
    private mutating func spelledOutCall(_ name: String) throws(QueryError) -> Expression? {
        let start = self
        advance(2)
        switch name {
        case "extract":
            let field = try self.name("a field such as HOUR")
            try expect("from")
            let value = try expression()
            try expect(symbol: ")")
            return .call(FunctionCall(name: "date_part", arguments: [.literal(.string(field)), value]))
        case "position":
            let part = try expression(above: 5)
            if take("in") {
                let text = try expression()
                try expect(symbol: ")")
                return .call(FunctionCall(name: "strpos", arguments: [text, part]))
            }
        case "substring":
            var arguments = [try expression()]
            if take("from") {
                arguments.append(try expression())
                if take("for") { arguments.append(try expression()) }
                try expect(symbol: ")")
                return .call(FunctionCall(name: "substr", arguments: arguments))
            }
        case "trim":
            let sides = ["both": "btrim", "leading": "ltrim", "trailing": "rtrim"]
            if let function = sides[current.text], current.kind == .word,
                !["(", ".", ",", ")"].contains(following(1).text)
            {
                advance()
                let characters = isNext("from") ? [] : [try expression()]
                try expect("from")
                let text = try expression()
                try expect(symbol: ")")
                return .call(FunctionCall(name: function, arguments: [text] + characters))
            }
        default:
            break
        }
        self = start
        return nil
    }

    private mutating func call() throws(QueryError) -> Expression {
        var call = FunctionCall(name: try name("a function"))
        try expect(symbol: "(")
        if take(symbol: "*") {
            call.isOfAllRows = true
        } else if !isNext(")") {
            call.isDistinct = take("distinct")
            call.arguments = try expressions()
            if take("order") {
                try expect("by")
                call.order = try orderTerms()
            }
        }
        try expect(symbol: ")")
        if take("within") { try group(&call) }
        if take("filter") {
            try expect(symbol: "(")
            try expect("where")
            call.filter = try expression()
            try expect(symbol: ")")
        }
        if take("over") { call.window = try window() }
        return .call(call)
    }

    /// `percentile_cont(0.5) WITHIN GROUP (ORDER BY x)`: the column is an argument like any other here.
    private mutating func group(_ call: inout FunctionCall) throws(QueryError) {
        try expect("group")
        try expect(symbol: "(")
        try expect("order")
        try expect("by")
        let term = OrderTerm(expression: try expression(), isDescending: take("desc"))
        if !term.isDescending { _ = take("asc") }
        try expect(symbol: ")")
        guard let share = call.arguments.first, call.name.hasSuffix("percentile_cont") else {
            throw .unsupported("WITHIN GROUP for '\(call.name)'")
        }
        call.arguments = [
            term.expression, term.isDescending ? .binary(.minus, .literal(.double(1)), share) : share,
        ]
    }

    private mutating func window() throws(QueryError) -> Window {
        var window = Window()
        try expect(symbol: "(")
        if take("partition") {
            try expect("by")
            window.partition = try expressions()
        }
        if take("order") {
            try expect("by")
            window.order = try orderTerms()
        }
        while current.kind == .word || current.kind == .number {
            window.frame += " \(current.text)"
            advance()
        }
        try expect(symbol: ")")
        return window
    }

    private mutating func typeName() throws(QueryError) -> SQLType {
        let word = try name("a type")
        let modifiers = try typeModifiers()
        switch word {
        case "bigint", "int8", "int", "integer", "int4", "smallint", "int2", "tinyint":
            return modifiers.contains("unsigned") ? (word == "bigint" || word == "int8" ? .uint64 : .uint32) : .int64
        case "double", "float", "real", "decimal", "numeric", "float4", "float8": return .double
        case "varchar", "text", "string", "char", "character", "nvarchar", "utf8": return .string
        case "boolean", "bool": return .boolean
        case "timestamp", "datetime": return modifiers.contains("zone") ? .timestamp : .localTimestamp
        case "timestamptz": return .timestamp
        case "date": return .date
        case "bytea", "blob", "binary", "varbinary": return .binary
        default: throw .unsupported("type '\(word)'")
        }
    }

    /// Words and numbers behind a type that say more of it.
    private mutating func typeModifiers() throws(QueryError) -> [String] {
        var words: [String] = []
        while true {
            if isNext("("), following(1).kind == .number {
                while !isNext(")"), current.kind != .end { advance() }
                try expect(symbol: ")")
            } else if isNext("unsigned") || isNext("precision") || isNext("varying") {
                words.append(current.text)
                advance()
            } else if isNext("with") || isNext("without"), following(1).text == "time", following(2).text == "zone" {
                if isNext("with") { words.append("zone") }
                advance(3)
            } else {
                return words
            }
        }
    }
}
