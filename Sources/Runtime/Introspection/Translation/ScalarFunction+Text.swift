/// The functions that `SQLTextFunctions` has, and what else is made of text and lists.
extension ScalarFunction {
    /// A function of our own over text; numbers among the arguments stay as they are.
    private static func own(_ name: String, _ arity: ClosedRange<Int>, filling missing: String = "") -> ScalarFunction {
        ScalarFunction(arity) { (arguments, translator) throws(QueryError) in
            var values = [try translator.text(arguments[0]).sql] + arguments.dropFirst().map(\.sql)
            if !missing.isEmpty, values.count < arity.upperBound { values.append(missing) }
            return Typed(sql: "\(name)(\(values.joined(separator: ", ")))", type: .string, label: "")
        }
    }

    /// A member of a JSON text, by names and indexes; `path` says how many there must be.
    private static func json(_ wanted: String, _ type: SQLType, path: ClosedRange<Int> = 1...9) -> ScalarFunction {
        ScalarFunction(path.lowerBound + 1...path.upperBound + 1) { (arguments, translator) throws(QueryError) in
            Typed(
                sql: Translator.member(wanted, of: try translator.text(arguments[0]), arguments.dropFirst()),
                type: type, label: "")
        }
    }

    private static let toChar = ScalarFunction(2...2) { (arguments, translator) throws(QueryError) in
        let moment = try translator.timestamp(arguments[0], orNull: false)
        return Typed(sql: "hf_to_char(\(moment.sql), \(arguments[1].sql))", type: .string, label: "")
    }

    private static let concatWithSeparator = ScalarFunction(2...50) { (arguments, translator) throws(QueryError) in
        let separator = try translator.text(arguments[0]).sql
        // Nulls are left out, with their separator; the first one that stays has none before it.
        var parts: [String] = []
        for argument in arguments.dropFirst() {
            parts.append("coalesce(\(separator) || \(try translator.text(argument).sql), '')")
        }
        let text = "substr(\(parts.joined(separator: " || ")), length(\(separator)) + 1)"
        return Typed(sql: "(CASE WHEN \(separator) IS NOT NULL THEN \(text) END)", type: .string, label: "")
    }

    private static let typeName = ScalarFunction(1...1) { (arguments, _) throws(QueryError) in
        let name = arguments[0].literal == nil ? arguments[0].type.name : "Utf8"
        return Typed(sql: Translator.literal(name), type: .string, label: "", isNeverNull: true)
    }

    private static let arrowCast = ScalarFunction(2...2) { (arguments, translator) throws(QueryError) in
        guard let name = arguments[1].literal else {
            throw QueryError(.query, "'arrow_cast' needs the name of a type as its second argument.")
        }
        guard let type = SQLType(arrowName: name) else { throw .unsupported("Arrow type '\(name)'") }
        if type == .duration {
            return Typed(sql: "CAST(\(arguments[0].sql) AS INTEGER)", type: type, label: "")
        }
        return try translator.cast(arguments[0], to: type, orNull: false)
    }

    private static let list = ScalarFunction(0...100) { (arguments, translator) throws(QueryError) in
        let type = arguments.reduce(SQLType.null) { $0.united(with: $1.type) }
        guard [.int64, .uint32, .string, .null].contains(type) else {
            throw .unsupported("list of \(type.name)")
        }
        var values: [String] = []
        for argument in arguments {
            values.append(type == .string ? try translator.text(argument).sql : argument.sql)
        }
        return Typed(
            sql: "json_array(\(values.joined(separator: ", ")))", type: type == .string ? .stringList : .int64List,
            label: "")
    }

    private static let element = ScalarFunction(2...2) { (arguments, _) throws(QueryError) in
        let type: SQLType =
            switch arguments[0].type {
            case .stringList: .string
            case .uint32List: .uint32
            case .int64List: .int64
            default: throw QueryError(.query, "'\(arguments[0].label)' is \(arguments[0].type.name), and no list.")
            }
        let (list, index) = (arguments[0].sql, arguments[1].sql)
        let path = "'$[' || CASE WHEN \(index) > 0 THEN \(index) - 1 ELSE '#' || \(index) END || ']'"
        return Typed(sql: "(CASE WHEN \(index) <> 0 THEN json_extract(\(list), \(path)) END)", type: type, label: "")
    }

    private static let arrayToText = ScalarFunction(2...2) { (arguments, _) throws(QueryError) in
        let (list, separator) = (arguments[0].sql, arguments[1].sql)
        return Typed(
            sql: "(SELECT group_concat(value, \(separator)) FROM json_each(\(list)))", type: .string, label: "")
    }

    static let ofText: [String: ScalarFunction] = [
        "lower": own("hf_lower", 1...1), "upper": own("hf_upper", 1...1), "initcap": own("hf_initcap", 1...1),
        "reverse": own("hf_reverse", 1...1), "repeat": own("hf_repeat", 2...2), "substr": own("hf_substr", 2...3),
        "substring": own("hf_substr", 2...3), "left": own("hf_left", 2...2), "right": own("hf_right", 2...2),
        "lpad": own("hf_lpad", 2...3, filling: "' '"), "rpad": own("hf_rpad", 2...3, filling: "' '"),
        "translate": own("hf_translate", 3...3), "to_char": toChar, "date_format": toChar,
        "concat_ws": concatWithSeparator,
        "chr": ScalarFunction(1...1) { (arguments, _) throws(QueryError) in
            Typed(sql: "char(\(arguments[0].sql))", type: .string, label: "")
        },
        "bit_length": ScalarFunction(1...1) { (arguments, translator) throws(QueryError) in
            Typed(sql: "(8 * length(CAST(\(try translator.text(arguments[0]).sql) AS BLOB)))", type: .int64, label: "")
        },
        "to_hex": ScalarFunction(1...1) { (arguments, _) throws(QueryError) in
            Typed(sql: "printf('%x', \(arguments[0].sql))", type: .string, label: "")
        },
        "json_get_str": json("str", .string), "json_as_text": json("text", .string),
        "json_get_int": json("int", .int64),
        "json_get_float": json("float", .double), "json_get_bool": json("bool", .boolean),
        "json_get_json": json("json", .string), "json_length": json("length", .uint64, path: 0...9),
        "json_contains": json("contains", .boolean), "json_object_keys": json("keys", .stringList, path: 0...9),
        "make_array": list, "make_list": list, "arrow_typeof": typeName, "arrow_cast": arrowCast,
        "array_element": element, "list_element": element,
        "array_extract": element, "array_to_string": arrayToText, "list_to_string": arrayToText,
        "array_join": arrayToText,
    ]
}

extension Translator {
    /// A member of a JSON text, told in the way that `wanted` names.
    static func member(_ wanted: String, of json: Typed, _ path: some Sequence<Typed>) -> String {
        "hf_json('\(wanted)', \(json.sql)\(path.map { ", \($0.sql)" }.joined()))"
    }
}

extension SQLType {
    /// The type that Arrow calls so, as far as there is one here.
    init?(arrowName name: String) {
        let compact = name.filter { $0 != " " }
        let types: [String: SQLType] = [
            "Boolean": .boolean, "Int8": .int64, "Int16": .int64, "Int32": .int64, "Int64": .int64, "UInt8": .uint32,
            "UInt16": .uint32, "UInt32": .uint32, "UInt64": .uint64, "Float32": .double, "Float64": .double,
            "Utf8": .string, "LargeUtf8": .string, "Utf8View": .string, "Binary": .binary, "LargeBinary": .binary,
            "Date32": .date, "Duration(Millisecond)": .duration, "Duration(ms)": .duration,
        ]
        if let type = types[compact] {
            self = type
        } else if compact.hasPrefix("Timestamp(ms") || compact.hasPrefix("Timestamp(Millisecond") {
            self = compact.contains(",None") || !compact.contains(",") ? .localTimestamp : .timestamp
        } else {
            return nil
        }
    }
}
