import HoldfastWire

/// The requests that wait for a virtual object, in the order in which they arrived.
///
/// At most one exclusive invocation runs per key; the others wait here, on disk, at no cost in memory (rule 5).
/// `sequence` never repeats within a partition, so that a scan in key order is in order of arrival.
///
///     partition · 0x22 · object · sequence (8)   →   0 · invocation id (24), or 1 · state mutation
///
/// Cost: put 1 write; first 1 seek and read.
public struct InboxTable {
    /// What waits.
    public enum Entry: Sendable {
        /// An invocation, to become the owner.
        case invocation(InvocationID)
        /// An operator's change of the state, to be applied between two owners.
        case mutation(StateMutation)
    }

    let partition: PartitionIndex

    /// The table of one partition.
    public init(partition: PartitionIndex) { self.partition = partition }

    func put(_ entry: Entry, for object: ObjectID, sequence: UInt64, _ store: any Transaction) {
        let value =
            switch entry {
            case .invocation(let id): [0] + id.bytes
            case .mutation(let mutation): [1] + mutation.stored
            }
        store.put(.queues, key(object, sequence), value[...])
    }

    func remove(for object: ObjectID, sequence: UInt64, _ store: any Transaction) {
        store.delete(.queues, key(object, sequence))
    }

    /// The entry that has waited longest, or nil; there is none up to `start`.
    func first(
        for object: ObjectID, after start: UInt64, _ store: any ReadableStore
    ) throws(StorageError) -> (entry: Entry, sequence: UInt64)? {
        var first: (Entry, UInt64)?
        try store.scan(.queues, from: key(object, start), to: prefix(object).end) { key, value throws(StorageError) in
            guard let sequence = UInt64(bigEndian: key.suffix(8)) else { throw .damagedKey(key) }
            first = (try Self.entry(value), sequence)
            return false
        }
        return first
    }

    /// Visits all that waits in the partition, for introspection, until `visit` returns false.
    public func all(
        _ store: any ReadableStore,
        _ visit: (_ object: ObjectID, _ sequence: UInt64, _ entry: Entry) throws(StorageError) -> Bool
    ) throws(StorageError) {
        let rows = Key(partition, tag: .inbox)
        try store.scan(.queues, from: rows.bytes, to: rows.end) { key, value throws(StorageError) in
            var reader = try StoreReader(key: key, tag: .inbox)
            return try visit(try reader.object(), try reader.integer(), try Self.entry(value))
        }
    }

    private static func entry(_ value: Bytes) throws(StorageError) -> Entry {
        switch value.first {
        case 0:
            guard let id = InvocationID(bytes: value.dropFirst()) else {
                throw .damagedRecord("inbox", "it is not an invocation id")
            }
            return .invocation(id)
        case 1:
            do throws(WireError) {
                return .mutation(try StateMutation(decoding: value.dropFirst()))
            } catch {
                throw .damagedRecord("inbox", error.what)
            }
        default: throw .damagedRecord("inbox", "its kind is unknown")
        }
    }

    private func prefix(_ object: ObjectID) -> Key {
        var key = Key(partition, tag: .inbox)
        key.append(object)
        return key
    }

    private func key(_ object: ObjectID, _ sequence: UInt64) -> [UInt8] {
        var key = prefix(object)
        key.append(sequence)
        return key.bytes
    }
}
