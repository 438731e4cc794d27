/// A function of one row: how many arguments it takes, and what it is in SQLite.
struct ScalarFunction: Sendable {
    let arity: ClosedRange<Int>
    let translate: @Sendable ([Typed], Translator) throws(QueryError) -> Typed

    init(
        _ arity: ClosedRange<Int>,
        _ translate: @escaping @Sendable ([Typed], Translator) throws(QueryError) -> Typed
    ) {
        self.arity = arity
        self.translate = translate
    }

    /// The same function in SQLite, over text.
    private static func text(_ name: String, _ arity: ClosedRange<Int>, _ type: SQLType = .string) -> ScalarFunction {
        ScalarFunction(arity) { (arguments, translator) throws(QueryError) in
            var values = arguments.map(\.sql)
            values[0] = try translator.text(arguments[0]).sql
            return Typed(sql: "\(name)(\(values.joined(separator: ", ")))", type: type, label: "")
        }
    }

    /// The same function in SQLite, over numbers.
    private static func number(_ name: String, _ arity: ClosedRange<Int> = 1...1, _ type: SQLType? = .double)
        -> ScalarFunction
    {
        ScalarFunction(arity) { (arguments, _) throws(QueryError) in
            let list = arguments.map(\.sql).joined(separator: ", ")
            return Typed(sql: "\(name)(\(list))", type: type ?? arguments[0].type, label: "")
        }
    }

    /// A function whose arguments and result are of the type that holds them all.
    private static func united(_ name: String, _ arity: ClosedRange<Int>) -> ScalarFunction {
        ScalarFunction(arity) { (arguments, translator) throws(QueryError) in
            var type = arguments.reduce(SQLType.null) { $0.united(with: $1.type) }
            if arguments.contains(where: { $0.type == .uint64 }),
                arguments.allSatisfy({ $0.type == .uint64 || $0.type == .null || $0.isNaturalNumber })
            {
                type = .uint64
            }
            var values: [String] = []
            for argument in arguments {
                values.append(type.isTimestamp ? try translator.timestamp(argument, orNull: false).sql : argument.sql)
            }
            let isSingle = values.count == 1 && name == "coalesce"
            if type == .uint64, name != "coalesce" {
                // These compare.
                let keys = values.map { "hf_order(\($0), 1)" }.joined(separator: ", ")
                return Typed(sql: "hf_order(\(name)(\(keys)), 1)", type: type, label: "")
            }
            return Typed(
                sql: isSingle ? values[0] : "\(name)(\(values.joined(separator: ", ")))", type: type, label: "")
        }
    }

    /// A number as a timestamp, `scale` milliseconds each; text and timestamps as they are.
    private static func toTimestamp(scale: String) -> ScalarFunction {
        ScalarFunction(1...1) { (arguments, translator) throws(QueryError) in
            let value = arguments[0]
            let sql =
                value.type.isNumber
                ? "CAST(\(value.sql) \(scale) AS INTEGER)" : try translator.timestamp(value, orNull: false).sql
            return Typed(sql: sql, type: .localTimestamp, label: "")
        }
    }

    private static let now = ScalarFunction(0...0) { (_, translator) throws(QueryError) in
        Typed(sql: "\(translator.now)", type: .localTimestamp, label: "")
    }

    private static let datePart = ScalarFunction(2...2) { (arguments, translator) throws(QueryError) in
        let moment = try translator.timestamp(arguments[1], orNull: false)
        return Typed(sql: "hf_date_part(\(arguments[0].sql), \(moment.sql))", type: .int64, label: "")
    }

    private static let dateTrunc = ScalarFunction(2...2) { (arguments, translator) throws(QueryError) in
        let moment = try translator.timestamp(arguments[1], orNull: false)
        return Typed(sql: "hf_date_trunc(\(arguments[0].sql), \(moment.sql))", type: moment.type, label: "")
    }

    private static let dateBin = ScalarFunction(2...3) { (arguments, translator) throws(QueryError) in
        var interval = arguments[0].interval
        if let text = arguments[0].literal { interval = Interval(parsing: text) }
        guard let interval, interval.months == 0, interval.milliseconds > 0 else {
            throw QueryError(.query, "'date_bin' needs an interval of a fixed length, like INTERVAL '60 seconds'.")
        }
        let moment = try translator.timestamp(arguments[1], orNull: false)
        let origin = arguments.count > 2 ? try translator.timestamp(arguments[2], orNull: false).sql : "0"
        return Typed(
            sql: "hf_date_bin(\(interval.milliseconds), \(moment.sql), \(origin))", type: moment.type, label: "")
    }

    private static let toUnixTime = ScalarFunction(1...1) { (arguments, translator) throws(QueryError) in
        let moment = try translator.timestamp(arguments[0], orNull: false)
        return Typed(sql: "(hf_date_bin(1000, \(moment.sql), 0) / 1000)", type: .int64, label: "")
    }

    private static let concat = ScalarFunction(1...50) { (arguments, translator) throws(QueryError) in
        var parts: [String] = []
        for argument in arguments { parts.append("coalesce(\(try translator.text(argument).sql), '')") }
        return Typed(sql: "(\(parts.joined(separator: " || ")))", type: .string, label: "")
    }

    private static let octetLength = ScalarFunction(1...1) { (arguments, translator) throws(QueryError) in
        let value = arguments[0].type == .binary ? arguments[0].sql : try translator.text(arguments[0]).sql
        return Typed(sql: "length(CAST(\(value) AS BLOB))", type: .int64, label: "")
    }

    private static let encode = ScalarFunction(2...2) { (arguments, translator) throws(QueryError) in
        let value = arguments[0].type == .binary ? arguments[0] : try translator.text(arguments[0])
        switch arguments[1].literal {
        case "hex": return Typed(sql: "lower(hex(\(value.sql)))", type: .string, label: "")
        case "base64": return Typed(sql: "hf_base64(\(value.sql))", type: .string, label: "")
        default: throw .unsupported("encoding other than 'hex' and 'base64'")
        }
    }

    private static let startsWith = ScalarFunction(2...2) { (arguments, _) throws(QueryError) in
        let (text, prefix) = (arguments[0].sql, arguments[1].sql)
        return Typed(sql: "(substr(\(text), 1, length(\(prefix))) = \(prefix))", type: .boolean, label: "")
    }

    private static let endsWith = ScalarFunction(2...2) { (arguments, _) throws(QueryError) in
        let (text, suffix) = (arguments[0].sql, arguments[1].sql)
        let end = "(length(\(suffix)) = 0 OR substr(\(text), - length(\(suffix))) = \(suffix))"
        return Typed(sql: end, type: .boolean, label: "")
    }

    private static let contains = ScalarFunction(2...2) { (arguments, _) throws(QueryError) in
        Typed(sql: "(instr(\(arguments[0].sql), \(arguments[1].sql)) > 0)", type: .boolean, label: "")
    }

    private static let arrayLength = ScalarFunction(1...1) { (arguments, _) throws(QueryError) in
        Typed(sql: "json_array_length(\(arguments[0].sql))", type: .uint64, label: "")
    }

    private static let arrayHas = ScalarFunction(2...2) { (arguments, _) throws(QueryError) in
        let (list, value) = (arguments[0].sql, arguments[1].sql)
        return Typed(
            sql: "EXISTS (SELECT 1 FROM json_each(\(list)) WHERE json_each.value = \(value))", type: .boolean, label: ""
        )
    }

    private static let version = ScalarFunction(0...0) { (_, _) throws(QueryError) in
        Typed(sql: "'Holdfast'", type: .string, label: "")
    }

    private static let currentDate = ScalarFunction(0...0) { (_, translator) throws(QueryError) in
        Typed(sql: "\(Calendar.floorDivide(translator.now, Calendar.millisecondsPerDay))", type: .date, label: "")
    }

    /// All of them, by name.
    static let named = ofText.merging(others) { first, _ in first }

    private static let others: [String: ScalarFunction] = [
        "now": now, "current_timestamp": now, "current_date": currentDate, "today": currentDate,
        "to_timestamp": toTimestamp(scale: "* 1000"), "to_timestamp_seconds": toTimestamp(scale: "* 1000"),
        "from_unixtime": toTimestamp(scale: "* 1000"), "to_timestamp_millis": toTimestamp(scale: ""),
        "to_timestamp_micros": toTimestamp(scale: "/ 1000"), "to_timestamp_nanos": toTimestamp(scale: "/ 1000000"),
        "to_unixtime": toUnixTime, "date_bin": dateBin, "date_trunc": dateTrunc, "date_part": datePart,
        "datepart": datePart, "datetrunc": dateTrunc,
        "coalesce": united("coalesce", 1...100), "nvl": united("coalesce", 2...2), "ifnull": united("coalesce", 2...2),
        "greatest": united("hf_greatest", 1...100), "least": united("hf_least", 1...100),
        "nullif": ScalarFunction(2...2) { (arguments, translator) throws(QueryError) in
            let (left, right) = try translator.matched(arguments[0], arguments[1])
            return Typed(sql: "nullif(\(left.sql), \(right.sql))", type: arguments[0].type, label: "")
        },
        "trim": text("trim", 1...2),
        "btrim": text("trim", 1...2), "ltrim": text("ltrim", 1...2), "rtrim": text("rtrim", 1...2),
        "length": text("length", 1...1, .int64), "char_length": text("length", 1...1, .int64),
        "character_length": text("length", 1...1, .int64), "octet_length": octetLength,
        "replace": text("replace", 3...3), "split_part": text("hf_split_part", 3...3),
        "strpos": text("instr", 2...2, .int64), "instr": text("instr", 2...2, .int64),
        "position": text("instr", 2...2, .int64),
        "starts_with": startsWith, "ends_with": endsWith, "contains": contains, "concat": concat, "encode": encode,
        "ascii": text("unicode", 1...1, .int64),
        "abs": number("abs", 1...1, nil), "round": number("round", 1...2), "floor": number("floor"),
        "ceil": number("ceil"), "sqrt": number("sqrt"), "ln": number("ln"), "log10": number("log10"),
        "exp": number("exp"), "power": number("pow", 2...2), "pow": number("pow", 2...2),
        "sign": number("sign", 1...1, .int64),
        "array_length": arrayLength, "cardinality": arrayLength, "array_has": arrayHas, "list_contains": arrayHas,
        "list_has": arrayHas, "version": version,
    ]
}
