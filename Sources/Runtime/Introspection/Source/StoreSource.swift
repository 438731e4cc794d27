import HoldfastEngine
import HoldfastServiceProtocol
import HoldfastStorage
import HoldfastWire

/// What queries read on a server: a snapshot of the store, the registry, and what the invokers know.
final class StoreSource: IntrospectionSource {
    private let store: any Store
    private let partitionCount: PartitionIndex
    private let registry: @Sendable () -> Registry
    private let live: @Sendable () -> [LiveInvocation]
    private let serverVersion: String

    /// - Parameters:
    ///   - registry: The registry as it is now.
    ///   - live: What all invokers know now; called once per query, on the query's thread, which may wait for it.
    ///   - serverVersion: The value of `created_using_restate_version`.
    init(
        store: any Store, partitionCount: PartitionIndex, registry: @escaping @Sendable () -> Registry,
        live: @escaping @Sendable () -> [LiveInvocation], serverVersion: String
    ) {
        self.store = store
        self.partitionCount = partitionCount
        self.registry = registry
        self.live = live
        self.serverVersion = serverVersion
    }

    func begin() -> any IntrospectionSession {
        // What invokers know comes first: an invocation that ends in between is then seen as completed.
        let live = Dictionary(live().map { ($0.id, $0) }) { $1 }
        return StoreSession(
            snapshot: store.snapshot(), partitionCount: partitionCount, registry: registry(), live: live,
            serverVersion: serverVersion)
    }
}

/// One query's view of a server.
private final class StoreSession: IntrospectionSession {
    private let snapshot: any ReadableStore
    private let partitionCount: PartitionIndex
    private let registry: Registry
    private let live: [InvocationID: LiveInvocation]
    private let serverVersion: String

    init(
        snapshot: any ReadableStore, partitionCount: PartitionIndex, registry: Registry,
        live: [InvocationID: LiveInvocation], serverVersion: String
    ) {
        self.snapshot = snapshot
        self.partitionCount = partitionCount
        self.registry = registry
        self.live = live
        self.serverVersion = serverVersion
    }

    func rows(of table: TableSchema, where filter: RowFilter) throws(StorageError) -> any RowCursor {
        switch table.name {
        case TableSchema.invocation.name: TableCursor(.whole, invocations(filter, id: "id"))
        case TableSchema.invocationStatus.name: TableCursor(.status, invocations(filter, id: "id"))
        case TableSchema.idempotency.name:
            TableCursor(.idempotency, invocations(filter, id: "invocation_id") { $0.idempotencyKey != nil })
        case TableSchema.invocationState.name: TableCursor(LiveColumns.columns, try liveRows(filter))
        case TableSchema.journal.name: TableCursor(JournalRow.columns, journal(filter))
        case TableSchema.journalEvents.name: TableCursor(JournalEventRow.columns, events(filter))
        case TableSchema.state.name: TableCursor(StateRow.columns, state(filter))
        case TableSchema.promise.name: TableCursor(PromiseRow.columns, promises(filter))
        case TableSchema.inbox.name: TableCursor(InboxRow.columns, inboxes(filter))
        case TableSchema.keyedServiceStatus.name: TableCursor(LockRow.columns, locks(filter))
        case TableSchema.service.name: TableCursor(.services, rows: registry.services)
        case TableSchema.deployment.name: TableCursor(.deployments, rows: registry.deployments)
        case TableSchema.rules.name: TableCursor(.rules, rows: registry.rules.sorted)
        default: ListCursor([])  // Tables of features that this server does not have.
        }
    }

    // MARK: - Invocations

    private func invocations(
        _ filter: RowFilter, id column: String, _ isWanted: @escaping (InvocationRecord) -> Bool = { _ in true }
    ) -> TableCursor<InvocationRow>.Pages {
        if let id = filter.text(column) {
            return once { session throws(StorageError) in
                try session.invocation(id).filter { isWanted($0.record) }
            }
        }
        let service = filter.text("target_service_name") ?? filter.text("service_name")
        let key = filter.text("target_service_key") ?? filter.text("service_key")
        return pages { session, partition, store, rows throws(StorageError) in
            try InvocationTable(partition: partition).all(store) { id, record throws(StorageError) in
                if service == nil || record.target.service == service, key == nil || record.target.key == key,
                    isWanted(record)
                {
                    rows.append(try session.row(id, record))
                }
                return true
            }
        }
    }

    private func invocation(_ text: String) throws(StorageError) -> [InvocationRow] {
        guard let id = try? InvocationID(text: text),
            let record = try InvocationTable(partition: owner(id.partitionKey)).record(id, snapshot)
        else { return [] }
        return [try row(id, record)]
    }

    private func row(_ id: InvocationID, _ record: InvocationRecord) throws(StorageError) -> InvocationRow {
        let partition = owner(id.partitionKey)
        var live = live[id].flatMap { $0.isCurrent(for: record) ? $0 : nil }
        try live?.learnFailure(of: record, in: partition, snapshot)
        if live == nil { live = try LiveInvocation(stored: id, record, in: partition, snapshot) }
        let input = { [self] in record.journalLength > 0 ? inputCommand(of: id) : nil }
        return InvocationRow(id: id, record: record, live: live, serverVersion: serverVersion, input: input)
    }

    /// The first entry of a journal; an entry that cannot be read has nothing to tell.
    private func inputCommand(of id: InvocationID) -> InputCommand? {
        let journals = JournalTable(partition: owner(id.partitionKey))
        guard let entry = try? journals.entry(id, index: 0, snapshot),
            case .input(let input)? = try? JournalCommand(type: entry.type, payload: entry.payload)
        else { return nil }
        return input
    }

    /// What invokers know, then what they have left to the store.
    private func liveRows(_ filter: RowFilter) throws(StorageError) -> TableCursor<LiveInvocation>.Pages {
        if let text = filter.text("id") {
            return once { session throws(StorageError) in
                guard let id = try? InvocationID(text: text) else { return [] }
                if let live = try session.known(id) { return [live] }
                if let live = try session.stored(id) { return [live] }
                return []
            }
        }
        let known: TableCursor<LiveInvocation>.Pages = once { session throws(StorageError) in
            var rows: [LiveInvocation] = []
            for id in session.live.keys.sorted() {
                if let live = try session.known(id) { rows.append(live) }
            }
            return rows
        }
        let stored: TableCursor<LiveInvocation>.Pages = pages { session, partition, store, rows throws(StorageError) in
            try BackOffTable(partition: partition).all(store) { id throws(StorageError) in
                if try session.known(id) == nil, let live = try session.stored(id) { rows.append(live) }
                return true
            }
        }
        return { () throws(StorageError) in
            if let rows = try known() { return rows }
            return try stored()
        }
    }

    /// What an invoker knows of an invocation, if it is still so.
    private func known(_ id: InvocationID) throws(StorageError) -> LiveInvocation? {
        guard var live = live[id] else { return nil }
        // Those that run are nearly always current; to look at all of them would take long.
        guard live.isStopped || live.lacksFailure else { return live }
        let partition = owner(id.partitionKey)
        let record = try InvocationTable(partition: partition).record(id, snapshot)
        if live.isStopped { return record?.status == .paused ? live : nil }
        if let record { try live.learnFailure(of: record, in: partition, snapshot) }
        return live
    }

    private func stored(_ id: InvocationID) throws(StorageError) -> LiveInvocation? {
        let partition = owner(id.partitionKey)
        guard let record = try InvocationTable(partition: partition).record(id, snapshot) else { return nil }
        return try LiveInvocation(stored: id, record, in: partition, snapshot)
    }

    // MARK: - Journals

    private func journal(_ filter: RowFilter) -> TableCursor<JournalRow>.Pages {
        if case .integer(let number)? = filter.values["index"], let id = filter.text("id") {
            return once { session throws(StorageError) in
                guard let id = try? InvocationID(text: id), let index = UInt32(exactly: number) else { return [] }
                let partition = session.owner(id.partitionKey)
                guard let record = try InvocationTable(partition: partition).record(id, session.snapshot),
                    index < record.journalLength,
                    let entry = try JournalTable(partition: partition).entry(id, index: index, session.snapshot)
                else { return [] }
                return [JournalRow(id: id, index: index, entry: entry)]
            }
        }
        return perInvocation(filter) { session, journal, store, rows throws(StorageError) in
            let table = JournalTable(partition: session.owner(journal.id.partitionKey))
            try table.entries(journal.id, to: journal.length, store) { index, entry in
                rows.append(JournalRow(id: journal.id, index: index, entry: entry))
                return true
            }
        }
    }

    private func events(_ filter: RowFilter) -> TableCursor<JournalEventRow>.Pages {
        perInvocation(filter) { session, journal, store, rows throws(StorageError) in
            let table = JournalTable(partition: session.owner(journal.id.partitionKey))
            rows += try table.events(journal.id, count: journal.eventCount, store).map {
                JournalEventRow(id: journal.id, event: $0)
            }
        }
    }

    /// A journal, and how much of what the store has under its id belongs to it.
    private struct Journal {
        let id: InvocationID
        let length: UInt32
        let eventCount: UInt32
    }

    /// Rows that belong to invocations: those of one, or of all, one after the other.
    private func perInvocation<Row>(
        _ filter: RowFilter,
        _ read: @escaping (StoreSession, Journal, PagedStore, inout [Row]) throws(StorageError) -> Void
    ) -> TableCursor<Row>.Pages {
        let invocations = invocations(RowFilter(values: filter.values.filter { $0.key == "id" }), id: "id")
        var waiting: [Journal] = []
        var current: (journal: Journal, store: PagedStore)?
        return { [self] () throws(StorageError) in
            if current == nil || current?.store.isAtEnd == true {
                while waiting.isEmpty {
                    guard let page = try invocations() else { return nil }
                    waiting = page.reversed().map {
                        Journal(id: $0.id, length: $0.record.journalLength, eventCount: $0.record.eventCount)
                    }
                }
                current = waiting.popLast().map { ($0, PagedStore(snapshot)) }
            }
            var rows: [Row] = []
            if let (journal, store) = current { try read(self, journal, store, &rows) }
            return rows
        }
    }

    // MARK: - Objects

    private func state(_ filter: RowFilter) -> TableCursor<StateRow>.Pages {
        let key = filter.text("key").map { Bytes(utf8: $0) }
        guard let service = filter.text("service_name"), let objectKey = filter.text("service_key") else {
            return pages { _, partition, store, rows throws(StorageError) in
                try StateTable(partition: partition).all(store) { object, stateKey, value in
                    if Self.isWanted(object, filter), key == nil || key == stateKey {
                        rows.append(StateRow(object: object, key: stateKey, value: value))
                    }
                    return true
                }
            }
        }
        let object = ObjectID(scope: nil, service: service, key: objectKey)
        let direct: TableCursor<StateRow>.Pages = pages(in: [owner(PartitionKey.ofKey(objectKey))]) {
            _, partition, store, rows throws(StorageError) in
            try StateTable(partition: partition).entries(of: object, store) { stateKey, value in
                if key == nil || key == stateKey {
                    rows.append(StateRow(object: object, key: stateKey, value: value))
                }
                return true
            }
        }
        // Objects of the same name in scopes are elsewhere; which scopes there are is not known.
        let scoped: TableCursor<StateRow>.Pages = pages { _, partition, store, rows throws(StorageError) in
            try StateTable(partition: partition).all(onlyScoped: true, store) { object, stateKey, value in
                if Self.isWanted(object, filter), key == nil || key == stateKey {
                    rows.append(StateRow(object: object, key: stateKey, value: value))
                }
                return true
            }
        }
        return { () throws(StorageError) in
            if let rows = try direct() { return rows }
            return try scoped()
        }
    }

    private func promises(_ filter: RowFilter) -> TableCursor<PromiseRow>.Pages {
        let name = filter.text("key")
        return pages { _, partition, store, rows throws(StorageError) in
            try PromiseTable(partition: partition).all(store) { object, promise, result in
                if Self.isWanted(object, filter), name == nil || name == promise {
                    rows.append(PromiseRow(object: object, name: promise, result: result))
                }
                return true
            }
        }
    }

    private func inboxes(_ filter: RowFilter) -> TableCursor<InboxRow>.Pages {
        let wanted = filter.text("id")
        return pages { _, partition, store, rows throws(StorageError) in
            try InboxTable(partition: partition).all(store) { object, sequence, entry in
                // Changes of state that wait are not shown.
                if case .invocation(let id) = entry, Self.isWanted(object, filter),
                    wanted == nil || wanted == id.description
                {
                    rows.append(InboxRow(object: object, sequence: sequence, id: id))
                }
                return true
            }
        }
    }

    private func locks(_ filter: RowFilter) -> TableCursor<LockRow>.Pages {
        pages { _, partition, store, rows throws(StorageError) in
            try LockTable(partition: partition).all(store) { object, holder in
                if Self.isWanted(object, filter) { rows.append(LockRow(object: object, holder: holder)) }
                return true
            }
        }
    }

    private static func isWanted(_ object: ObjectID, _ filter: RowFilter) -> Bool {
        (filter.text("service_name").map { $0 == object.service } ?? true)
            && (filter.text("service_key").map { $0 == object.key } ?? true)
    }

    // MARK: - Pages

    private func owner(_ partitionKey: UInt64) -> PartitionIndex {
        Partition.owner(of: partitionKey, count: partitionCount)
    }

    /// Rows of the partitions, one partition after the other.
    private func pages<Row>(
        in partitions: [PartitionIndex]? = nil,
        _ read: @escaping (StoreSession, PartitionIndex, PagedStore, inout [Row]) throws(StorageError) -> Void
    ) -> TableCursor<Row>.Pages {
        var waiting: [PartitionIndex] = (partitions ?? Array(0..<partitionCount)).reversed()
        var current: (partition: PartitionIndex, store: PagedStore)?
        return { [self] () throws(StorageError) in
            if current == nil || current?.store.isAtEnd == true {
                guard let partition = waiting.popLast() else { return nil }
                current = (partition, PagedStore(snapshot))
            }
            var rows: [Row] = []
            if let (partition, store) = current { try read(self, partition, store, &rows) }
            return rows
        }
    }

    /// Rows that are read at once.
    private func once<Row>(
        _ read: @escaping (StoreSession) throws(StorageError) -> [Row]
    ) -> TableCursor<Row>.Pages {
        var isRead = false
        return { [self] () throws(StorageError) in
            if isRead { return nil }
            isRead = true
            return try read(self)
        }
    }
}
