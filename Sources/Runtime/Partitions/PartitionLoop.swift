import HoldfastEngine
import HoldfastServiceProtocol
import HoldfastStorage
import HoldfastTransport
import HoldfastWire

/// Runs the partitions of one event loop: a turn takes all commands that are ready into one batch per partition, and
/// holds the actions back until the batch is durable.
///
///     commands ─▶ turn: apply ─▶ commit (visible) ─▶ held ──▶ released ─▶ invoker, answers, timers, other partitions
///                                     │                          ▲
///                                     └──▶ commit pipeline: sync ┘
///
/// A single command, while nothing else is under way, is not worth two hand-overs between threads: the loop makes it
/// durable itself.
///
/// 1. An action is released only when its commit is durable, and in the order in which the partition returned it.
/// 2. A command whose application the store refuses is answered, and harms no other: the turn is applied again without
///    batching, so that only the refused one is lost.
/// 3. When a commit fails, nothing of it was released; the process ends, and a restart finds what is durable.
final class PartitionLoop {
    /// A partition and what belongs to it on this loop.
    private final class Slot {
        let index: PartitionIndex
        let partition: Partition
        var commands: [Command] = []
        var timers: TimerWindow
        var recovery = Recovery.from(nil)
        /// Messages that were under way when the process ended.
        var outbox: OutboxPages
        /// The last commit of the partition, which whoever reads it sees.
        var visible = CommitPosition.zero

        init(_ partition: Partition, timers: TimerWindow) {
            index = partition.index
            self.partition = partition
            self.timers = timers
            outbox = OutboxPages(lastSent: partition.lastMessages)
        }
    }

    /// The search for invocations that were interrupted when the process ended.
    private enum Recovery {
        /// It goes on behind this one. Next: `from`, `done`.
        case from(InvocationID?)
        /// All records were looked at.
        case done

        var isDone: Bool {
            if case .done = self { true } else { false }
        }
    }

    /// Actions that wait for their commit.
    private struct Held {
        let position: CommitPosition
        let slot: Slot
        let actions: [Action]
    }

    let loop: EventLoop
    private let loopIndex: UInt16
    private let router: Router
    private let store: any Store
    private let pipeline: CommitPipeline
    /// Commands that one commit takes.
    private let batchLimit: Int
    /// The latest registry that this loop has heard of; immutable, replaced as a whole.
    var registry: Registry {
        didSet {
            invoker?.registryChanged()
            endBackOffs()
        }
    }
    /// In the order of their indexes: the n-th is partition `loop.index + n * loops`.
    private var slots: [Slot] = []
    private var transaction: any Transaction
    private var held: [Held] = []
    private var heldStart = 0
    private var durable = CommitPosition.zero
    private var reads = DurableReads()
    private var timer: LoopTimer?
    private var timerDue: Timestamp?
    private var isRunningTurn = false

    /// Performs what concerns attempts. Set while the loop is being built.
    var invoker: Invoker?
    /// Hands an answer to the request of this loop that waits for it.
    var deliver: (_ serial: UInt64, _ answer: Answer) -> Void = { _, _ in }

    init(
        loop: EventLoop, router: Router, store: any Store, pipeline: CommitPipeline, configuration: Configuration,
        registry: Registry
    ) throws(StorageError) {
        self.loop = loop
        loopIndex = UInt16(loop.index)
        self.router = router
        self.store = store
        self.pipeline = pipeline
        self.registry = registry
        batchLimit = configuration.partitions.commandBatchCountLimit
        transaction = store.transaction()
        let snapshot = store.snapshot()
        for index in 0..<router.partitionCount where router.loop(of: index) == loop.index {
            let timers = TimerWindow(capacity: configuration.partitions.timersInMemoryLimit ?? Self.timersInMemory)
            slots.append(
                Slot(try Partition(index: index, count: router.partitionCount, store: snapshot), timers: timers))
        }
        loop.atTurnEnd { [unowned self] in runTurn() }
        let interval = configuration.partitions.cleanupInterval.wholeMilliseconds
        _ = loop.schedule(after: interval, repeating: interval) { [unowned self] in cleanUp() }
    }

    /// Resumes what was under way when the process ended. Called on the loop, once.
    func recover() {
        for slot in slots {
            do throws(StorageError) {
                invoker?.foundDeferredStarts(
                    for: try slot.partition.deploymentsWithDeferredStarts(transaction), in: slot.index)
            } catch {
                Log.error("Deferred starts cannot be read.", ["partition": slot.index, "reason": error.message])
            }
        }
        sendPages()
        // Long journals may be half removed, and a registration not have been told to all.
        cleanUp()
        endBackOffs()
        runTurn()
    }

    /// Takes a command for a partition of this loop; it is applied at the end of the turn.
    func submit(_ command: Command, to partition: PartitionIndex) {
        let slot = slot(of: partition)
        if case .acknowledged(let receiver, let sequence) = command {
            slot.outbox.acknowledged(by: receiver, upTo: sequence)
        }
        slot.commands.append(command)
    }

    /// Whether there is work under way: something to apply in this turn, or to release after a sync.
    var isBusy: Bool { heldStart < held.count || slots.contains { !$0.commands.isEmpty } }

    private func slot(of partition: PartitionIndex) -> Slot {
        precondition(router.loop(of: partition) == loop.index, "a command goes to the loop of its partition")
        return slots[Int(partition) / router.mailboxes.count]
    }

    // MARK: - A turn

    private func runTurn() {
        guard !isRunningTurn else { return }
        isRunningTurn = true
        defer { isRunningTurn = false }
        fireTimers()
        // Actions that need no sync can bring new commands; a bound keeps a turn short.
        var rounds = 0
        while applyPending(), rounds < 8 { rounds += 1 }
        findInterrupted()
        sendPages()
        armTimer()
        if slots.contains(where: { !$0.commands.isEmpty || !$0.recovery.isDone }) {
            router.send(.wakeUp, to: loop.index)
        }
    }

    private func applyPending() -> Bool {
        var isBusy = false
        let now = Timestamp.now
        for slot in slots where !slot.commands.isEmpty {
            var commands = slot.commands
            slot.commands = []
            if commands.count > batchLimit {
                slot.commands = Array(commands[batchLimit...])
                commands.removeSubrange(batchLimit...)
            }
            isBusy = true
            apply(commands, to: slot, now: now)
        }
        if isBusy { releaseDurable() }
        return isBusy
    }

    private func apply(_ commands: [Command], to slot: Slot, now: Timestamp) {
        var actions: [Action] = []
        do throws(StorageError) {
            for command in commands {
                actions.append(contentsOf: try slot.partition.apply(command, now: now, in: transaction))
            }
        } catch {
            // Whatever was written belongs to several commands: drop it all, and find the one that was refused.
            transaction = store.transaction()
            restoreMemory(of: slot.partition)
            if commands.count == 1 {
                refuse(commands[0], because: error, by: slot)
            } else {
                for command in commands { apply([command], to: slot, now: now) }
            }
            return
        }
        let isAlone = commands.count == 1 && !isBusy && invoker?.isNearlyIdle == true && pipeline.isIdle
        commit(actions, of: slot, isAlone: isAlone)
    }

    /// - Parameter isAlone: Whether nobody waits for anything but this commit.
    private func commit(_ actions: [Action], of slot: Slot, isAlone: Bool) {
        do throws(StorageError) {
            let position: CommitPosition
            if isAlone, let done = try store.commitDurably(transaction) {
                position = done
                durable = max(durable, done)
            } else {
                position = try store.commit(transaction) { logged in
                    if logged > durable { pipeline.request(upTo: logged, for: loop.index) }
                }
            }
            slot.partition.committed()
            slot.visible = position
            if !actions.isEmpty { held.append(Held(position: position, slot: slot, actions: actions)) }
        } catch {
            Log.error(
                "The store takes no commits any more; stopping, so that a restart goes on from what is durable.",
                ["partition": slot.index, "reason": error.message])
            HostProcess.stop()
        }
    }

    private func restoreMemory(of partition: Partition) {
        do throws(StorageError) {
            try partition.restoreMemory(from: transaction)
        } catch {
            Log.error("The store cannot be read any more; stopping.", ["reason": error.message])
            HostProcess.stop()
        }
    }

    private func refuse(_ command: Command, because error: StorageError, by slot: Slot) {
        Log.error("A command was refused by the store.", ["partition": slot.index, "reason": error.message])
        if let request = command.request { perform(.answer(request, .failed(error.message)), of: slot) }
    }

    // MARK: - Release

    /// The pipeline tells how far commits are durable.
    func progress(_ progress: CommitPipeline.Progress) {
        switch progress {
        case .durable(let position):
            durable = max(durable, position)
            releaseDurable()
            for leave in reads.take(upTo: durable) { leave() }
        case .ended(let end):
            Log.error(
                "Commits do not become durable any more; stopping, so that a restart goes on from what is durable.",
                ["reason": "\(end)"])
            HostProcess.stop()
        }
    }

    /// Calls `leave` when everything that can be read of the store now is durable: at once, if it is.
    func whenDurable(_ leave: @escaping () -> Void) {
        whenDurable(upTo: store.latestPosition, leave)
    }

    private func whenDurable(upTo position: CommitPosition, _ leave: @escaping () -> Void) {
        guard position > durable else { return leave() }
        pipeline.request(upTo: position, for: loop.index)
        reads.wait(for: position, leave)
    }

    private func releaseDurable() {
        var acknowledgements: [PartitionIndex: [PartitionIndex: UInt64]] = [:]
        while heldStart < held.count, held[heldStart].position <= durable {
            let released = held[heldStart]
            heldStart += 1
            for action in released.actions {
                if case .acknowledge(let sender, let sequence) = action {
                    // Only the last counts: one command for all that this release acknowledges.
                    acknowledgements[released.slot.index, default: [:]][sender] = sequence
                } else {
                    perform(action, of: released.slot)
                }
            }
        }
        if heldStart == held.count {
            held.removeAll(keepingCapacity: true)
            heldStart = 0
        } else if heldStart > 1024 {
            held.removeFirst(heldStart)
            heldStart = 0
        }
        for (receiver, senders) in acknowledgements {
            for (sender, sequence) in senders {
                route(.acknowledged(by: receiver, upTo: sequence), to: sender)
            }
        }
    }

    private func perform(_ action: Action, of slot: Slot) {
        switch action {
        case .startAttempt(let start): invoker?.startAttempt(start, in: slot.index)
        case .startDeferred(let starts, let deployment, let last):
            invoker?.startDeferred(starts, for: deployment, last: last, in: slot.index)
        case .abortAttempt(let id): invoker?.abortAttempt(id)
        case .retryLater(let id, let epoch): invoker?.retryLater(id, epoch: epoch)
        case .backOffStored(let id, let epoch): invoker?.backOffStored(id, epoch: epoch)
        case .retryNow(let id): invoker?.retryNow(id)
        case .forward(let id, let epoch, let entry, let type, let payload):
            invoker?.forward(id, epoch: epoch, index: entry, type: type, payload: payload)
        case .acknowledgeCommand(let id, let epoch, let command):
            invoker?.acknowledgeCommand(id, epoch: epoch, commandIndex: command)
        case .release(let id): invoker?.release(id)
        case .pauseAttempt(let id): invoker?.pauseAttempt(id)
        case .answer(let request, let answer):
            if request.loop == loopIndex {
                deliver(request.serial, answer)
            } else {
                router.send(.answer(serial: request.serial, answer), to: Int(request.loop))
            }
        case .send(let message, let receiver, let sequence):
            guard slot.outbox.isNext(sequence, to: receiver) else { return }
            route(.receive(message, from: slot.index, sequence: sequence), to: receiver)
        case .acknowledge(let sender, let sequence):
            route(.acknowledged(by: slot.index, upTo: sequence), to: sender)
        case .setTimer(let timer): slot.timers.insert(timer)
        case .cleanUpMore: slot.commands.append(.cleanUp(limit: Self.cleanUpLimit))
        case .endBackOffsMore(let last): slot.commands.append(.endBackOffs(after: last, limit: Self.endedBackOffs))
        }
    }

    private func route(_ command: Command, to partition: PartitionIndex) {
        let target = router.loop(of: partition)
        if target == loop.index {
            submit(command, to: partition)
        } else {
            router.send(.command(partition, command), to: target)
        }
    }

    // MARK: - Time

    /// Timers in memory per partition, when the configuration says nothing.
    private static let timersInMemory = 4096
    /// Records that one clean-up command looks at.
    private static let cleanUpLimit = 256
    /// Back-offs that one command ends when services were registered.
    private static let endedBackOffs = 256
    /// Records that a turn looks at while it searches for interrupted invocations.
    private static let recoveryLimit = 256
    /// What is sent again to a partition before it has acknowledged the last of it.
    private static let pageLimits = (count: 256, bytes: 1 << 20)

    private func cleanUp() {
        for slot in slots { slot.commands.append(.cleanUp(limit: Self.cleanUpLimit)) }
    }

    /// Ends the stored back-offs that may have waited for a registration.
    private func endBackOffs() {
        for slot in slots { slot.commands.append(.endBackOffs(after: nil, limit: Self.endedBackOffs)) }
    }

    private func fireTimers() {
        let now = Timestamp.now
        for slot in slots {
            for timer in slot.timers.takeDue(at: now) { slot.commands.append(.timerFired(timer)) }
        }
    }

    private func armTimer() {
        var nearest: Timestamp?
        for slot in slots {
            refill(slot)
            guard let due = slot.timers.nextDue else { continue }
            nearest = nearest.map { min($0, due) } ?? due
        }
        guard nearest != timerDue else { return }
        timerDue = nearest
        timer?.cancel()
        timer = nil
        guard let nearest else { return }
        // A far timer is looked at again: the wall clock may be set meanwhile.
        let delay = min(nearest.milliseconds(since: .now), 60_000)
        timer = loop.schedule(after: delay, repeating: nil) { [unowned self] in
            timerDue = nil
            timer = nil
        }
    }

    private func refill(_ slot: Slot) {
        guard let previous = slot.timers.refillsAfter else { return }
        do throws(StorageError) {
            let stored = try TimerTable(partition: slot.index).next(
                after: previous == .beforeAll ? nil : previous, limit: slot.timers.refillCount, transaction)
            slot.timers.refill(stored)
        } catch {
            Log.error("Timers cannot be read.", ["partition": slot.index, "reason": error.message])
        }
    }

    // MARK: - Recovery

    /// Sends what is next of the messages that were under way.
    private func sendPages() {
        for slot in slots where !slot.outbox.isDone {
            for page in slot.outbox.ready {
                var last: UInt64?
                do throws(StorageError) {
                    let messages = try slot.partition.unacknowledged(
                        to: page.receiver, after: page.after, upTo: page.end, limits: Self.pageLimits, transaction)
                    for case .send(let message, let receiver, let sequence) in messages {
                        route(.receive(message, from: slot.index, sequence: sequence), to: receiver)
                        last = sequence
                    }
                } catch {
                    Log.error("The outbox cannot be read.", ["partition": slot.index, "reason": error.message])
                }
                slot.outbox.sent(to: page.receiver, upTo: last)
            }
        }
    }

    /// Looks at a few records per turn, so that the first calls after a restart need not wait for the last.
    private func findInterrupted() {
        for slot in slots {
            guard case .from(let previous) = slot.recovery else { continue }
            do throws(StorageError) {
                let (commands, last) = try slot.partition.interrupted(
                    after: previous, limit: Self.recoveryLimit, transaction)
                slot.commands.append(contentsOf: commands)
                slot.recovery = last.map { .from($0) } ?? .done
            } catch {
                Log.error(
                    "Interrupted invocations cannot be read.", ["partition": slot.index, "reason": error.message])
                slot.recovery = .done
            }
        }
    }
}

/// What the invoker needs of the partitions.
extension PartitionLoop: InvokerDoor {
    func journal(
        of id: InvocationID, in partition: PartitionIndex, range: Range<UInt32>, visit: (MessageType, Bytes) -> Bool
    ) throws(StorageError) {
        let table = JournalTable(partition: partition)
        try table.entries(id, from: range.lowerBound, to: range.upperBound, transaction) { _, entry in
            visit(entry.type, entry.payload)
        }
    }

    func state(
        of object: ObjectID, in partition: PartitionIndex, visit: (Bytes, Bytes) -> Bool
    ) throws(StorageError) {
        try StateTable(partition: partition).entries(of: object, transaction, visit)
    }

    func isDurable(_ partition: PartitionIndex) -> Bool { slot(of: partition).visible <= durable }

    func whenDurable(_ partition: PartitionIndex, _ leave: @escaping () -> Void) {
        whenDurable(upTo: slot(of: partition).visible, leave)
    }
}
