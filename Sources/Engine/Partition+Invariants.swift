import HoldfastServiceProtocol
import HoldfastWire

extension Partition {
    /// What is wrong with the partition, between two commands: nothing, in a correct program.
    ///
    /// Reads all that the partition stores, hence for tests and the simulator. Each fact is checked at both of its ends
    /// where it has two: the lock names its owner, and the owner finds its lock.
    public func checkInvariants(_ store: any ReadableStore) throws(StorageError) -> [String] {
        var check = InvariantCheck(partition: self, store: store)
        try check.run()
        return check.violations
    }
}

private struct InvariantCheck {
    let partition: Partition
    let store: any ReadableStore
    var violations: [String] = []
    private var records: [InvocationID: InvocationRecord] = [:]
    private var timers: Set<TimerKey> = []
    private var expiring: [InvocationID: Set<UInt64>] = [:]

    init(partition: Partition, store: any ReadableStore) {
        self.partition = partition
        self.store = store
    }

    private mutating func expect(_ isTrue: Bool, _ subject: some CustomStringConvertible, _ fact: String) {
        if !isTrue { violations.append("\(subject): \(fact)") }
    }

    mutating func run() throws(StorageError) {
        for timer in try TimerTable(partition: partition.index).next(after: nil, limit: .max, store) {
            timers.insert(timer)
        }
        let expiries = ExpiryTable(partition: partition.index)
        for row in try expiries.all(store) where row.what == .invocation {
            expiring[row.id, default: []].insert(row.incarnation)
        }
        var all: [(InvocationID, InvocationRecord)] = []
        try InvocationTable(partition: partition.index).all(store) { id, record in
            all.append((id, record))
            return true
        }
        for (id, record) in all { records[id] = record }
        for (id, record) in all { try check(id, record) }
        try checkLocks()
        try checkInboxes()
        try checkJournalRows()
        try checkMessages()
        try checkDeferredStarts()
        try checkBackOffs()
        for timer in timers where timer.kind == .start {
            let record = records[timer.id]
            expect(
                record?.incarnation != timer.incarnation || record?.status == .scheduled, timer.id,
                "a start timer belongs to a scheduled invocation")
        }
        for id in partition.waiters.keys {
            expect(records[id].map { $0.status != .completed } ?? false, id, "clients wait for what has not ended")
        }
    }

    // MARK: - Invocations

    private mutating func check(_ id: InvocationID, _ record: InvocationRecord) throws(StorageError) {
        let owner = Partition.owner(of: id.partitionKey, count: partition.count)
        expect(owner == partition.index, id, "an invocation is stored by its owner")
        expect((record.result != nil) == (record.status == .completed), id, "only a completed invocation has a result")
        expect((record.waitingFor != nil) == (record.status == .suspended), id, "only a suspended one waits")
        expect(record.journalLength > 0 || record.status == .completed, id, "an unfinished one has a journal")
        switch record.status {
        case .scheduled:
            let timer = record.executionTime.map {
                TimerKey(due: $0, kind: .start, id: id, incarnation: record.incarnation)
            }
            expect(timer.map(timers.contains) ?? false, id, "a scheduled invocation has its timer")
        case .inboxed:
            let lock = try LockTable(partition: partition.index).lock(of: record.target.object, store)
            expect(lock != nil && lock?.holder != id, id, "an inboxed invocation waits for another one")
        case .invoked, .paused: try checkLock(of: id, record)
        case .suspended:
            try checkLock(of: id, record)
            expect(
                record.waitingFor.map { !$0.waitsOnly(for: record.openSteps) } ?? false, id,
                "a suspended invocation waits for something that can come")
        case .completed: checkCompleted(id, record)
        }
        try checkJournal(of: id, record)
    }

    private mutating func checkLock(of id: InvocationID, _ record: InvocationRecord) throws(StorageError) {
        guard record.target.kind == .objectExclusive else { return }
        let lock = try LockTable(partition: partition.index).lock(of: record.target.object, store)
        expect(lock?.holder == id, id, "a started exclusive handler owns its object")
    }

    private mutating func checkCompleted(_ id: InvocationID, _ record: InvocationRecord) {
        expect(record.caller == nil && !record.hasMoreCallers, id, "nobody waits for a result that is there")
        expect(expiring[id]?.contains(record.incarnation) ?? false, id, "a completed invocation will be forgotten")
    }

    /// The journal is contiguous and begins with the input; what is suspended has a reason to wake.
    private mutating func checkJournal(of id: InvocationID, _ record: InvocationRecord) throws(StorageError) {
        var next: UInt32 = 0
        var commands: UInt32 = 0
        var lastOutput: UInt32?
        var sleeps: [UInt32: Timestamp] = [:]
        try JournalTable(partition: partition.index).entries(id, to: record.journalLength, store) { index, entry in
            expect(index == next, id, "journal indexes have no gaps (\(index) instead of \(next))")
            expect((entry.type == .input) == (index == 0), id, "the input is the first entry, and only that")
            next = index &+ 1
            if entry.type.isCommand { commands += 1 }
            if entry.type == .output { lastOutput = index }
            if case .sleep(let sleep)? = try? JournalCommand(type: entry.type, payload: entry.payload) {
                sleeps[sleep.resultCompletionID] = sleep.wakeUpTime
            } else if entry.type == .sleepCompletion,
                case .completion(let completion)? = try? Notification(type: entry.type, payload: entry.payload).id
            {
                sleeps[completion] = nil
            }
            return true
        }
        expect(next == record.journalLength, id, "the journal is as long as its record says")
        expect(commands == record.commandCount, id, "the journal has as many commands as its record says")
        expect(lastOutput == record.outputIndex, id, "the record knows the last output")
        // A restarted invocation sleeps only with what it inherited.
        guard record.status != .completed else { return }
        for (completion, due) in sleeps {
            let timer = TimerKey(
                due: due, kind: .sleep, id: id, incarnation: record.incarnation, completionID: completion)
            expect(timers.contains(timer), id, "sleep \(completion) has its timer")
        }
    }

    // MARK: - Tables

    private mutating func checkLocks() throws(StorageError) {
        var locks: [(ObjectID, InvocationID)] = []
        try LockTable(partition: partition.index).all(store) { object, holder in
            locks.append((object, holder))
            return true
        }
        for (object, holder) in locks {
            let record = records[holder]
            expect(
                record.map { $0.status.isStarted && $0.target.object == object } ?? false, holder,
                "an owner of an object has started and not ended")
        }
    }

    private mutating func checkInboxes() throws(StorageError) {
        var rows: [(ObjectID, UInt64, InboxTable.Entry)] = []
        try InboxTable(partition: partition.index).all(store) { object, sequence, entry in
            rows.append((object, sequence, entry))
            return true
        }
        var waiting: Set<InvocationID> = []
        for (object, sequence, entry) in rows {
            let lock = try LockTable(partition: partition.index).lock(of: object, store)
            expect(lock.map { $0.inboxStart < sequence } ?? false, object.key, "what waits for an object is found")
            guard case .invocation(let id) = entry else { continue }
            waiting.insert(id)
            let record = records[id]
            expect(
                record?.status == .inboxed && record?.inboxSequence == sequence, id,
                "an inbox holds invocations that know their place")
        }
        for (id, record) in records where record.status == .inboxed {
            expect(waiting.contains(id), id, "an inboxed invocation is in an inbox")
        }
    }

    /// What waits in the store for its start is found there.
    private mutating func checkDeferredStarts() throws(StorageError) {
        let table = DeferredStartTable(partition: partition.index)
        var waiting: [InvocationID: Set<UInt64>] = [:]
        for deployment in try table.deployments(store) {
            for row in try table.rows(for: deployment, after: 0, limit: .max, store) {
                if let id = row.id { waiting[id, default: []].insert(row.sequence) }
            }
        }
        for (id, record) in records where record.status == .invoked && record.deferredSequence > 0 {
            expect(waiting[id]?.contains(record.deferredSequence) ?? false, id, "a deferred start is found again")
        }
    }

    /// What backs off in the store has its timer, and a timer its back-off; what has a back-off is listed.
    private mutating func checkBackOffs() throws(StorageError) {
        let table = BackOffTable(partition: partition.index)
        var listed: Set<InvocationID> = []
        try table.all(store) { id in
            listed.insert(id)
            return true
        }
        let awaiting = Set(try table.awaitingRegistration(after: nil, limit: .max, store))
        for id in listed { expect(records[id]?.backOff != nil, id, "a listed back-off is one") }
        for (id, record) in records {
            guard let backOff = record.backOff else { continue }
            expect(record.status == .invoked || record.status == .paused, id, "only what failed backs off")
            expect(listed.contains(id), id, "a back-off is listed")
            expect(awaiting.contains(id) == backOff.awaitsRegistration, id, "a registration finds whom it helps")
            let timer = TimerKey(due: backOff.due, kind: .retry, id: id, incarnation: record.incarnation)
            expect(timers.contains(timer) == record.isBackingOff, id, "a back-off that waits has its timer")
        }
        for timer in timers where timer.kind == .retry {
            let record = records[timer.id]
            expect(
                record?.incarnation == timer.incarnation && record?.backOff?.due == timer.due, timer.id,
                "a retry timer belongs to a back-off")
        }
    }

    /// No row of a journal outlives its invocation, unless it is known that it has to be removed.
    private mutating func checkJournalRows() throws(StorageError) {
        var remains: [InvocationID: JournalRows] = [:]
        try JournalRemainsTable(partition: partition.index).all(store) { id, rows in
            remains[id] = rows
            return true
        }
        expect(remains.isEmpty || partition.hasJournalRemains, partition.index, "what remains of journals is known")
        let rows = Key(partition.index)
        var keys: [Bytes] = []
        try store.scan(.journals, from: rows.bytes, to: rows.end) { key, _ throws(StorageError) in
            keys.append(key)
            return true
        }
        for key in keys {
            var reader = try StoreReader(key: key)
            let id = try reader.invocationID()
            let record = records[id]
            expect(
                record.map(\.journalLength) ?? 0 == 0 || remains[id] == nil, id, "a journal has taken over the remains")
            let entries = max(record?.journalLength ?? 0, record?.remains.entries ?? 0, remains[id]?.entries ?? 0)
            let events = max(record?.eventCount ?? 0, record?.remains.events ?? 0, remains[id]?.events ?? 0)
            switch Tag(rawValue: try reader.integer()) {
            case .journalEntry: expect(try reader.integer() < entries, id, "entries are counted")
            case .journalEvent: expect(try reader.integer() < events, id, "events are counted")
            case .caller: expect(record?.hasMoreCallers ?? false, id, "further callers are known to the record")
            default: expect(false, id, "a journal has entries, events and callers")
            }
        }
    }

    /// The outbox is what was sent and not acknowledged, without gaps.
    private mutating func checkMessages() throws(StorageError) {
        let outbox = OutboxTable(partition: partition.index)
        var pending: [PartitionIndex: [UInt64]] = [:]
        for receiver in 0..<partition.count {
            try outbox.pending(to: receiver, store) { sequence, _, _ in
                pending[receiver, default: []].append(sequence)
                return true
            }
        }
        for (receiver, sequences) in pending {
            let last = partition.lastSent.indices.contains(Int(receiver)) ? partition.lastSent[Int(receiver)] : 0
            let first = sequences.first ?? last
            expect(sequences.last == last, receiver, "the outbox ends with the message sent last")
            expect(
                last &- first &+ 1 == UInt64(sequences.count), receiver, "the outbox has no gaps")
        }
        for other in 0..<partition.count {
            expect(
                try outbox.lastReceived(from: other, store) == partition.lastReceived[Int(other)], other,
                "what was received is in memory as in the store")
            expect(
                try outbox.lastSent(to: other, store) == partition.lastSent[Int(other)], other,
                "what was sent is in memory as in the store")
        }
        expect(try outbox.lastDrawn(store) == partition.lastDrawn, partition.index, "the sequence is as in the store")
    }
}
