import HoldfastWire

/// The values of one column in Arrow's layout: which are null, and the values or where they end.
struct ArrowColumn {
    private let type: ArrowType
    private var count = 0
    private var nullCount = 0
    private var validity: [UInt8] = []
    /// Values of fixed width, or all bytes of the others.
    private var values: [UInt8] = []
    /// Where each value of other width begins, and where the last one ends.
    private var ends: [UInt8] = []
    /// The elements of lists.
    private var elements: [ArrowColumn] = []

    init(_ type: SQLType) {
        self.init(ArrowType(type))
    }

    private init(_ type: ArrowType) {
        self.type = type
        switch type {
        case .string, .binary: ends = [UInt8](repeating: 0, count: 8)
        case .stringList, .uint32List, .int64List: ends = [UInt8](repeating: 0, count: 4)
        default: break
        }
        if let element = type.element { elements.append(ArrowColumn(element)) }
    }

    /// Appends a value; returns about how many bytes that took.
    mutating func append(_ row: borrowing SQLiteConnection.Row, _ column: Int) -> Int {
        let before = values.count
        let isNull = row.isNull(column)
        mark(isNull: isNull)
        switch type {
        case .null:
            break
        case .boolean:
            setBit(row.integer(column) ?? 0 != 0, in: &values)
        case .int64, .uint64, .timestamp, .localTimestamp, .duration:
            append(row.integer(column) ?? Int64(clampingDouble: row.double(column)))
        case .uint32, .date:
            append(Int32(truncatingIfNeeded: row.integer(column) ?? Int64(clampingDouble: row.double(column))))
        case .double:
            append(row.double(column).bitPattern)
        case .string, .binary:
            if !isNull { row.withBytes(column) { values.append(contentsOf: $0) } }
            append(Int64(values.count), to: &ends)
        case .stringList, .uint32List, .int64List:
            if !isNull { row.withBytes(column) { appendElements(of: String(decoding: $0, as: UTF8.self)) } }
            append(Int32(truncatingIfNeeded: elements.first?.count ?? 0), to: &ends)
        }
        count += 1
        return values.count - before + 8
    }

    /// Appends the buffers, each filled up to a multiple of 8, and what describes them.
    func append(to body: inout [UInt8], _ nodes: inout [(Int, Int)], _ buffers: inout [(Int, Int)]) {
        func add(_ buffer: [UInt8]) {
            buffers.append((body.count, buffer.count))
            body.append(contentsOf: buffer)
            while body.count % 8 != 0 { body.append(0) }
        }
        nodes.append((count, nullCount))
        // Nothing but nulls needs no bytes.
        if case .null = type { return }
        add(nullCount == 0 ? [] : validity)
        if !ends.isEmpty { add(ends) }
        if let element = elements.first { element.append(to: &body, &nodes, &buffers) } else { add(values) }
    }

    private mutating func appendElements(of list: String) {
        for element in Self.elements(of: list) {
            elements[0].mark(isNull: element == nil)
            switch elements[0].type {
            case .string:
                elements[0].values.append(contentsOf: (element ?? "").utf8)
                elements[0].append(Int64(elements[0].values.count), to: &elements[0].ends)
            case .int64:
                elements[0].append(element.flatMap { Int64($0) } ?? 0)
            default:
                elements[0].append(Int32(truncatingIfNeeded: element.flatMap { Int64($0) } ?? 0))
            }
            elements[0].count += 1
        }
    }

    /// The members of a JSON array of strings or numbers.
    private static func elements(of list: String) -> [String?] {
        guard let members = try? JSON(parsing: list).array else { return [] }
        return members.map { $0.isNull ? nil : $0.string ?? $0.text }
    }

    private mutating func mark(isNull: Bool) {
        if isNull { nullCount += 1 }
        setBit(!isNull, in: &validity)
    }

    /// Sets the bit of the value that is being appended.
    private func setBit(_ bit: Bool, in bits: inout [UInt8]) {
        if count % 8 == 0 { bits.append(0) }
        if bit { bits[count / 8] |= 1 << UInt8(count % 8) }
    }

    private mutating func append<Integer: FixedWidthInteger>(_ value: Integer) {
        append(value, to: &values)
    }

    private func append<Integer: FixedWidthInteger>(_ value: Integer, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }
}

extension Int64 {
    /// The nearest integer; zero for what is no number.
    init(clampingDouble value: Double) {
        self = Int64(exactly: value.rounded()) ?? (value.isNaN ? 0 : value < 0 ? .min : .max)
    }
}
