import HoldfastWire

/// Which invocation owns which virtual object, from its first start until its end: through back-off, suspension and
/// pause (semantics §2).
///
///     partition · 0x23 · object   →   invocation id (24) · sequence (8)
///
/// All that waits in the object's inbox has a number behind `sequence`: a scan of the inbox begins there, and need not
/// step over the many rows that were removed in front of it and are not compacted yet.
public struct LockTable {
    struct Lock {
        var holder: InvocationID
        /// The inbox has nothing up to this number.
        var inboxStart: UInt64
    }

    let partition: PartitionIndex

    /// The table of one partition.
    public init(partition: PartitionIndex) { self.partition = partition }

    func lock(of object: ObjectID, _ store: any ReadableStore) throws(StorageError) -> Lock? {
        guard let value = try store.get(.queues, row(object)) else { return nil }
        return try Self.lock(value)
    }

    func put(_ lock: Lock, on object: ObjectID, _ store: any Transaction) {
        var value = lock.holder.bytes
        value.append(bigEndian: lock.inboxStart)
        store.put(.queues, row(object), value[...])
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
            return try visit(try reader.object(), try Self.lock(value).holder)
        }
    }

    private static func lock(_ value: Bytes) throws(StorageError) -> Lock {
        guard let id = InvocationID(bytes: value.prefix(24)), let start = UInt64(bigEndian: value.dropFirst(24)) else {
            throw .damagedRecord("lock", "it is \(value.count) bytes long")
        }
        return Lock(holder: id, inboxStart: start)
    }

    private func row(_ object: ObjectID) -> [UInt8] {
        var key = Key(partition, tag: .lock)
        key.append(object)
        return key.bytes
    }
}
