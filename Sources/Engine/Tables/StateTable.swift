import HoldfastWire

/// The state of virtual objects and workflows: one row per key.
///
///     partition · 0x11 · object · state key   →   value
///
/// Cost: get, put, clear 1; clearAll and entries 1 seek and one per row.
public struct StateTable {
    let partition: PartitionIndex

    /// The table of one partition.
    public init(partition: PartitionIndex) { self.partition = partition }

    /// The value, or nil if there is none; an empty value is a value.
    public func value(of key: Bytes, in object: ObjectID, _ store: any ReadableStore) throws(StorageError) -> Bytes? {
        try store.get(.state, row(object, key))
    }

    func put(_ value: Bytes, for key: Bytes, in object: ObjectID, _ store: any Transaction) {
        store.put(.state, row(object, key), value)
    }

    func clear(_ key: Bytes, in object: ObjectID, _ store: any Transaction) {
        store.delete(.state, row(object, key))
    }

    func clearAll(in object: ObjectID, _ store: any Transaction) throws(StorageError) {
        let rows = prefix(object)
        try store.deleteAll(.state, from: rows.bytes, to: rows.end)
    }

    /// Visits the state in the order of keys, until `visit` returns false.
    public func entries(
        of object: ObjectID, _ store: any ReadableStore, _ visit: (_ key: Bytes, _ value: Bytes) -> Bool
    ) throws(StorageError) {
        let rows = prefix(object)
        try store.scan(.state, from: rows.bytes, to: rows.end) { key, value throws(StorageError) in
            visit(key.dropFirst(rows.bytes.count), value)
        }
    }

    /// Visits all state of the partition, or only that of objects in scopes, for introspection, until `visit` returns
    /// false.
    public func all(
        onlyScoped: Bool = false, _ store: any ReadableStore,
        _ visit: (_ object: ObjectID, _ key: Bytes, _ value: Bytes) throws(StorageError) -> Bool
    ) throws(StorageError) {
        let rows = Key(partition, tag: .state)
        try store.scan(.state, from: rows.bytes + (onlyScoped ? [1] : []), to: rows.end) {
            key, value throws(StorageError) in
            var reader = try StoreReader(key: key, tag: .state)
            return try visit(try reader.object(), reader.remainder(), value)
        }
    }

    private func prefix(_ object: ObjectID) -> Key {
        var key = Key(partition, tag: .state)
        key.append(object)
        return key
    }

    private func row(_ object: ObjectID, _ stateKey: Bytes) -> [UInt8] {
        var key = prefix(object)
        key.append(rest: stateKey)
        return key.bytes
    }
}
