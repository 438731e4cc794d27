import HoldfastWire

extension Translator {
    /// An expression that decides something: text in its place is read as a boolean.
    mutating func condition(
        _ expression: Expression, _ scope: Scope, allowingAliases: Bool = false
    ) throws(QueryError) -> String {
        let value = try self.expression(expression, scope, allowingAliases: allowingAliases)
        guard value.type == .boolean || value.type.isNumber else {
            throw QueryError(.query, "A condition must be true or false; '\(value.label)' is \(value.type.name).")
        }
        return value.sql
    }

    mutating func expression(
        _ expression: Expression, _ scope: Scope, allowingAliases: Bool = false
    ) throws(QueryError) -> Typed {
        let translate = { (inner: Expression, translator: inout Translator) throws(QueryError) in
            try translator.expression(inner, scope, allowingAliases: allowingAliases)
        }
        switch expression {
        case .literal(let literal):
            return Self.literal(literal)
        case .column(let table, let name):
            return try column(table, name, scope, allowingAliases)
        case .unary(.minus, .literal(let literal)) where literal.isNumber:
            return Self.negative(literal)
        case .unary(let symbol, let operand):
            return try unary(symbol, try translate(operand, &self))
        case .binary(let symbol, let left, let right):
            return try binary(symbol, try translate(left, &self), try translate(right, &self))
        case .isNull(let operand, let negated):
            let value = try translate(operand, &self)
            let words = negated ? "IS NOT NULL" : "IS NULL"
            return Typed(sql: "(\(value.sql) \(words))", type: .boolean, label: "\(value.label) \(words)")
        case .isTruth(let operand, let truth, let negated):
            let value = try translate(operand, &self)
            let words = (negated ? "IS NOT " : "IS ") + truth.rawValue.uppercased()
            let sql = truth == .unknown ? (negated ? "IS NOT NULL" : "IS NULL") : words
            return Typed(sql: "(\(value.sql) \(sql))", type: .boolean, label: "\(value.label) \(words)")
        case .isDistinct(let left, let right, let negated):
            let (first, second) = try matched(try translate(left, &self), try translate(right, &self))
            let words = negated ? "IS NOT DISTINCT FROM" : "IS DISTINCT FROM"
            return Typed(
                sql: "(\(first.sql) \(negated ? "IS" : "IS NOT") \(second.sql))", type: .boolean,
                label: "\(first.label) \(words) \(second.label)")
        case .inList(let operand, let list, let negated):
            return try inList(try translate(operand, &self), list, negated, scope, allowingAliases)
        case .inQuery(let operand, let query, let negated):
            let value = try translate(operand, &self)
            let inner = try subquery(query, scope, columns: 1)
            return Typed(
                sql: "(\(value.sql) \(negated ? "NOT IN" : "IN") (\(inner.sql)))", type: .boolean,
                label: "\(value.label) \(negated ? "NOT IN" : "IN") (<subquery>)")
        case .between(let operand, let lower, let upper, let negated):
            return try between(
                try translate(operand, &self), try translate(lower, &self), try translate(upper, &self), negated)
        case .like(let operand, let pattern, let escape, let ignoringCase, let negated):
            let value = try text(try translate(operand, &self))
            let like = try translate(pattern, &self)
            let mark = try escape.map { (escape) throws(QueryError) in try translate(escape, &self).sql } ?? "'\\'"
            let word = (negated ? "NOT " : "") + (ignoringCase ? "ILIKE" : "LIKE")
            let function = ignoringCase ? "hf_ilike" : "hf_like"
            return Typed(
                sql: "(\(negated ? "NOT " : "")\(function)(\(value.sql), \(like.sql), \(mark)))", type: .boolean,
                label: "\(value.label) \(word) \(like.label)")
        case .choice(let operand, let branches, let otherwise):
            return try choice(operand, branches, otherwise, scope, allowingAliases)
        case .cast(let operand, let type, let orNull):
            return try cast(try translate(operand, &self), to: type, orNull: orNull)
        case .call(let call):
            return try self.call(call, scope, allowingAliases)
        case .exists(let query):
            return Typed(
                sql: "EXISTS (\(try subquery(query, scope, columns: nil).sql))", type: .boolean, label: "EXISTS")
        case .scalar(let query):
            let inner = try subquery(query, scope, columns: 1)
            return Typed(sql: "(\(inner.sql))", type: inner.type, label: inner.label)
        }
    }

    // MARK: - Names and values

    private func column(
        _ table: String?, _ name: String, _ scope: Scope, _ allowingAliases: Bool
    ) throws(QueryError) -> Typed {
        if let column = try scope.column(table: table, name: name) { return column.value }
        if table == nil, allowingAliases, let value = scope.aliases[name] { return value }
        throw .unknownColumn(table.map { "\($0).\(name)" } ?? name, valid: scope.validNames)
    }

    private static func literal(_ literal: Expression.Literal) -> Typed {
        switch literal {
        case .null:
            return Typed(sql: "NULL", type: .null, label: "NULL")
        case .boolean(let value):
            return Typed(sql: value ? "1" : "0", type: .boolean, label: "Boolean(\(value))", isNeverNull: true)
        case .integer(let value):
            let isSigned = value <= UInt64(Int64.max)
            return Typed(
                sql: "\(Int64(bitPattern: value))", type: isSigned ? .int64 : .uint64,
                label: "\(isSigned ? "Int64" : "UInt64")(\(value))", isNeverNull: true,
                number: Int64(exactly: value))
        case .double(let value):
            let label = "Float64(\(Int64(exactly: value).map { "\($0)" } ?? "\(value)"))"
            return Typed(sql: "\(value)", type: .double, label: label, isNeverNull: true)
        case .string(let value):
            return Typed(
                sql: Self.literal(value), type: .string, label: "Utf8(\"\(value)\")", isNeverNull: true, literal: value)
        case .bytes(let value):
            var digits: [UInt8] = []
            Hexadecimal.append(value, to: &digits)
            let text = String(decoding: digits, as: UTF8.self)
            return Typed(sql: "x'\(text)'", type: .binary, label: "Binary(\"\(text)\")")
        case .interval(let value):
            return Typed(
                sql: Self.literal(value.text), type: .interval, label: "IntervalMonthDayNano(\"\(value.text)\")",
                interval: value)
        }
    }

    /// A number with a minus before it, so that the smallest one can be written.
    private static func negative(_ literal: Expression.Literal) -> Typed {
        switch literal {
        case .integer(let value) where value <= UInt64(Int64.max) + 1:
            let number = Int64(truncatingIfNeeded: 0 &- value)
            return Typed(
                sql: "(\(number))", type: .int64, label: "Int64(\(number))", isNeverNull: true, number: number)
        case .double(let value):
            var result = Self.literal(.double(-value))
            result.sql = "(\(result.sql))"
            return result
        case .integer, .null, .boolean, .string, .bytes, .interval:
            return Typed(
                sql: "(- \(Self.literal(literal).sql))", type: .int64, label: "(- \(Self.literal(literal).label))")
        }
    }

    private mutating func subquery(
        _ query: Query, _ scope: Scope, columns: Int?
    ) throws(QueryError) -> (sql: String, type: SQLType, label: String) {
        let inner = try self.query(query, within: scope)
        if let columns, inner.columns.count != columns {
            throw QueryError(.query, "A query in an expression has one column; this one has \(inner.columns.count).")
        }
        for column in inner.columns { column.use.isUsed = true }
        return (inner.render(), inner.columns.first?.type ?? .null, inner.columns.first?.name ?? "")
    }

    // MARK: - Operators

    private func unary(_ symbol: Expression.UnaryOperator, _ value: Typed) throws(QueryError) -> Typed {
        switch symbol {
        case .not:
            return Typed(sql: "(NOT \(value.sql))", type: .boolean, label: "NOT \(value.label)")
        case .plus:
            return value
        case .minus:
            if var interval = value.interval {
                interval.months = -interval.months
                interval.milliseconds = -interval.milliseconds
                return Self.literal(.interval(interval))
            }
            let type: SQLType = value.type == .double || value.type == .duration ? value.type : .int64
            return Typed(sql: "(- \(value.sql))", type: type, label: "(- \(value.label))")
        }
    }

    private func binary(
        _ symbol: Expression.BinaryOperator, _ left: Typed, _ right: Typed
    ) throws(QueryError) -> Typed {
        let label = "\(left.label) \(symbol.rawValue) \(right.label)"
        switch symbol {
        case .and, .or:
            return Typed(sql: "(\(left.sql) \(symbol.rawValue) \(right.sql))", type: .boolean, label: label)
        case .equal, .notEqual:
            let (first, second) = try matched(left, right, isLookUp: symbol == .equal)
            return Typed(sql: "(\(first.sql) \(symbol.rawValue) \(second.sql))", type: .boolean, label: label)
        case .less, .lessOrEqual, .greater, .greaterOrEqual:
            let (first, second) = try comparable(left, right)
            return Typed(sql: "(\(first.sql) \(symbol.rawValue) \(second.sql))", type: .boolean, label: label)
        case .concatenate:
            return Typed(sql: "(\(try text(left).sql) || \(try text(right).sql))", type: .string, label: label)
        case .json, .jsonText:
            let isText = symbol == .jsonText
            let sql = Self.member(isText ? "text" : "json", of: try text(left), [right])
            return Typed(sql: sql, type: isText ? .string : .json, label: label)
        case .plus, .minus, .times, .divided, .modulo:
            return try arithmetic(symbol, left, right, label)
        }
    }

    private func arithmetic(
        _ symbol: Expression.BinaryOperator, _ left: Typed, _ right: Typed, _ label: String
    ) throws(QueryError) -> Typed {
        if symbol == .plus || symbol == .minus {
            if let interval = right.interval, left.type.isTimestamp || left.type == .date || left.type == .string {
                return try shifted(left, by: interval, backwards: symbol == .minus, label)
            }
            if symbol == .plus, let interval = left.interval, right.type.isTimestamp {
                return try shifted(right, by: interval, backwards: false, label)
            }
            if left.type.isTimestamp || right.type.isTimestamp {
                return try timeArithmetic(symbol, left, right, label)
            }
        }
        let types = (duration(left), duration(right))
        let isDuration = types.0.type == .duration || types.1.type == .duration
        guard isDuration || left.type.isNumber && right.type.isNumber else {
            throw QueryError(
                .query, "'\(symbol.rawValue)' cannot join \(left.type.name) and \(right.type.name), in '\(label)'.")
        }
        if left.type == .uint64 || right.type == .uint64, !isDuration,
            let typed = unsignedArithmetic(symbol, left, right, label)
        {
            return typed
        }
        let isDouble = left.type == .double || right.type == .double
        let type: SQLType =
            isDuration
            ? (symbol == .divided && types.0.type == types.1.type ? .int64 : .duration)
            : (isDouble ? .double : .int64)
        if symbol == .divided || symbol == .modulo, !isDouble, (types.1.number ?? 0) == 0 {
            // SQLite makes null of what upstream refuses.
            let function = symbol == .divided ? "hf_divide" : "hf_remainder"
            return Typed(sql: "\(function)(\(types.0.sql), \(types.1.sql), 0)", type: type, label: label)
        }
        return Typed(sql: "(\(types.0.sql) \(symbol.rawValue) \(types.1.sql))", type: type, label: label)
    }

    /// Arithmetic with numbers that may have the highest bit, where it has another outcome than with signed ones.
    private func unsignedArithmetic(
        _ symbol: Expression.BinaryOperator, _ left: Typed, _ right: Typed, _ label: String
    ) -> Typed? {
        let areUnsigned =
            (left.type == .uint64 || left.isNaturalNumber) && (right.type == .uint64 || right.isNaturalNumber)
        switch symbol {
        case .plus where areUnsigned, .times where areUnsigned:
            return Typed(sql: "(\(left.sql) \(symbol.rawValue) \(right.sql))", type: .uint64, label: label)
        case .modulo where areUnsigned:
            return Typed(sql: "hf_remainder(\(left.sql), \(right.sql), 1)", type: .uint64, label: label)
        case .divided where left.type != right.type && left.type != .double && right.type != .double:
            // Upstream has decimal numbers here.
            return Typed(sql: "hf_ratio(\(left.sql), \(right.sql))", type: .double, label: label)
        default:
            return nil
        }
    }

    private func timeArithmetic(
        _ symbol: Expression.BinaryOperator, _ left: Typed, _ right: Typed, _ label: String
    ) throws(QueryError) -> Typed {
        let right = left.type.isTimestamp && right.type == .string ? try timestamp(right, orNull: false) : right
        let left = right.type.isTimestamp && left.type == .string ? try timestamp(left, orNull: false) : left
        let sql = "(\(left.sql) \(symbol.rawValue) \(right.sql))"
        if left.type.isTimestamp, right.type.isTimestamp, symbol == .minus {
            return Typed(sql: sql, type: .duration, label: label)
        }
        if left.type.isTimestamp, right.type == .duration { return Typed(sql: sql, type: left.type, label: label) }
        if right.type.isTimestamp, left.type == .duration, symbol == .plus {
            return Typed(sql: sql, type: right.type, label: label)
        }
        throw QueryError(
            .query, "'\(symbol.rawValue)' cannot join \(left.type.name) and \(right.type.name), in '\(label)'.")
    }

    private func shifted(
        _ value: Typed, by interval: Interval, backwards: Bool, _ label: String
    ) throws(QueryError) -> Typed {
        let moment = try timestamp(value, orNull: false)
        let sign: Int64 = backwards ? -1 : 1
        var sql = moment.sql
        if interval.months != 0 { sql = "hf_add_months(\(sql), \(sign * interval.months))" }
        if interval.milliseconds != 0 { sql = "(\(sql) + \(sign * interval.milliseconds))" }
        if value.type == .date {
            return Typed(sql: "(hf_date_bin(86400000, \(sql), 0) / 86400000)", type: .date, label: label)
        }
        return Typed(sql: sql, type: moment.type, label: label)
    }

    /// An interval of fixed length as a duration.
    private func duration(_ value: Typed) -> Typed {
        guard let interval = value.interval, interval.months == 0 else { return value }
        return Typed(sql: "\(interval.milliseconds)", type: .duration, label: value.label)
    }

    private func between(
        _ value: Typed, _ lower: Typed, _ upper: Typed, _ negated: Bool
    ) throws(QueryError) -> Typed {
        let (above, low) = try comparable(value, lower)
        let (below, high) = try comparable(value, upper)
        let sql = "(\(above.sql) >= \(low.sql) AND \(below.sql) <= \(high.sql))"
        let word = negated ? "NOT BETWEEN" : "BETWEEN"
        return Typed(
            sql: negated ? "(NOT \(sql))" : sql, type: .boolean,
            label: "\(value.label) \(word) \(lower.label) AND \(upper.label)")
    }

    /// Both sides of a comparison by size. Unsigned numbers are kept as signed ones, which have another order.
    private func comparable(_ left: Typed, _ right: Typed) throws(QueryError) -> (Typed, Typed) {
        var (first, second) = try matched(left, right)
        guard first.type.isNumber, second.type.isNumber, first.type == .uint64 || second.type == .uint64 else {
            return (first, second)
        }
        first.sql = "hf_order(\(first.sql), \(first.type == .uint64 ? 1 : 0))"
        second.sql = "hf_order(\(second.sql), \(second.type == .uint64 ? 1 : 0))"
        return (first, second)
    }

    /// Both sides of a comparison as values that SQLite can compare.
    ///
    /// - Parameter isLookUp: Whether an invocation id is looked up, so that a text that is none is a mistake.
    func matched(_ left: Typed, _ right: Typed, isLookUp: Bool = false) throws(QueryError) -> (Typed, Typed) {
        if isLookUp, left.isInvocationID { try checkInvocationID(right) }
        if isLookUp, right.isInvocationID { try checkInvocationID(left) }
        if left.type == right.type { return (left, right) }
        if left.type.isTimestamp || right.type.isTimestamp || left.type == .date || right.type == .date {
            return (try timestamp(left, orNull: false), try timestamp(right, orNull: false))
        }
        if left.type == .duration || right.type == .duration { return (duration(left), duration(right)) }
        if left.type == .binary, right.type == .string { return (left, try cast(right, to: .binary, orNull: false)) }
        if left.type == .string, right.type == .binary { return (try cast(left, to: .binary, orNull: false), right) }
        if left.type == .boolean, right.type == .string { return (left, try cast(right, to: .boolean, orNull: false)) }
        if left.type == .string, right.type == .boolean { return (try cast(left, to: .boolean, orNull: false), right) }
        if left.type.isNumber, right.literal != nil { return (left, try cast(right, to: left.type, orNull: false)) }
        if right.type.isNumber, left.literal != nil { return (try cast(left, to: right.type, orNull: false), right) }
        if left.type == .string, right.type.isNumber { return (left, try text(right)) }
        if right.type == .string, left.type.isNumber { return (try text(left), right) }
        return (left, right)
    }

    private func checkInvocationID(_ value: Typed) throws(QueryError) {
        guard let text = value.literal else { return }
        guard (try? InvocationID(text: text)) != nil else { throw .unreadableInvocationID(text) }
    }

    private mutating func inList(
        _ value: Typed, _ list: [Expression], _ negated: Bool, _ scope: Scope, _ allowingAliases: Bool
    ) throws(QueryError) -> Typed {
        var texts: [String] = []
        var first = value
        var labels: [String] = []
        for item in list {
            let (left, right) = try matched(
                value, try expression(item, scope, allowingAliases: allowingAliases), isLookUp: !negated)
            first = left
            texts.append(right.sql)
            if labels.count < 10 { labels.append(right.label) }
        }
        let word = negated ? "NOT IN" : "IN"
        return Typed(
            sql: "(\(first.sql) \(word) (\(texts.joined(separator: ", "))))", type: .boolean,
            label: "\(value.label) \(word) ([\(labels.joined(separator: ", "))])")
    }

    private mutating func choice(
        _ operand: Expression?, _ branches: [(when: Expression, then: Expression)], _ otherwise: Expression?,
        _ scope: Scope, _ allowingAliases: Bool
    ) throws(QueryError) -> Typed {
        let subject = try operand.map { (operand) throws(QueryError) in
            try expression(operand, scope, allowingAliases: allowingAliases)
        }
        var sql = "CASE"
        var label = "CASE" + (subject.map { " \($0.label)" } ?? "")
        var type = SQLType.null
        for branch in branches {
            let when = try expression(branch.when, scope, allowingAliases: allowingAliases)
            let then = try expression(branch.then, scope, allowingAliases: allowingAliases)
            if let subject {
                let (left, right) = try matched(subject, when)
                sql += " WHEN \(left.sql) = \(right.sql) THEN \(then.sql)"
            } else {
                sql += " WHEN \(when.sql) THEN \(then.sql)"
            }
            label += " WHEN \(when.label) THEN \(then.label)"
            type = type.united(with: then.type)
        }
        if let otherwise {
            let value = try expression(otherwise, scope, allowingAliases: allowingAliases)
            sql += " ELSE \(value.sql)"
            label += " ELSE \(value.label)"
            type = type.united(with: value.type)
        }
        return Typed(sql: "(\(sql) END)", type: type, label: "\(label) END")
    }
}
