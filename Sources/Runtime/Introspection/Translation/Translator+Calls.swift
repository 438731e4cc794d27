extension Translator {
    mutating func call(
        _ call: FunctionCall, _ scope: Scope, _ allowingAliases: Bool
    ) throws(QueryError) -> Typed {
        var arguments: [Typed] = []
        for argument in call.arguments {
            arguments.append(try expression(argument, scope, allowingAliases: allowingAliases))
        }
        if Aggregate.names.contains(call.name) || call.window != nil {
            return try aggregate(call, arguments, scope, allowingAliases)
        }
        guard call.filter == nil, call.order.isEmpty, !call.isDistinct, !call.isOfAllRows else {
            throw .unknownFunction(call.name)
        }
        guard let function = ScalarFunction.named[call.name] else { throw .unknownFunction(call.name) }
        guard function.arity.contains(arguments.count) else {
            let (low, high) = (function.arity.lowerBound, function.arity.upperBound)
            throw .argumentCount(call.name, low == high ? "\(low) arguments" : "\(low) to \(high) arguments")
        }
        var result = try function.translate(arguments, self)
        result.label = "\(call.name)(\(arguments.map(\.label).joined(separator: ",")))"
        return result
    }

    private mutating func aggregate(
        _ call: FunctionCall, _ arguments: [Typed], _ scope: Scope, _ allowingAliases: Bool
    ) throws(QueryError) -> Typed {
        let labels = arguments.map(\.label).joined(separator: ",")
        let label = "\(call.name)(\(call.isOfAllRows ? "*" : (call.isDistinct ? "DISTINCT " : "") + labels))"
        let isWindow = call.window != nil
        var (sql, type) = try Aggregate.translate(call, arguments, isWindow: isWindow)
        if call.name == "first_value" || call.name == "last_value", !isWindow {
            sql = try ordered(call, arguments, scope, allowingAliases)
        } else if !call.order.isEmpty,
            !["string_agg", "array_agg", "count", "sum", "min", "max", "avg"].contains(call.name)
        {
            throw .unsupported("ORDER BY in '\(call.name)'")
        }
        if let filter = call.filter {
            sql += " FILTER (WHERE \(try expression(filter, scope, allowingAliases: allowingAliases).sql))"
        }
        if let window = call.window {
            sql += " OVER (\(try windowText(window, scope, allowingAliases)))"
        }
        sql = type.around.before + sql + type.around.after
        return Typed(sql: sql, type: type.type, label: label, isNeverNull: call.name == "count")
    }

    /// `first_value(x ORDER BY k)`: a function of our own that is given the keys and how they are ordered.
    private mutating func ordered(
        _ call: FunctionCall, _ arguments: [Typed], _ scope: Scope, _ allowingAliases: Bool
    ) throws(QueryError) -> String {
        var directions = ""
        var keys: [String] = []
        for term in call.order {
            directions += term.isDescending ? "d" : "a"
            directions += term.putsNullsFirst ? "f" : "l"
            keys.append(", " + (try expression(term.expression, scope, allowingAliases: allowingAliases).sql))
        }
        let function = call.name == "first_value" ? "hf_first" : "hf_last"
        return "\(function)(\(arguments[0].sql), '\(directions)'\(keys.joined()))"
    }

    private mutating func windowText(
        _ window: Window, _ scope: Scope, _ allowingAliases: Bool
    ) throws(QueryError) -> String {
        var parts: [String] = []
        if !window.partition.isEmpty {
            var terms: [String] = []
            for term in window.partition {
                terms.append(try expression(term, scope, allowingAliases: allowingAliases).sql)
            }
            parts.append("PARTITION BY \(terms.joined(separator: ", "))")
        }
        if !window.order.isEmpty {
            var terms: [String] = []
            for term in window.order {
                let value = try expression(term.expression, scope, allowingAliases: allowingAliases)
                terms.append(value.ordered + Self.direction(term))
            }
            parts.append("ORDER BY \(terms.joined(separator: ", "))")
        }
        if !window.frame.isEmpty {
            let words = Set(window.frame.split(separator: " ").filter { UInt64($0) == nil }.map(String.init))
            guard words.isSubset(of: Self.frameWords) else { throw .unsupported("such a window frame") }
            parts.append(window.frame)
        }
        return parts.joined(separator: " ")
    }

    private static let frameWords: Set<String> = [
        "rows", "range", "groups", "between", "and", "unbounded", "preceding", "following", "current", "row",
    ]
}

/// The functions over groups of rows, and over windows.
enum Aggregate {
    static let names: Set<String> = [
        "count", "sum", "min", "max", "avg", "mean", "first_value", "last_value", "string_agg", "array_agg", "median",
        "stddev", "stddev_samp", "stddev_pop", "var", "var_samp", "var_sample", "var_pop", "var_population",
        "percentile_cont", "approx_percentile_cont", "approx_median", "bool_and", "bool_or", "approx_distinct",
        "row_number", "rank", "dense_rank",
        "percent_rank", "cume_dist", "ntile", "lag", "lead", "nth_value",
    ]

    private static let windowOnly: Set<String> = [
        "row_number", "rank", "dense_rank", "percent_rank", "cume_dist", "ntile", "lag", "lead", "nth_value",
    ]

    /// SQLite's text, the type, and what stands around the text when FILTER and OVER are behind it.
    static func translate(
        _ call: FunctionCall, _ arguments: [Typed], isWindow: Bool
    ) throws(QueryError) -> (sql: String, type: (type: SQLType, around: (before: String, after: String))) {
        let bare = ("", "")
        let name = call.name
        if windowOnly.contains(name), !isWindow {
            throw QueryError(.query, "The function '\(name)' needs OVER (…).")
        }
        if call.isOfAllRows || (name == "count" && arguments.isEmpty) {
            guard name == "count" else { throw .argumentCount(name, "no '*'") }
            return ("count(*)", (.int64, bare))
        }
        let list = (call.isDistinct ? "DISTINCT " : "") + arguments.map(\.sql).joined(separator: ", ")
        if ["row_number", "rank", "dense_rank", "ntile"].contains(name) {
            return ("\(name)(\(list))", (.uint64, bare))
        }
        if ["percent_rank", "cume_dist"].contains(name) { return ("\(name)(\(list))", (.double, bare)) }
        guard let first = arguments.first, arguments.count <= 3 else { throw .argumentCount(name, "1 argument") }
        switch name {
        case "count": return ("count(\(list))", (.int64, bare))
        case "approx_distinct": return ("count(DISTINCT \(first.sql))", (.uint64, bare))
        case "sum":
            guard first.type.isNumber || first.type == .duration else { throw notANumber(name, first) }
            let type: SQLType = first.type == .uint32 ? .uint64 : first.type == .boolean ? .int64 : first.type
            return ("sum(\(list))", (type, bare))
        case "avg", "mean":
            guard first.type.isNumber || first.type == .duration else { throw notANumber(name, first) }
            return first.type == .duration
                ? ("avg(\(list))", (.duration, ("CAST(", " AS INTEGER)"))) : ("avg(\(list))", (.double, bare))
        case "median", "approx_median", "percentile_cont", "approx_percentile_cont":
            guard first.type.isNumber else { throw notANumber(name, first) }
            let isMedian = name.hasSuffix("median")
            guard isMedian || arguments.count > 1 else { throw .argumentCount(name, "2 arguments") }
            return ("hf_percentile(\(first.sql), \(isMedian ? "0.5" : arguments[1].sql))", (.double, bare))
        case "stddev", "stddev_samp", "stddev_pop", "var", "var_samp", "var_sample", "var_pop", "var_population":
            guard first.type.isNumber else { throw notANumber(name, first) }
            let around = name.hasPrefix("stddev") ? ("sqrt(", ")") : bare
            return ("hf_variance(\(first.sql), \(name.contains("pop") ? 0 : 1))", (.double, around))
        case "min", "max", "bool_and", "bool_or":
            guard arguments.count == 1 else { throw .argumentCount(name, "1 argument") }
            let function = name == "bool_and" ? "min" : name == "bool_or" ? "max" : name
            if first.type == .uint64 {
                return ("\(function)(\(first.ordered))", (.uint64, ("hf_order(", ", 1)")))
            }
            return ("\(function)(\(list))", (first.type, bare))
        case "string_agg": return ("group_concat(\(list))", (.string, bare))
        case "array_agg":
            return (
                "json_group_array(\(list))",
                (first.type == .string || first.type == .json ? .stringList : .int64List, bare)
            )
        default: return ("\(name)(\(list))", (first.type, bare))
        }
    }

    private static func notANumber(_ name: String, _ value: Typed) -> QueryError {
        QueryError(.query, "'\(name)' needs a number; '\(value.label)' is \(value.type.name).")
    }
}
