import HoldfastServiceProtocol
import HoldfastWire

/// The journals of the partition's invocations: commands and notifications in the order in which they became durable.
///
///     partition · invocation id · 0x01 · entry index   →   version · type (2) · appended ms (8) · callee · payload
///     partition · invocation id · 0x02 · event index   →   version · event (protobuf)
///     partition · invocation id · 0x03 · caller        →   notification type (2)
///
/// `callee` is one byte 0, or for Call and OneWayCall one byte 1, the callee's id (24), the kind of its handler (1),
/// and its completion and journal retention in milliseconds (8 each). The payload is stored as the bytes it came as.
///
/// An entry is written once and removed with all others of its invocation, by index: no scan, no range tombstone. The
/// indexes are below the counts in the invocation's record; rows behind are remains (`JournalRemainsTable`).
public struct JournalTable {
    /// An entry of a journal.
    public struct Entry: Sendable {
        /// The message's type: a command or a notification.
        public var type: MessageType
        /// When it was appended.
        public var appended: Timestamp
        /// What a Call or OneWayCall called.
        public var callee: Callee?
        /// The message as it came.
        public var payload: Bytes
    }

    /// What the engine keeps of a callee beside the command's bytes.
    public struct Callee: Sendable {
        /// The callee's invocation.
        public var id: InvocationID
        /// The kind of its handler when it was called.
        public var kind: TargetKind
        /// How long its result is kept, in milliseconds.
        public var completionRetention: UInt64
        /// How long its journal is kept, in milliseconds.
        public var journalRetention: UInt64
    }

    private static let version: UInt8 = 1

    let partition: PartitionIndex

    /// The table of one partition.
    public init(partition: PartitionIndex) { self.partition = partition }

    func put(_ entry: Entry, _ id: InvocationID, index: UInt32, _ store: any Transaction) {
        var value: [UInt8] = []
        value.reserveCapacity(entry.payload.count + (entry.callee == nil ? 12 : 53))
        value.append(Self.version)
        value.append(bigEndian: entry.type.rawValue)
        value.append(bigEndian: entry.appended.millis)
        if let callee = entry.callee {
            value.append(1)
            callee.id.append(to: &value)
            value.append(callee.kind.rawValue)
            value.append(bigEndian: callee.completionRetention)
            value.append(bigEndian: callee.journalRetention)
        } else {
            value.append(0)
        }
        value.append(contentsOf: entry.payload)
        store.put(.journals, key(id, .journalEntry, index), value[...])
    }

    /// The entry at an index, or nil if there is none.
    public func entry(_ id: InvocationID, index: UInt32, _ store: any ReadableStore) throws(StorageError) -> Entry? {
        guard let value = try store.get(.journals, key(id, .journalEntry, index)) else { return nil }
        return try Self.entry(value)
    }

    /// Visits the entries with `from <= index < to` in order, until `visit` returns false.
    ///
    /// What is behind the length in the invocation's record may belong to a former life of its id.
    public func entries(
        _ id: InvocationID, from: UInt32 = 0, to: UInt32, _ store: any ReadableStore,
        _ visit: (_ index: UInt32, _ entry: Entry) throws(StorageError) -> Bool
    ) throws(StorageError) {
        try store.scan(.journals, from: key(id, .journalEntry, from), to: key(id, .journalEntry, to)) {
            key, value throws(StorageError) in
            guard let index = UInt32(bigEndian: key.suffix(4)) else { throw .damagedKey(key) }
            return try visit(index, try Self.entry(value))
        }
    }

    /// Removes at most `limit` rows, the last ones first; `rows` are those that are left.
    ///
    /// - Returns: How many were removed.
    func remove(_ rows: inout JournalRows, of id: InvocationID, limit: Int, _ store: any Transaction) -> Int {
        var removed = 0
        while rows.entries > 0, removed < limit {
            rows.entries -= 1
            removed += 1
            store.delete(.journals, key(id, .journalEntry, rows.entries))
        }
        while rows.events > 0, removed < limit {
            rows.events -= 1
            removed += 1
            store.delete(.journals, key(id, .journalEvent, rows.events))
        }
        return removed
    }

    // MARK: - Events

    func put(_ event: JournalEvent, _ id: InvocationID, index: UInt32, _ store: any Transaction) {
        store.put(.journals, key(id, .journalEvent, index), ([Self.version] + event.encoded)[...])
    }

    /// One event of an invocation, or nil if there is none of that index.
    public func event(
        _ id: InvocationID, index: UInt32, _ store: any ReadableStore
    ) throws(StorageError) -> JournalEvent? {
        guard let value = try store.get(.journals, key(id, .journalEvent, index)) else { return nil }
        return try JournalEvent(stored: value)
    }

    /// The first `count` events of an invocation, in the order in which they happened: all that its record counts.
    public func events(
        _ id: InvocationID, count: UInt32, _ store: any ReadableStore
    ) throws(StorageError) -> [JournalEvent] {
        var events: [JournalEvent] = []
        try store.scan(.journals, from: key(id, .journalEvent, 0), to: key(id, .journalEvent, count)) {
            _, value throws(StorageError) in
            events.append(try JournalEvent(stored: value))
            return true
        }
        return events
    }

    // MARK: - Further callers

    func put(_ caller: CallerReference, of id: InvocationID, _ store: any Transaction) {
        var type: [UInt8] = []
        type.append(bigEndian: caller.type.rawValue)
        store.put(.journals, row(caller, of: id), type[...])
    }

    func hasCaller(
        _ caller: CallerReference, of id: InvocationID, _ store: any ReadableStore
    ) throws(StorageError) -> Bool {
        try store.get(.journals, row(caller, of: id)) != nil
    }

    private func row(_ caller: CallerReference, of id: InvocationID) -> [UInt8] {
        var row = key(id, .caller)
        row.append(caller.id)
        row.append(caller.incarnation)
        row.append(caller.completionID)
        return row.bytes
    }

    /// Removes and returns the callers beyond the first.
    func takeCallers(of id: InvocationID, _ store: any Transaction) throws(StorageError) -> [CallerReference] {
        var callers: [CallerReference] = []
        let rows = key(id, .caller)
        try store.scan(.journals, from: rows.bytes, to: rows.end) { key, value throws(StorageError) in
            var reader = StoreReader(key.dropFirst(27))
            guard let type = UInt16(bigEndian: value) else { throw .damagedKey(key) }
            callers.append(
                CallerReference(
                    id: try reader.invocationID(), incarnation: try reader.integer(),
                    completionID: try reader.integer(), type: MessageType(rawValue: type)))
            return true
        }
        try store.deleteAll(.journals, from: rows.bytes, to: rows.end)
        return callers
    }

    private static func entry(_ value: Bytes) throws(StorageError) -> Entry {
        guard value.count >= 12, value.first == version else {
            throw .damagedRecord("journal entry", "its version is \(value.first.map(String.init) ?? "missing")")
        }
        var reader = StoreReader(value.dropFirst())
        let type = MessageType(rawValue: try reader.integer())
        let appended = Timestamp(millis: try reader.integer())
        var callee: Callee?
        if try reader.integer(UInt8.self) == 1 {
            let id = try reader.invocationID()
            let kind = TargetKind(rawValue: try reader.integer())
            guard let kind else { throw .damagedRecord("journal entry", "the kind of its callee is unknown") }
            callee = Callee(
                id: id, kind: kind, completionRetention: try reader.integer(), journalRetention: try reader.integer())
        }
        return Entry(type: type, appended: appended, callee: callee, payload: reader.remainder())
    }

    private func key(_ id: InvocationID, _ tag: Tag) -> Key {
        var key = Key(partition)
        key.append(id)
        key.append(tag.rawValue)
        return key
    }

    private func key(_ id: InvocationID, _ tag: Tag, _ index: UInt32) -> [UInt8] {
        var key = key(id, tag)
        key.append(index)
        return key.bytes
    }
}
