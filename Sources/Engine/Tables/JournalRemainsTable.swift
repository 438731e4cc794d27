import HoldfastWire

/// Journals that are forgotten, and whose rows are not all removed yet: a long one is removed in steps, behind the
/// users' work.
///
///     partition · 0x29 · invocation id   →   entries (4) · events (4): the rows that are left have lower indexes
///
/// When the id is used again first, the new life takes the row over: it overwrites what is left, and removes the rest
/// with its own. Whoever reads a journal goes by the length in its record, and so never sees any of it.
struct JournalRemainsTable {
    let partition: PartitionIndex

    func put(_ rows: JournalRows, of id: InvocationID, _ store: any Transaction) {
        var value: [UInt8] = []
        value.append(bigEndian: rows.entries)
        value.append(bigEndian: rows.events)
        store.put(.queues, key(id), value[...])
    }

    func take(_ id: InvocationID, _ store: any Transaction) throws(StorageError) -> JournalRows? {
        let key = key(id)
        guard let value = try store.get(.queues, key) else { return nil }
        store.delete(.queues, key)
        return try Self.rows(value)
    }

    /// The first one, or nil if there is none. Cost: one seek.
    func first(_ store: any ReadableStore) throws(StorageError) -> (id: InvocationID, rows: JournalRows)? {
        var first: (InvocationID, JournalRows)?
        try all(store) { id, rows in
            first = (id, rows)
            return false
        }
        return first
    }

    func all(
        _ store: any ReadableStore, _ visit: (InvocationID, JournalRows) -> Bool
    ) throws(StorageError) {
        let all = Key(partition, tag: .journalRemains)
        try store.scan(.queues, from: all.bytes, to: all.end) { key, value throws(StorageError) in
            var reader = try StoreReader(key: key, tag: .journalRemains)
            return visit(try reader.invocationID(), try Self.rows(value))
        }
    }

    private static func rows(_ value: Bytes) throws(StorageError) -> JournalRows {
        var reader = StoreReader(value)
        return JournalRows(entries: try reader.integer(), events: try reader.integer())
    }

    private func key(_ id: InvocationID) -> [UInt8] {
        var key = Key(partition, tag: .journalRemains)
        key.append(id)
        return key.bytes
    }
}

/// How many rows a journal may have in the store: those with indexes below.
struct JournalRows: Equatable {
    var entries: UInt32 = 0
    var events: UInt32 = 0

    var isEmpty: Bool { entries == 0 && events == 0 }
}
