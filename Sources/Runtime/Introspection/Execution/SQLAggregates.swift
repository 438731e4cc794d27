import CHoldfastSQLite

/// The aggregates that SQLite lacks.
enum SQLAggregates {
    static func register(in database: OpaquePointer) {
        let flags = SQLITE_UTF8 | SQLITE_INNOCUOUS
        sqlite3_create_function_v2(
            database, "hf_first", -1, flags, nil, nil,
            { context, count, arguments in
                SQLAggregates.state(context, Chosen.self) { Chosen() }?.offer(count, arguments, wantsLast: false)
            }, { SQLAggregates.finish($0, Chosen.self) { $1.result($0) } }, nil)
        sqlite3_create_function_v2(
            database, "hf_last", -1, flags, nil, nil,
            { context, count, arguments in
                SQLAggregates.state(context, Chosen.self) { Chosen() }?.offer(count, arguments, wantsLast: true)
            }, { SQLAggregates.finish($0, Chosen.self) { $1.result($0) } }, nil)
        sqlite3_create_function_v2(
            database, "hf_variance", 2, flags, nil, nil,
            { context, _, arguments in
                SQLAggregates.state(context, Numbers.self) { Numbers() }?.add(arguments?[0], arguments?[1])
            }, { SQLAggregates.finish($0, Numbers.self) { $1.variance($0) } }, nil)
        sqlite3_create_function_v2(
            database, "hf_percentile", 2, flags, nil, nil,
            { context, _, arguments in
                SQLAggregates.state(context, Numbers.self) { Numbers() }?.add(arguments?[0], arguments?[1])
            }, { SQLAggregates.finish($0, Numbers.self) { $1.percentile($0) } }, nil)
    }

    /// The object that an aggregate gathers in; SQLite keeps a pointer to it.
    private static func state<State: AnyObject>(
        _ context: OpaquePointer?, _: State.Type, _ make: () -> State
    ) -> State? {
        let size = CInt(MemoryLayout<UnsafeRawPointer?>.size)
        guard let memory = sqlite3_aggregate_context(context, size) else { return nil }
        let slot = memory.assumingMemoryBound(to: UnsafeRawPointer?.self)
        if let pointer = slot.pointee { return Unmanaged<State>.fromOpaque(pointer).takeUnretainedValue() }
        let state = make()
        slot.pointee = UnsafeRawPointer(Unmanaged.passRetained(state).toOpaque())
        return state
    }

    /// Ends a group; without rows there is no object.
    private static func finish<State: AnyObject>(
        _ context: OpaquePointer?, _: State.Type, _ body: (OpaquePointer?, State) -> Void
    ) {
        guard let memory = sqlite3_aggregate_context(context, 0) else { return sqlite3_result_null(context) }
        let slot = memory.assumingMemoryBound(to: UnsafeRawPointer?.self)
        guard let pointer = slot.pointee else { return sqlite3_result_null(context) }
        slot.pointee = nil
        body(context, Unmanaged<State>.fromOpaque(pointer).takeRetainedValue())
    }

    /// The value of the first or last row in an order: a value, how the keys are ordered, the keys.
    private final class Chosen {
        private var value: OpaquePointer?
        private var keys: [OpaquePointer?] = []

        func offer(_ count: CInt, _ arguments: UnsafeMutablePointer<OpaquePointer?>?, wantsLast: Bool) {
            guard let arguments, count >= 2 else { return }
            let directions = Array(SQLiteValue.text(arguments[1]).utf8)
            let offered = (2..<Int(count)).map { arguments[$0] }
            if value != nil {
                let order = Self.compare(offered, keys, directions)
                guard wantsLast ? order >= 0 : order < 0 else { return }
            }
            clear()
            value = sqlite3_value_dup(arguments[0])
            keys = offered.map { sqlite3_value_dup($0) }
        }

        func result(_ context: OpaquePointer?) {
            if let value { sqlite3_result_value(context, value) } else { sqlite3_result_null(context) }
        }

        private func clear() {
            sqlite3_value_free(value)
            keys.forEach { sqlite3_value_free($0) }
        }

        deinit {
            clear()
        }

        /// `directions` has two letters for each key: a or d, ascending or descending; f or l, nulls first or last.
        private static func compare(_ left: [OpaquePointer?], _ right: [OpaquePointer?], _ directions: [UInt8]) -> Int {
            for index in left.indices where index < right.count && index * 2 + 1 < directions.count {
                let nullsFirst = directions[index * 2 + 1] == UInt8(ascii: "f")
                switch (SQLiteValue.isNull(left[index]), SQLiteValue.isNull(right[index])) {
                case (true, true): continue
                case (true, false): return nullsFirst ? -1 : 1
                case (false, true): return nullsFirst ? 1 : -1
                case (false, false): break
                }
                let order = SQLiteValue.compare(left[index], right[index])
                if order != 0 { return directions[index * 2] == UInt8(ascii: "d") ? -order : order }
            }
            return 0
        }
    }

    /// Numbers of a group; their count is bounded, because they are all kept.
    private final class Numbers {
        private static let countMax = 1_000_000
        private var numbers: [Double] = []
        private var areTooMany = false

        /// The second argument, which is the same for all rows.
        private var option = 0.0

        func add(_ value: OpaquePointer?, _ option: OpaquePointer?) {
            guard !SQLiteValue.isNull(value) else { return }
            self.option = sqlite3_value_double(option)
            areTooMany = numbers.count == Self.countMax
            if !areTooMany { numbers.append(sqlite3_value_double(value)) }
        }

        /// The number that the option's share of all is below, between two of them if need be.
        func percentile(_ context: OpaquePointer?) {
            guard !areTooMany else { return refuse(context) }
            guard !numbers.isEmpty else { return sqlite3_result_null(context) }
            guard (0...1).contains(option) else {
                return SQLiteValue.setError(context, "a percentile is between 0 and 1, and not \(option)")
            }
            let sorted = numbers.sorted()
            let place = option * Double(sorted.count - 1)
            let below = Int(place)
            let above = min(below + 1, sorted.count - 1)
            sqlite3_result_double(context, sorted[below] + (sorted[above] - sorted[below]) * (place - Double(below)))
        }

        /// The option is how many are taken off the count: 1 of a sample, 0 of all there are.
        func variance(_ context: OpaquePointer?) {
            guard !areTooMany else { return refuse(context) }
            let divisor = Double(numbers.count) - option
            guard divisor > 0 else { return sqlite3_result_null(context) }
            let mean = numbers.reduce(0, +) / Double(numbers.count)
            let squares = numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
            sqlite3_result_double(context, squares / divisor)
        }

        private func refuse(_ context: OpaquePointer?) {
            SQLiteValue.setError(context, "medians and variances take at most \(Self.countMax) numbers")
        }
    }
}
