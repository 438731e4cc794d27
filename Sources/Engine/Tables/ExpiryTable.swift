import HoldfastWire

/// When what is kept of completed invocations may be forgotten.
///
///     partition · 0x26 · due ms · what · invocation id · incarnation   →   (empty)
public struct ExpiryTable {
    /// What is forgotten.
    enum What: UInt8 {
        case journal = 0
        case invocation = 1
    }

    struct Row {
        var due: Timestamp
        var what: What
        var id: InvocationID
        var incarnation: UInt64
    }

    let partition: PartitionIndex

    func put(_ row: Row, _ store: any Transaction) {
        store.put(.queues, key(row), [])
    }

    func remove(_ row: Row, _ store: any Transaction) {
        store.delete(.queues, key(row))
    }

    /// The first rows that are due at `now`, at most `limit`.
    func due(at now: Timestamp, limit: Int, _ store: any ReadableStore) throws(StorageError) -> [Row] {
        var end = Key(partition, tag: .expiry)
        end.append(now.millis &+ 1)
        return try rows(to: end.bytes, limit: limit, store)
    }

    /// All rows, for checks.
    func all(_ store: any ReadableStore) throws(StorageError) -> [Row] {
        try rows(to: Key(partition, tag: .expiry).end, limit: .max, store)
    }

    private func rows(to end: [UInt8], limit: Int, _ store: any ReadableStore) throws(StorageError) -> [Row] {
        var rows: [Row] = []
        try store.scan(.queues, from: Key(partition, tag: .expiry).bytes, to: end) { key, _ throws(StorageError) in
            var reader = try StoreReader(key: key, tag: .expiry)
            let due = Timestamp(millis: try reader.integer())
            guard let what = What(rawValue: try reader.integer()) else { throw .damagedKey(key) }
            rows.append(
                Row(due: due, what: what, id: try reader.invocationID(), incarnation: try reader.integer()))
            return rows.count < limit
        }
        return rows
    }

    private func key(_ row: Row) -> [UInt8] {
        var key = Key(partition, tag: .expiry)
        key.append(row.due.millis)
        key.append(row.what.rawValue)
        key.append(row.id)
        key.append(row.incarnation)
        return key.bytes
    }
}
