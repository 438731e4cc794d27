/// An Arrow IPC stream: the schema, one batch of all rows if there are any, and the end marker.
struct ArrowAnswer: AnswerEncoder {
    private let columns: [OutputColumn]
    private var data: [ArrowColumn]
    private var rowCount = 0
    private(set) var size = 0

    init(columns: [OutputColumn]) {
        self.columns = columns
        data = columns.map { ArrowColumn($0.type) }
    }

    mutating func append(_ row: borrowing SQLiteConnection.Row) {
        rowCount += 1
        for column in data.indices { size += data[column].append(row, column) }
    }

    consuming func finish() -> [UInt8] {
        var stream: [UInt8] = []
        Self.append(schema(), body: [], to: &stream)
        if rowCount > 0 {
            var body: [UInt8] = []
            var nodes: [(Int, Int)] = []
            var buffers: [(Int, Int)] = []
            for column in data { column.append(to: &body, &nodes, &buffers) }
            Self.append(batch(nodes, buffers, bodySize: body.count), body: body, to: &stream)
        }
        stream.append(contentsOf: [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0])
        return stream
    }

    private static func append(_ metadata: [UInt8], body: [UInt8], to stream: inout [UInt8]) {
        stream.append(contentsOf: [0xff, 0xff, 0xff, 0xff])
        withUnsafeBytes(of: UInt32(truncatingIfNeeded: metadata.count).littleEndian) { stream.append(contentsOf: $0) }
        stream.append(contentsOf: metadata)
        stream.append(contentsOf: body)
    }

    /// `Message`: version, kind of header, header, size of the body.
    private static func message(_ buffer: inout FlatBuffer, kind: UInt8, header: Int, bodySize: Int) -> [UInt8] {
        let versionFive: Int16 = 4
        buffer.field(3, Int64(bodySize))
        buffer.field(2, offset: header)
        buffer.field(0, versionFive)
        buffer.field(1, kind)
        return buffer.finish(root: buffer.table())
    }

    private func schema() -> [UInt8] {
        var buffer = FlatBuffer()
        let fields = columns.map { column in
            // A count is never null, and says so: clients that read one number rely on nothing else.
            Self.field(&buffer, column.name, ArrowType(column.type), isNullable: !column.isNeverNull)
        }
        buffer.field(1, offset: buffer.vector(fields))
        let schema = buffer.table()
        return Self.message(&buffer, kind: 1, header: schema, bodySize: 0)
    }

    private func batch(_ nodes: [(Int, Int)], _ buffers: [(Int, Int)], bodySize: Int) -> [UInt8] {
        var buffer = FlatBuffer()
        let bufferVector = buffer.vector(buffers)
        let nodeVector = buffer.vector(nodes)
        buffer.field(0, Int64(rowCount))
        buffer.field(1, offset: nodeVector)
        buffer.field(2, offset: bufferVector)
        let batch = buffer.table()
        return Self.message(&buffer, kind: 3, header: batch, bodySize: bodySize)
    }

    /// `Field`: name, nullable, kind of type, type, children.
    private static func field(
        _ buffer: inout FlatBuffer, _ name: String, _ type: ArrowType, isNullable: Bool
    ) -> Int {
        var children: [Int] = []
        if let element = type.element { children.append(field(&buffer, "item", element, isNullable: true)) }
        let childVector = buffer.vector(children)
        let typeOffset = type.write(to: &buffer)
        let nameOffset = buffer.string(name)
        buffer.field(0, offset: nameOffset)
        buffer.field(3, offset: typeOffset)
        buffer.field(5, offset: childVector)
        buffer.field(1, UInt8(isNullable ? 1 : 0))
        buffer.field(2, type.kind)
        return buffer.table()
    }
}

/// A type of Arrow's.
enum ArrowType {
    case null, boolean, int64, uint32, uint64, double, string, binary, timestamp, localTimestamp, date, duration
    case stringList, uint32List, int64List

    init(_ type: SQLType) {
        switch type {
        case .boolean: self = .boolean
        case .int64: self = .int64
        case .uint32: self = .uint32
        case .uint64: self = .uint64
        case .double: self = .double
        case .binary: self = .binary
        case .timestamp: self = .timestamp
        case .localTimestamp: self = .localTimestamp
        case .date: self = .date
        case .duration: self = .duration
        case .stringList: self = .stringList
        case .uint32List: self = .uint32List
        case .int64List: self = .int64List
        case .null: self = .null
        case .string, .interval, .json: self = .string
        }
    }

    /// The number of the type in Arrow's union.
    var kind: UInt8 {
        switch self {
        case .null: 1
        case .int64, .uint32, .uint64: 2
        case .double: 3
        case .boolean: 6
        case .date: 8
        case .timestamp, .localTimestamp: 10
        case .stringList, .uint32List, .int64List: 12
        case .duration: 18
        case .binary: 19
        case .string: 20
        }
    }

    /// What a list holds.
    var element: ArrowType? {
        switch self {
        case .stringList: .string
        case .uint32List: .uint32
        case .int64List: .int64
        default: nil
        }
    }

    func write(to buffer: inout FlatBuffer) -> Int {
        let milliseconds: Int16 = 1
        switch self {
        case .int64, .uint32, .uint64:
            buffer.field(0, Int32(self == .uint32 ? 32 : 64))
            buffer.field(1, UInt8(self == .int64 ? 1 : 0))
        case .double: buffer.field(0, Int16(2))
        case .date: buffer.field(0, Int16(0))
        case .duration, .localTimestamp: buffer.field(0, milliseconds)
        case .timestamp:
            let zone = buffer.string("+00:00")
            buffer.field(1, offset: zone)
            buffer.field(0, milliseconds)
        case .null, .boolean, .string, .binary, .stringList, .uint32List, .int64List: break
        }
        return buffer.table()
    }
}
