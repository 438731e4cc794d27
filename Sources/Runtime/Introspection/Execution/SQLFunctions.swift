import CHoldfastSQLite

/// The functions that the translation uses and SQLite lacks; their names begin with `hf_`.
enum SQLFunctions {
    typealias Function =
        @convention(c) (OpaquePointer?, CInt, UnsafeMutablePointer<OpaquePointer?>?) -> Void

    /// Name, number of arguments (-1: any), and the function.
    private static let scalars: [(name: String, arguments: CInt, function: Function)] = [
        ("hf_like", 3, { like($0, $2, ignoringCase: false) }),
        ("hf_ilike", 3, { like($0, $2, ignoringCase: true) }),
        (
            "hf_timestamp", 2,
            { convert($0, $2, "a timestamp") { Calendar.milliseconds(parsing: $0).map(SQLValue.integer) } }
        ),
        (
            "hf_integer", 2,
            {
                convert($0, $2, "an integer") { text in
                    Int64(text).map(SQLValue.integer) ?? UInt64(text).map(SQLValue.unsigned)
                }
            }
        ),
        ("hf_double", 2, { convert($0, $2, "a number") { Double($0).map(SQLValue.double) } }),
        ("hf_boolean", 2, { convert($0, $2, "true or false") { booleans[$0.lowercased()].map(SQLValue.boolean) } }),
        (
            "hf_timestamp_text", 2,
            { context, _, arguments in
                with(context, arguments) { milliseconds in
                    let withZone = sqlite3_value_int(arguments?[1]) != 0
                    return .text(Calendar.text(milliseconds: milliseconds, withZone: withZone))
                }
            }
        ),
        ("hf_duration_text", 1, { with($0, $2) { .text(Calendar.durationText(milliseconds: $0)) } }),
        ("hf_unsigned_text", 1, { with($0, $2) { .text(String(UInt64(bitPattern: $0))) } }),
        (
            "hf_add_months", 2,
            { context, _, arguments in
                with(context, arguments) { milliseconds in
                    .integer(Calendar.adding(months: sqlite3_value_int64(arguments?[1]), to: milliseconds))
                }
            }
        ),
        ("hf_date_bin", 3, { dateBin($0, $2) }),
        ("hf_date_trunc", 2, { date($0, $2, truncated) }),
        ("hf_date_part", 2, { date($0, $2, part) }),
        ("hf_order", 2, { order($0, $2) }),
        ("hf_divide", 3, { divide($0, $2) { left, right, _ in left.dividedReportingOverflow(by: right) } }),
        (
            "hf_remainder", 3,
            {
                divide($0, $2) { left, right, areUnsigned in
                    guard areUnsigned else { return left.remainderReportingOverflow(dividingBy: right) }
                    let remainder = UInt64(bitPattern: left) % max(1, UInt64(bitPattern: right))
                    return (Int64(bitPattern: remainder), false)
                }
            }
        ),
        ("hf_ratio", 2, { ratio($0, $2) }),
        ("hf_split_part", 3, { splitPart($0, $2) }),
        ("hf_greatest", -1, { extreme($0, $1, $2, sign: 1) }),
        ("hf_least", -1, { extreme($0, $1, $2, sign: -1) }),
    ]

    static func register(in database: OpaquePointer) {
        let flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS
        for row in scalars + SQLTextFunctions.all {
            sqlite3_create_function_v2(database, row.name, row.arguments, flags, nil, row.function, nil, nil, nil)
        }
        SQLAggregates.register(in: database)
    }

    private static let booleans = [
        "true": true, "t": true, "yes": true, "1": true, "false": false, "f": false, "no": false, "0": false,
    ]

    /// Calls `body` with the first argument, unless it is null.
    private static func with(
        _ context: OpaquePointer?, _ arguments: UnsafeMutablePointer<OpaquePointer?>?, _ body: (Int64) -> SQLValue
    ) {
        guard let value = arguments?[0], !SQLiteValue.isNull(value) else { return sqlite3_result_null(context) }
        SQLiteValue.setResult(context, body(sqlite3_value_int64(value)))
    }

    /// Reads text as something else; the second argument tells whether what cannot be read is null, or ends the query.
    private static func convert(
        _ context: OpaquePointer?, _ arguments: UnsafeMutablePointer<OpaquePointer?>?, _ what: String,
        _ read: (String) -> SQLValue?
    ) {
        guard let value = arguments?[0], !SQLiteValue.isNull(value) else { return sqlite3_result_null(context) }
        let text = SQLiteValue.text(value)
        if let result = read(text) {
            SQLiteValue.setResult(context, result)
        } else if sqlite3_value_int(arguments?[1]) != 0 {
            sqlite3_result_null(context)
        } else {
            SQLiteValue.setError(context, "'\(text.prefix(100))' cannot be read as \(what)")
        }
    }

    /// A number in the order of unsigned ones; what it makes of an unsigned number, it makes that number of again.
    ///
    /// The second argument tells whether the first one is kept as the bits of an unsigned number.
    private static func order(_ context: OpaquePointer?, _ arguments: UnsafeMutablePointer<OpaquePointer?>?) {
        guard let arguments, !SQLiteValue.isNull(arguments[0]) else { return sqlite3_result_null(context) }
        if sqlite3_value_type(arguments[0]) == SQLITE_FLOAT {
            return sqlite3_result_double(context, sqlite3_value_double(arguments[0]) - 0x1p63)
        }
        let number = sqlite3_value_int64(arguments[0])
        if number < 0, sqlite3_value_int(arguments[1]) == 0 {
            // Less than all that are unsigned.
            return sqlite3_result_double(context, Double(number) - 0x1p63)
        }
        sqlite3_result_int64(context, number ^ Int64.min)
    }

    private static func divide(
        _ context: OpaquePointer?, _ arguments: UnsafeMutablePointer<OpaquePointer?>?,
        _ operation: (Int64, Int64, _ areUnsigned: Bool) -> (partialValue: Int64, overflow: Bool)
    ) {
        guard let arguments, !SQLiteValue.isNull(arguments[0]), !SQLiteValue.isNull(arguments[1]) else {
            return sqlite3_result_null(context)
        }
        let divisor = sqlite3_value_int64(arguments[1])
        guard divisor != 0 else { return SQLiteValue.setError(context, "divide by zero") }
        let (result, overflow) = operation(
            sqlite3_value_int64(arguments[0]), divisor, sqlite3_value_int(arguments[2]) != 0)
        guard !overflow else { return SQLiteValue.setError(context, "integer overflow") }
        sqlite3_result_int64(context, result)
    }

    /// The quotient of two unsigned numbers, with what is behind the point.
    private static func ratio(_ context: OpaquePointer?, _ arguments: UnsafeMutablePointer<OpaquePointer?>?) {
        guard let arguments, !SQLiteValue.isNull(arguments[0]), !SQLiteValue.isNull(arguments[1]) else {
            return sqlite3_result_null(context)
        }
        let divisor = UInt64(bitPattern: sqlite3_value_int64(arguments[1]))
        guard divisor != 0 else { return SQLiteValue.setError(context, "divide by zero") }
        let dividend = UInt64(bitPattern: sqlite3_value_int64(arguments[0]))
        sqlite3_result_double(context, Double(dividend) / Double(divisor))
    }

    private static func like(
        _ context: OpaquePointer?, _ arguments: UnsafeMutablePointer<OpaquePointer?>?, ignoringCase: Bool
    ) {
        guard let arguments, !(0..<3).contains(where: { SQLiteValue.isNull(arguments[$0]) }) else {
            return sqlite3_result_null(context)
        }
        var (text, pattern) = (SQLiteValue.text(arguments[0]), SQLiteValue.text(arguments[1]))
        if ignoringCase { (text, pattern) = (text.lowercased(), pattern.lowercased()) }
        let escape = SQLiteValue.text(arguments[2]).unicodeScalars.first
        let isMatch = LikePattern.matches(Array(text.unicodeScalars), Array(pattern.unicodeScalars), escape: escape)
        sqlite3_result_int(context, isMatch ? 1 : 0)
    }

    /// The beginning of the bin of so many milliseconds that a moment is in; bins are counted from an origin.
    private static func dateBin(_ context: OpaquePointer?, _ arguments: UnsafeMutablePointer<OpaquePointer?>?) {
        guard let arguments, !SQLiteValue.isNull(arguments[1]) else { return sqlite3_result_null(context) }
        let (width, moment) = (sqlite3_value_int64(arguments[0]), sqlite3_value_int64(arguments[1]))
        let (distance, overflow) = moment.subtractingReportingOverflow(sqlite3_value_int64(arguments[2]))
        guard width > 0, !overflow else { return sqlite3_result_null(context) }
        let offset = distance % width
        sqlite3_result_int64(context, moment &- (offset < 0 ? offset &+ width : offset))
    }

    private static func date(
        _ context: OpaquePointer?, _ arguments: UnsafeMutablePointer<OpaquePointer?>?,
        _ compute: (String, Int64) -> Int64?
    ) {
        guard let arguments, !SQLiteValue.isNull(arguments[1]) else { return sqlite3_result_null(context) }
        let unit = SQLiteValue.text(arguments[0]).lowercased()
        let moment = Calendar.bounded(sqlite3_value_int64(arguments[1]))
        if let result = compute(unit, moment) {
            sqlite3_result_int64(context, result)
        } else {
            SQLiteValue.setError(context, "there is no unit of time '\(unit.prefix(100))'")
        }
    }

    private static func truncated(_ unit: String, _ moment: Int64) -> Int64? {
        let day = Calendar.floorDivide(moment, Calendar.millisecondsPerDay)
        let date = Calendar.date(days: day)
        let days: Int64
        switch unit {
        case "year": days = Calendar.days(year: date.year, month: 1, day: 1)
        case "quarter": days = Calendar.days(year: date.year, month: (date.month - 1) / 3 * 3 + 1, day: 1)
        case "month": days = Calendar.days(year: date.year, month: date.month, day: 1)
        case "week": days = day - Calendar.daysSinceMonday(day)
        case "day": days = day
        default:
            guard let width = Interval.unit(unit)?.milliseconds, width >= 1 else { return nil }
            return Calendar.floorDivide(moment, Int64(width)) * Int64(width)
        }
        return days * Calendar.millisecondsPerDay
    }

    private static func part(_ unit: String, _ moment: Int64) -> Int64? {
        let day = Calendar.floorDivide(moment, Calendar.millisecondsPerDay)
        let ofDay = moment - day * Calendar.millisecondsPerDay
        let date = Calendar.date(days: day)
        switch unit {
        case "year": return date.year
        case "quarter": return (date.month - 1) / 3 + 1
        case "month": return date.month
        case "week": return week(of: day)
        case "day": return date.day
        case "hour": return ofDay / 3_600_000
        case "minute": return ofDay / 60_000 % 60
        case "second": return ofDay / 1000 % 60
        case "millisecond", "milliseconds": return ofDay % 60_000
        case "microsecond", "microseconds": return ofDay % 60_000 * 1000
        case "isodow": return Calendar.daysSinceMonday(day) + 1
        case "dow": return (Calendar.daysSinceMonday(day) + 1) % 7
        case "doy": return Calendar.dayOfYear(day)
        case "epoch": return Calendar.floorDivide(moment, 1000)
        default: return nil
        }
    }

    /// The week of ISO 8601: the first one of a year is that of its first Thursday.
    private static func week(of day: Int64) -> Int64 {
        let thursday = day - Calendar.daysSinceMonday(day) + 3
        return (Calendar.dayOfYear(thursday) - 1) / 7 + 1
    }

    private static func splitPart(_ context: OpaquePointer?, _ arguments: UnsafeMutablePointer<OpaquePointer?>?) {
        guard let arguments, !(0..<3).contains(where: { SQLiteValue.isNull(arguments[$0]) }) else {
            return sqlite3_result_null(context)
        }
        let separator = SQLiteValue.text(arguments[1])
        let text = SQLiteValue.text(arguments[0])
        let parts = separator.isEmpty ? [text[...]] : text.split(separator: separator, omittingEmptySubsequences: false)
        let number = sqlite3_value_int64(arguments[2])
        let index = number > 0 ? number - 1 : Int64(parts.count) &+ number
        let part = index >= 0 && index < Int64(parts.count) ? parts[Int(index)] : ""
        SQLiteValue.setText(context, String(part))
    }

    /// The greatest or least argument; nulls do not count.
    private static func extreme(
        _ context: OpaquePointer?, _ count: CInt, _ arguments: UnsafeMutablePointer<OpaquePointer?>?, sign: Int
    ) {
        var found: OpaquePointer?
        for index in 0..<Int(count) {
            guard let value = arguments?[index], !SQLiteValue.isNull(value) else { continue }
            if found == nil || SQLiteValue.compare(value, found) * sign > 0 { found = value }
        }
        if let found { sqlite3_result_value(context, found) } else { sqlite3_result_null(context) }
    }
}

/// LIKE: `%` stands for any text, `_` for any character.
enum LikePattern {
    /// Whether all of `text` matches. Time: the product of both lengths at most.
    static func matches(_ text: [Unicode.Scalar], _ pattern: [Unicode.Scalar], escape: Unicode.Scalar?) -> Bool {
        var (place, mark) = (0, 0)
        // Where to go on after the last `%` if what follows it does not match.
        var retry: (place: Int, mark: Int)?
        while place < text.count {
            if mark < pattern.count, pattern[mark] == "%" {
                mark += 1
                retry = (place, mark)
                continue
            }
            if mark < pattern.count {
                let isEscaped = pattern[mark] == escape && mark + 1 < pattern.count
                let wanted = isEscaped ? pattern[mark + 1] : pattern[mark]
                if (wanted == "_" && !isEscaped) || wanted == text[place] {
                    place += 1
                    mark += isEscaped ? 2 : 1
                    continue
                }
            }
            guard let last = retry else { return false }
            retry = (last.place + 1, last.mark)
            (place, mark) = (last.place + 1, last.mark)
        }
        while mark < pattern.count, pattern[mark] == "%" { mark += 1 }
        return mark == pattern.count
    }
}
