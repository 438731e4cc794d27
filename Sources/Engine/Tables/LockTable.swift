import HoldfastWire

/// Which invocation owns which virtual object, from its first start until its end: through back-off, suspension and
/// pause (semantics §2).
///
///     partition · 0x23 · object   →   invocation id (24 bytes)
public struct LockTable {
    let partition: PartitionIndex

    /// The table of one partition.
    public init(partition: PartitionIndex) { self.partition = partition }

    func holder(of object: ObjectID, _ store: any ReadableStore) throws(StorageError) -> InvocationID? {
        guard let value = try store.get(.queues, row(object)) else { return nil }
        return try holder(value)
    }

    func lock(_ object: ObjectID, by id: InvocationID, _ store: any Transaction) {
        store.put(.queues, row(object), id.bytes[...])
    }

    func unlock(_ object: ObjectID, _ store: any Transaction) {
        store.delete(.queues, row(object))
    }

    /// Visits all locks of the partition, for introspection, until `visit` returns false.
    public func all(
        _ store: any ReadableStore, _ visit: (_ object: ObjectID, _ holder: InvocationID) throws(StorageError) -> Bool
    ) throws(StorageError) {
        let rows = Key(partition, tag: .lock)
        try store.scan(.queues, from: rows.bytes, to: rows.end) { key, value throws(StorageError) in
            var reader = try StoreReader(key: key, tag: .lock)
            return try visit(try reader.object(), try holder(value))
        }
    }

    private func holder(_ value: Bytes) throws(StorageError) -> InvocationID {
        guard let id = InvocationID(bytes: value) else {
            throw .damagedRecord("lock", "it is \(value.count) bytes long")
        }
        return id
    }

    private func row(_ object: ObjectID) -> [UInt8] {
        var key = Key(partition, tag: .lock)
        key.append(object)
        return key.bytes
    }
}
