import HoldfastWire

/// The invocations whose record keeps a back-off, those first that a registration does not help.
///
///     partition · 0x2a · awaits registration (1) · invocation id   →   (empty)
///
/// When a back-off ends by itself its timer says so. This table is for what ends many of them, and for whoever lists
/// them. Cost: one write for each that is put or removed.
public struct BackOffTable {
    let partition: PartitionIndex

    /// The table of one partition.
    public init(partition: PartitionIndex) { self.partition = partition }

    func put(_ id: InvocationID, _ backOff: BackOff, _ store: any Transaction) {
        store.put(.queues, key(id, backOff.awaitsRegistration), [])
    }

    func remove(_ id: InvocationID, _ backOff: BackOff, _ store: any Transaction) {
        store.delete(.queues, key(id, backOff.awaitsRegistration))
    }

    /// Visits all of them until `visit` returns false.
    public func all(
        _ store: any ReadableStore, _ visit: (_ id: InvocationID) throws(StorageError) -> Bool
    ) throws(StorageError) {
        let all = Key(partition, tag: .backOff)
        try store.scan(.queues, from: all.bytes, to: all.end) { key, _ throws(StorageError) in
            try visit(try Self.id(key))
        }
    }

    /// Those behind `previous` that a registration may help, at most `limit`.
    func awaitingRegistration(
        after previous: InvocationID?, limit: Int, _ store: any ReadableStore
    ) throws(StorageError) -> [InvocationID] {
        var ids: [InvocationID] = []
        guard limit > 0 else { return ids }
        let rows = prefix(awaitsRegistration: true)
        let from = previous.map { key($0, true) + [0] } ?? rows.bytes
        try store.scan(.queues, from: from, to: rows.end) { key, _ throws(StorageError) in
            ids.append(try Self.id(key))
            return ids.count < limit
        }
        return ids
    }

    private static func id(_ key: Bytes) throws(StorageError) -> InvocationID {
        var reader = try StoreReader(key: key, tag: .backOff)
        _ = try reader.integer(UInt8.self)
        return try reader.invocationID()
    }

    private func prefix(awaitsRegistration: Bool) -> Key {
        var key = Key(partition, tag: .backOff)
        key.append((awaitsRegistration ? 1 : 0) as UInt8)
        return key
    }

    private func key(_ id: InvocationID, _ awaitsRegistration: Bool) -> [UInt8] {
        var key = prefix(awaitsRegistration: awaitsRegistration)
        key.append(id)
        return key.bytes
    }
}
