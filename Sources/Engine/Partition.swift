import HoldfastServiceProtocol
import HoldfastWire

/// A partition: the deterministic state machine that owns a range of the key hash space.
///
///     command ──▶ apply ──▶ reads and writes of one transaction
///                   └─────▶ actions, to be released when that transaction is durable
///
/// 1. `apply` is pure: time, ids and storage come in; there is no clock, no randomness and no I/O in this module.
/// 2. It is total: no input of a client, an SDK, an operator or the store lacks an answer. It only throws what the
///    store throws, and then the transaction must be dropped, and with it the partition's memory.
/// 3. What it remembers between commands is only what dies with the process (clients that wait), or a copy of what is
///    stored (sequence numbers).
///
/// What one command does is a `Transition`; its functions are in Invocation/ and JournalCommands/, a file per concept.
public final class Partition {
    /// Which partition of the store it is.
    public let index: PartitionIndex
    /// How many partitions the store has.
    public let count: PartitionIndex

    /// Clients that wait for an invocation's result.
    private(set) var waiters: [InvocationID: [RequestID]] = [:]
    /// The changes of `waiters` by commands that are not committed.
    private var uncommitted: [WaitersChange] = []

    private enum WaitersChange {
        case added(InvocationID)
        case removed(InvocationID, former: [RequestID])
    }
    /// Whether rows of forgotten journals may be left in the store.
    var hasJournalRemains = false
    let limits: Limits
    /// Last number drawn from the partition's sequence.
    var lastDrawn: UInt64
    /// Last message sent to each partition.
    var lastSent: [UInt64]
    /// Last message received from each partition.
    var lastReceived: [UInt64]

    /// Reads what a partition remembers from the store.
    public init(
        index: PartitionIndex, count: PartitionIndex, store: any ReadableStore, limits: Limits = Limits()
    ) throws(StorageError) {
        precondition(index < count, "a partition's index is below the number of partitions")
        self.index = index
        self.count = count
        self.limits = limits
        lastDrawn = 0
        lastSent = Array(repeating: 0, count: Int(count))
        lastReceived = lastSent
        try restoreMemory(from: store)
    }

    /// The commands that were applied since the last call are committed: they will not be taken back.
    ///
    /// To be called after each commit, since what is needed to take them back is kept until then.
    public func committed() {
        uncommitted.removeAll(keepingCapacity: true)
    }

    /// Takes back what was applied since the last commit, after a transaction was dropped.
    public func restoreMemory(from store: any ReadableStore) throws(StorageError) {
        while let change = uncommitted.popLast() {
            switch change {
            case .added(let id):
                waiters[id]?.removeLast()
                if waiters[id]?.isEmpty == true { waiters[id] = nil }
            case .removed(let id, let former): waiters[id] = former
            }
        }
        hasJournalRemains = try JournalRemainsTable(partition: index).first(store) != nil
        let outbox = OutboxTable(partition: index)
        lastDrawn = try outbox.lastDrawn(store)
        for other in 0..<count {
            lastSent[Int(other)] = try outbox.lastSent(to: other, store)
            lastReceived[Int(other)] = try outbox.lastReceived(from: other, store)
        }
    }

    /// What `command` does: writes to `transaction`, and the actions to release when that is durable, in order.
    ///
    /// - Throws: `StorageError` of the transaction. Then nothing of it may be committed.
    public func apply(
        _ command: Command, now: Timestamp, in transaction: any Transaction
    ) throws(StorageError) -> [Action] {
        var transition = Transition(partition: self, now: now, store: transaction)
        try transition.apply(command)
        return transition.actions
    }

    func addWaiter(_ client: RequestID, for id: InvocationID) {
        waiters[id, default: []].append(client)
        uncommitted.append(.added(id))
    }

    /// Removes the clients that wait for an invocation, all or one, and returns them in the order in which they came.
    @discardableResult
    func removeWaiters(of id: InvocationID, only client: RequestID? = nil) -> [RequestID] {
        guard let former = waiters[id] else { return [] }
        let rest = client == nil ? [] : former.filter { $0 != client }
        waiters[id] = rest.isEmpty ? nil : rest
        uncommitted.append(.removed(id, former: former))
        return former
    }

    /// Which partition owns a key: the partitions split the hash space evenly (ids §3).
    public static func owner(of partitionKey: UInt64, count: PartitionIndex) -> PartitionIndex {
        PartitionIndex(truncatingIfNeeded: partitionKey.multipliedFullWidth(by: UInt64(count)).high)
    }
}

/// What one command does to a partition.
struct Transition {
    let partition: Partition
    let now: Timestamp
    let store: any Transaction
    private(set) var actions: [Action] = []
    /// Messages to this same partition: applied in this transition, in order, when the command is done.
    private var local: [PartitionMessage] = []

    let invocations: InvocationTable
    let journals: JournalTable
    let journalRemains: JournalRemainsTable
    let states: StateTable
    let promises: PromiseTable
    let timers: TimerTable
    let inboxes: InboxTable
    let locks: LockTable
    let expiries: ExpiryTable
    let outbox: OutboxTable
    let deferredStarts: DeferredStartTable
    let backOffs: BackOffTable

    init(partition: Partition, now: Timestamp, store: any Transaction) {
        self.partition = partition
        self.now = now
        self.store = store
        invocations = InvocationTable(partition: partition.index)
        journals = JournalTable(partition: partition.index)
        journalRemains = JournalRemainsTable(partition: partition.index)
        states = StateTable(partition: partition.index)
        promises = PromiseTable(partition: partition.index)
        timers = TimerTable(partition: partition.index)
        inboxes = InboxTable(partition: partition.index)
        locks = LockTable(partition: partition.index)
        expiries = ExpiryTable(partition: partition.index)
        outbox = OutboxTable(partition: partition.index)
        deferredStarts = DeferredStartTable(partition: partition.index)
        backOffs = BackOffTable(partition: partition.index)
    }

    mutating func apply(_ command: Command) throws(StorageError) {
        switch command {
        case .invoke(let request, let caller): try invoke(request, caller)
        case .attach(let id, let request): try attach(id, request)
        case .output(let id, let request): try output(id, request)
        case .signal(let id, let notification, let request):
            try signal(id, notification)
            answer(request, .signalled)
        case .forget(let id, let request): forget(id, request)
        case .cancel(let id, let request): answer(request, .operation(try cancel(id)))
        case .kill(let id, let request): answer(request, .operation(try kill(id)))
        case .purge(let id, let request): answer(request, .operation(try purge(id)))
        case .purgeJournal(let id, let request): answer(request, .operation(try purgeJournal(id)))
        case .pause(let id, let request): answer(request, .operation(try pause(id)))
        case .resume(let id, let change, let request): answer(request, .operation(try resume(id, change)))
        case .restart(let restart, let request): answer(request, .operation(try self.restart(restart)))
        case .mutateState(let mutation, let request):
            try mutate(mutation)
            answer(request, .stateMutationAccepted)
        case .attempt(let report): try attempt(report)
        case .startAttempt(let id, let epoch): try startAttempt(id, epoch: epoch)
        case .deferStart(let id, let epoch, let deployment, let backOff):
            try deferStart(id, epoch: epoch, for: deployment, behind: backOff)
        case .takeUpStarts(let deployment, let previous, let limit):
            try takeUpStarts(for: deployment, after: previous, limit: limit)
        case .endBackOffs(let previous, let limit): try endBackOffs(after: previous, limit: limit)
        case .timerFired(let timer): try fire(timer)
        case .cleanUp(let limit): try cleanUp(limit: limit)
        case .receive(let message, let sender, let sequence): try receive(message, from: sender, sequence: sequence)
        case .acknowledged(let receiver, let sequence):
            try outbox.remove(to: receiver, upTo: sequence, store)
        }
        try applyLocalMessages()
    }

    mutating func release(_ action: Action) {
        actions.append(action)
    }

    mutating func answer(_ request: RequestID?, _ answer: Answer) {
        if let request { release(.answer(request, answer)) }
    }

    /// A number that never repeats in this partition.
    mutating func draw() -> UInt64 {
        partition.lastDrawn &+= 1
        outbox.drawn(partition.lastDrawn, store)
        return partition.lastDrawn
    }

    // MARK: - Messages between invocations

    /// Sends a message to the partition that owns `id`: through the outbox, or at the end of this transition if that
    /// is this partition. Either way messages to one invocation arrive in the order in which they were sent.
    mutating func send(_ message: PartitionMessage, to id: InvocationID) {
        let receiver = Partition.owner(of: id.partitionKey, count: partition.count)
        guard receiver != partition.index else {
            local.append(message)
            return
        }
        let sequence = partition.lastSent[Int(receiver)] &+ 1
        partition.lastSent[Int(receiver)] = sequence
        outbox.put(message, to: receiver, sequence: sequence, store)
        release(.send(message, to: receiver, sequence: sequence))
    }

    private mutating func receive(
        _ message: PartitionMessage, from sender: PartitionIndex, sequence: UInt64
    ) throws(StorageError) {
        guard sender < partition.count else { return }
        let last = partition.lastReceived[Int(sender)]
        if last < .max, sequence == last + 1 {
            partition.lastReceived[Int(sender)] = sequence
            outbox.received(sequence, from: sender, store)
            try take(message)
        }
        // Also for what came twice: the acknowledgement of the first time may have been lost. What came too early is
        // not taken, since then what is missing would be taken for a double: it stays in the sender's outbox.
        release(.acknowledge(sender, upTo: partition.lastReceived[Int(sender)]))
    }

    private mutating func applyLocalMessages() throws(StorageError) {
        var next = 0
        while next < local.count {
            let message = local[next]
            next += 1
            try take(message)
        }
        local.removeAll(keepingCapacity: true)
    }

    /// Applies a message, unless the record that it is about cannot be decoded: a message that is refused would hold up
    /// all that come behind it (rule 2). Whatever a message does begins with reading that record, so nothing of it is
    /// written when that fails.
    private mutating func take(_ message: PartitionMessage) throws(StorageError) {
        do throws(StorageError) {
            try apply(message)
        } catch {
            guard error.code == .damaged, try invocations.isDamaged(message.target, store) else { throw error }
            if case .invoke(_, .invocation(let caller)) = message {
                send(.complete(caller, .failure(Failure(code: 500, message: error.message))), to: caller.id)
            }
        }
    }

    /// The invocation's record, or nil if there is none that can be decoded.
    func readableRecord(_ id: InvocationID) throws(StorageError) -> InvocationRecord? {
        do throws(StorageError) {
            return try invocations.record(id, store)
        } catch {
            guard error.code == .damaged else { throw error }
            return nil
        }
    }

    private mutating func apply(_ message: PartitionMessage) throws(StorageError) {
        switch message {
        case .invoke(let request, let caller): try invoke(request, caller)
        case .complete(let caller, let result): try complete(caller, result)
        case .signal(let id, let notification): try signal(id, notification)
        case .attach(let id, let caller, let waiting): try attach(id, caller, waiting: waiting)
        case .kill(let id, let caller): try kill(id, by: caller)
        }
    }
}

extension PartitionMessage {
    /// The invocation that the message is about, which belongs to the receiver.
    fileprivate var target: InvocationID {
        switch self {
        case .invoke(let request, _): request.id
        case .complete(let caller, _): caller.id
        case .signal(let id, _), .attach(let id, _, _), .kill(let id, _): id
        }
    }
}
