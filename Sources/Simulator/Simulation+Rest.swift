import HoldfastEngine
import HoldfastServiceProtocol
import HoldfastStorage
import HoldfastWire

/// The end of a run: no more faults, and everything that somebody outside can do is done, until nothing is left.
extension Simulation {
    func drain() throws {
        isDraining = true
        log("drain")
        var rounds = 0
        while try drainOnce() {
            rounds += 1
            guard rounds < 20_000 else { throw violated("it does not come to rest") }
        }
        try checkRest()
    }

    /// Does what can be done now; false when there is nothing.
    private func drainOnce() throws -> Bool {
        if queues.contains(where: { !$0.isEmpty }) {
            try applyNext()
            return true
        }
        if !held.isEmpty {
            try sync()
            return true
        }
        if !network.isEmpty {
            try deliverPacket()
            return true
        }
        for attempt in attempts { try step(attempt) }
        if queues.contains(where: { !$0.isEmpty }) || attempts.contains(where: \.isOver) { return true }
        if clients.contains(where: { $0.state == .idle }) {
            clientActs()
            return true
        }
        if try partitions.contains(where: { try !unacknowledged(of: $0).isEmpty }) {
            resend()
            return true
        }
        if takeUpStarts() { return true }
        return try wakeNext() || !attempts.isEmpty
    }

    /// Time goes on, or somebody outside does what is waited for.
    private func wakeNext() throws -> Bool {
        let due = timers.flatMap { $0 }.map(\.due) + delayed.map(\.due)
        if let next = due.min() {
            now = max(now, next)
            fireTimers()
            return true
        }
        if !awakeables.isEmpty {
            completeAwakeable(keep: false)
            return true
        }
        var woken = false
        for partition in partitions {
            var commands: [Command] = []
            try InvocationTable(partition: partition.index).all(store.snapshot()) { id, record throws(StorageError) in
                guard let future = record.waitingFor else {
                    if record.status == .paused { commands.append(.resume(id, .keep, nil)) }
                    return true
                }
                for case .signal(let signal) in future.leaves where signal >= 17 {
                    // Whoever was to complete it crashed before that was durable, and says it again.
                    commands.append(.signal(id, .signal(.signal(signal), .void), nil))
                }
                // A completed promise wakes whoever waits for it: more than once does not help.
                if try waitsForPromise(id, length: record.journalLength, future, of: partition.index),
                    helped.insert("\(id) \(record.incarnation) \(future)").inserted
                {
                    commands.append(contentsOf: help(record.target))
                }
                return true
            }
            for command in commands { submit(command, to: partition.index) }
            woken = woken || !commands.isEmpty
        }
        return woken
    }

    private func waitsForPromise(
        _ id: InvocationID, length: UInt32, _ future: Future, of partition: PartitionIndex
    ) throws(StorageError) -> Bool {
        var waits = false
        try JournalTable(partition: partition).entries(id, to: length, store.snapshot()) { _, entry in
            if case .getPromise(let get)? = try? JournalCommand(type: entry.type, payload: entry.payload) {
                waits = waits || future.leaves.contains(.completion(get.resultCompletionID))
            }
            return !waits
        }
        return waits
    }

    /// Somebody completes the promise of a workflow that may wait for it.
    private func help(_ target: InvocationTarget) -> [Command] {
        var helper = target
        helper.handler = "help"
        helper.kind = .workflowShared
        let input = Input(seed: Input.nothing, level: Program.deepestLevel, service: .workflowHelper)
        let request = InvokeRequest(
            id: invocationID(of: helper, idempotencyKey: nil), target: helper, source: .engine,
            input: InputCommand(value: Bytes(utf8: input.text)).payload, completionRetention: 0, journalRetention: 0)
        return [.invoke(request, .none)]
    }

    // MARK: - At rest

    private func checkRest() throws {
        var violations: [String] = []
        let snapshot = store.snapshot()
        var lists: [(object: ObjectID, tokens: [String])] = []
        for partition in partitions {
            violations += try partition.checkInvariants(snapshot)
            try InvocationTable(partition: partition.index).all(snapshot) { id, record in
                if record.status != .completed { violations.append("stuck: " + printer.line(for: record, id)) }
                return true
            }
            try LockTable(partition: partition.index).all(snapshot) { object, holder in
                violations.append("\(object.key) is still locked by \(holder)")
                return true
            }
            try InboxTable(partition: partition.index).all(snapshot) { object, sequence, _ in
                violations.append("\(object.key) has still \(sequence) in its inbox")
                return true
            }
            try StateTable(partition: partition.index).all(snapshot) { object, _, value in
                lists.append((object, value.lossyString.split(separator: "\n").map(String.init)))
                return true
            }
            if try !unacknowledged(of: partition).isEmpty { violations.append("an outbox is not empty") }
        }
        for client in clients where client.state != .done {
            violations.append("a client of \(client.request.id) has no answer")
        }
        violations += ledger.violations(in: lists)
        guard violations.isEmpty else { throw violated(violations.joined(separator: "\n")) }
    }
}
