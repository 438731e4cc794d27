extension Translator {
    /// The value with another type; what cannot be read as that type ends the query, or is null if `orNull`.
    func cast(_ value: Typed, to type: SQLType, orNull: Bool) throws(QueryError) -> Typed {
        if value.type == .null {
            return Typed(sql: "NULL", type: type, label: value.label)
        }
        if value.type == type { return value }
        var result: Typed
        switch type {
        case .string:
            result = try text(value)
        case .boolean:
            let sql = value.type == .string ? "hf_boolean(\(value.sql), \(orNull ? 1 : 0))" : "(\(value.sql) <> 0)"
            result = Typed(sql: sql, type: .boolean, label: value.label)
        case .int64, .uint32, .uint64:
            let sql =
                value.type == .string
                ? "hf_integer(\(value.sql), \(orNull ? 1 : 0))" : "CAST(\(value.sql) AS INTEGER)"
            result = Typed(sql: sql, type: type, label: value.label)
        case .double:
            let sql =
                value.type == .string
                ? "hf_double(\(value.sql), \(orNull ? 1 : 0))" : "CAST(\(value.sql) AS REAL)"
            result = Typed(sql: sql, type: .double, label: value.label)
        case .binary:
            result = Typed(sql: "CAST(\(value.sql) AS BLOB)", type: .binary, label: value.label)
        case .timestamp, .localTimestamp:
            result = try timestamp(value, orNull: orNull)
            result.type = type
        case .date:
            let moment = try timestamp(value, orNull: orNull)
            result = Typed(sql: "hf_date_bin(86400000, \(moment.sql), 0) / 86400000", type: .date, label: value.label)
        case .null, .duration, .interval, .json, .stringList, .uint32List, .int64List:
            throw .unsupported("cast to \(type.name)")
        }
        // A cast keeps the name of what it casts.
        result.label = value.label
        return result
    }

    /// The value as a timestamp: text is read, numbers count seconds only in functions that say so.
    func timestamp(_ value: Typed, orNull: Bool) throws(QueryError) -> Typed {
        switch value.type {
        case .timestamp, .localTimestamp:
            return value
        case .null:
            return Typed(sql: "NULL", type: .timestamp, label: value.label)
        case .date:
            return Typed(sql: "(\(value.sql) * 86400000)", type: .localTimestamp, label: value.label)
        case .string:
            guard let literal = value.literal else {
                return Typed(
                    sql: "hf_timestamp(\(value.sql), \(orNull ? 1 : 0))", type: .timestamp, label: value.label)
            }
            guard let milliseconds = Calendar.milliseconds(parsing: literal) else {
                if orNull { return Typed(sql: "NULL", type: .timestamp, label: value.label) }
                throw .unreadableTimestamp(literal)
            }
            return Typed(sql: "\(milliseconds)", type: .timestamp, label: value.label)
        case .boolean, .int64, .uint32, .uint64, .double, .duration:
            return Typed(sql: "CAST(\(value.sql) AS INTEGER)", type: .localTimestamp, label: value.label)
        case .binary, .interval, .json, .stringList, .uint32List, .int64List:
            throw QueryError(.query, "\(value.type.name) is no timestamp, in '\(value.label)'.")
        }
    }

    /// The value as text.
    func text(_ value: Typed) throws(QueryError) -> Typed {
        let sql: String
        switch value.type {
        case .string, .json, .interval, .stringList, .uint32List, .int64List: return value
        case .null: sql = "NULL"
        case .boolean: sql = "(CASE WHEN \(value.sql) THEN 'true' WHEN NOT \(value.sql) THEN 'false' END)"
        case .int64, .uint32: sql = "CAST(\(value.sql) AS TEXT)"
        case .uint64: sql = "hf_unsigned_text(\(value.sql))"
        case .double: sql = "CAST(\(value.sql) AS TEXT)"
        case .timestamp: sql = "hf_timestamp_text(\(value.sql), 1)"
        case .localTimestamp: sql = "hf_timestamp_text(\(value.sql), 0)"
        case .date: sql = "substr(hf_timestamp_text(\(value.sql) * 86400000, 0), 1, 10)"
        case .duration: sql = "hf_duration_text(\(value.sql))"
        case .binary: sql = "CAST(\(value.sql) AS TEXT)"
        }
        return Typed(sql: sql, type: .string, label: value.label)
    }
}
