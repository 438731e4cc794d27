import HoldfastServiceProtocol
import HoldfastWire

/// Durable promises of workflows, and the commands that wait for them.
///
///     partition · 0x12 · object · name                    →   version · result (protobuf; empty: not completed)
///     partition · 0x13 · object · length, name · sequence →   caller (protobuf)
///
/// A promise has a row as soon as somebody waits for it. It is completed once, and kept as long as the workflow's run.
public struct PromiseTable {
    private static let version: UInt8 = 1

    let partition: PartitionIndex

    /// The table of one partition.
    public init(partition: PartitionIndex) { self.partition = partition }

    /// The result, or nil if the promise is not completed or was never heard of.
    func result(_ name: String, of object: ObjectID, _ store: any ReadableStore) throws(StorageError) -> Completion? {
        guard let value = try store.get(.state, key(object, name)) else { return nil }
        return try Self.result(value)
    }

    func complete(_ name: String, of object: ObjectID, with result: Completion, _ store: any Transaction) {
        var writer = ProtobufWriter()
        result.encode(into: &writer)
        store.put(.state, key(object, name), ([Self.version] + writer.bytes)[...])
    }

    func wait(
        _ caller: CallerReference, for name: String, of object: ObjectID, sequence: UInt64, _ store: any Transaction
    ) {
        store.put(.state, key(object, name), [Self.version])
        var row = listeners(object, name)
        row.append(sequence)
        var writer = ProtobufWriter(capacity: 48)
        caller.encode(into: &writer)
        store.put(.state, row.bytes, writer.bytes[...])
    }

    /// Removes and returns the commands that wait, in the order in which they came.
    func takeListeners(_ name: String, of object: ObjectID, _ store: any Transaction) throws(StorageError)
        -> [CallerReference]
    {
        var callers: [CallerReference] = []
        let rows = listeners(object, name)
        try store.scan(.state, from: rows.bytes, to: rows.end) { key, value throws(StorageError) in
            do throws(WireError) {
                callers.append(try CallerReference(decoding: value))
            } catch {
                throw .damagedRecord("promise listener", error.what)
            }
            return true
        }
        try store.deleteAll(.state, from: rows.bytes, to: rows.end)
        return callers
    }

    /// Removes all promises of a workflow; who still waits for one waits for ever (semantics §9.2).
    func clearAll(of object: ObjectID, _ store: any Transaction) throws(StorageError) {
        for tag in [Tag.promise, .promiseListener] {
            var rows = Key(partition, tag: tag)
            rows.append(object)
            try store.deleteAll(.state, from: rows.bytes, to: rows.end)
        }
    }

    /// Visits all promises of the partition, for introspection, until `visit` returns false.
    public func all(
        _ store: any ReadableStore,
        _ visit: (_ object: ObjectID, _ name: String, _ result: Completion?) throws(StorageError) -> Bool
    ) throws(StorageError) {
        let rows = Key(partition, tag: .promise)
        try store.scan(.state, from: rows.bytes, to: rows.end) { key, value throws(StorageError) in
            var reader = try StoreReader(key: key, tag: .promise)
            return try visit(try reader.object(), reader.remainder().lossyString, try Self.result(value))
        }
    }

    private static func result(_ value: Bytes) throws(StorageError) -> Completion? {
        guard value.first == version else { throw .damagedRecord("promise", "its version is unknown") }
        guard value.count > 1 else { return nil }
        do throws(WireError) {
            return try Completion(decoding: value.dropFirst())
        } catch {
            throw .damagedRecord("promise", error.what)
        }
    }

    private func key(_ object: ObjectID, _ name: String) -> [UInt8] {
        var key = Key(partition, tag: .promise)
        key.append(object)
        key.append(rest: Bytes(utf8: name))
        return key.bytes
    }

    private func listeners(_ object: ObjectID, _ name: String) -> Key {
        var key = Key(partition, tag: .promiseListener)
        key.append(object)
        key.append(name)
        return key
    }
}
