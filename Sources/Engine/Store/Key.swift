import HoldfastWire

/// Builds a key of the store: big-endian, so that the order of bytes is the order of values.
///
///     partition (2) · tag (1, where a family holds several tables) · components
///
/// Components of variable length carry their length in front, so that no key is a prefix of another's and a prefix of
/// components is a contiguous range.
struct Key {
    private(set) var bytes: [UInt8]

    init(_ partition: PartitionIndex, capacity: Int = 48) {
        bytes = []
        bytes.reserveCapacity(capacity)
        append(partition)
    }

    init(_ partition: PartitionIndex, tag: Tag, capacity: Int = 64) {
        self.init(partition, capacity: capacity)
        bytes.append(tag.rawValue)
    }

    mutating func append(_ value: some FixedWidthInteger & UnsignedInteger) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func append(_ id: InvocationID) {
        append(id.partitionKey)
        append(id.uuid)
    }

    mutating func append(_ text: String) {
        append(UInt32(truncatingIfNeeded: text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    mutating func append(_ object: ObjectID) {
        if let scope = object.scope {
            bytes.append(1)
            append(scope)
        } else {
            bytes.append(0)
        }
        append(object.service)
        append(object.key)
    }

    /// The last component: needs no length.
    mutating func append(rest: Bytes) {
        bytes.append(contentsOf: rest)
    }

    /// The first key that does not begin with these bytes.
    var end: [UInt8] {
        var end = bytes
        while let last = end.popLast() {
            if last < .max {
                end.append(last + 1)
                return end
            }
        }
        return [.max]
    }
}

/// Tables that share a family. Stored: never changed, never used again for something else.
enum Tag: UInt8 {
    // Family.journals, behind the invocation's id.
    case journalEntry = 0x01
    case journalEvent = 0x02
    case caller = 0x03
    // Family.state
    case state = 0x11
    case promise = 0x12
    case promiseListener = 0x13
    // Family.queues
    case timer = 0x21
    case inbox = 0x22
    case lock = 0x23
    case outbox = 0x24
    case received = 0x25
    case expiry = 0x26
    case sequence = 0x27
    case deferredStart = 0x28
    case journalRemains = 0x29
    case backOff = 0x2A
}

/// Takes a key, or a value of fixed layout, apart again. They come from the store: nothing is taken for granted.
struct StoreReader {
    private var rest: Bytes

    /// Reads the bytes from their beginning.
    init(_ bytes: Bytes) { rest = bytes }

    /// Skips the partition of a key and, if given, checks the tag.
    init(key: Bytes, tag: Tag? = nil) throws(StorageError) {
        rest = key.dropFirst(2)
        if let tag {
            guard rest.popFirst() == tag.rawValue else { throw .damagedKey(key) }
        }
    }

    mutating func integer<Value: FixedWidthInteger & UnsignedInteger>(_: Value.Type = Value.self) throws(StorageError)
        -> Value
    {
        let size = Value.bitWidth / 8
        guard rest.count >= size else { throw .damagedKey(rest) }
        var value = Value.zero
        for byte in rest.prefix(size) { value = value << 8 | Value(byte) }
        rest = rest.dropFirst(size)
        return value
    }

    mutating func invocationID() throws(StorageError) -> InvocationID {
        InvocationID(partitionKey: try integer(), uuid: try integer())
    }

    mutating func text() throws(StorageError) -> String {
        let count = Int(try integer(UInt32.self))
        guard rest.count >= count, let text = rest.prefix(count).utf8String else { throw .damagedKey(rest) }
        rest = rest.dropFirst(count)
        return text
    }

    mutating func object() throws(StorageError) -> ObjectID {
        let hasScope = try integer(UInt8.self) == 1
        return ObjectID(scope: hasScope ? try text() : nil, service: try text(), key: try text())
    }

    /// What is left: the last component.
    func remainder() -> Bytes { rest }
}

extension StorageError {
    static func damagedKey(_ key: Bytes) -> Self {
        Self(
            .damaged,
            "A key of the store cannot be decoded: \(key.hex). "
                + "The data directory was written by another program or is damaged; restore a backup.")
    }

    static func damagedRecord(_ what: String, _ why: String) -> Self {
        Self(
            .damaged,
            "A record of the store (\(what)) cannot be decoded: \(why). "
                + "The data directory was written by another program or is damaged; restore a backup.")
    }
}
