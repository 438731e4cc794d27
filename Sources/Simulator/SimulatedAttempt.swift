import HoldfastEngine
import HoldfastServiceProtocol
import HoldfastStorage
import HoldfastWire

/// An attempt on a simulated deployment: replays the journal, runs the program as far as it goes, and says what is new.
final class SimulatedAttempt {
    enum Step {
        /// Nothing to say until something comes.
        case idle
        case say([AttemptMessage])
        case broken(String)
    }

    let start: AttemptStart
    let input: Input
    let version: ProtocolVersion
    let random: () -> UInt64
    /// It has said its last word.
    private(set) var isOver = false
    /// It was superseded or cut off, and does not know it yet.
    var isCutOff = false
    private(set) var commands: [JournalCommand] = []
    private var notifications: [Notification] = []
    /// Index of the journal entry that it will be sent next.
    private var nextEntry: UInt32
    private var proposed: Set<UInt32> = []
    private(set) var last: Execution?
    private(set) var learned: [(index: UInt32, payload: Bytes)] = []

    init?(_ start: AttemptStart, journal: [JournalTable.Entry], random: @escaping () -> UInt64) {
        self.start = start
        self.random = random
        nextEntry = start.journalLength
        // Some deployments speak the older protocol; an invocation stays with what it was pinned to.
        version = start.pinned?.version ?? (start.id.uuid.trailingZeroBitCount > 0 ? .v7 : .v6)
        for (index, entry) in journal.enumerated() {
            learned.append((UInt32(index), entry.payload))
            if let command = try? JournalCommand(type: entry.type, payload: entry.payload) {
                commands.append(command)
            } else if let notification = try? Notification(type: entry.type, payload: entry.payload) {
                notifications.append(notification)
            }
        }
        guard case .input(let command)? = commands.first,
            let input = Input(command.value.lossyString, target: start.target)
        else { return nil }
        self.input = input
    }

    func forward(index: UInt32, type: MessageType, payload: Bytes) {
        guard index >= nextEntry, let notification = try? Notification(type: type, payload: payload) else { return }
        nextEntry = index + 1
        learned.append((index, payload))
        notifications.append(notification)
    }

    /// What it newly learned, for the ledger.
    func takeLearned() -> [(index: UInt32, payload: Bytes)] {
        defer { learned = [] }
        return learned
    }

    /// What it does next. `mayWait` lets it stay connected while it waits.
    func step(
        now: Timestamp, mayWait: Bool, resolve: (Execution.Issue) -> CommandReference
    ) -> Step {
        var execution = Execution(
            id: start.id, life: start.incarnation, input: input, commands: commands, notifications: notifications,
            now: now)
        let outcome = execution.run()
        last = execution
        if case .mismatch(let what) = outcome { return .broken(what) }
        guard execution.issues.isEmpty else {
            let count = 1 + Int(random() % UInt64(execution.issues.count))
            var messages: [AttemptMessage] = []
            for issue in execution.issues.prefix(count) {
                commands.append(issue.command)
                messages.append(
                    .command(
                        issue.command, payload: issue.command.payload, reference: resolve(issue),
                        acknowledge: random() % 8 == 0))
            }
            if case .finished = outcome, count == execution.issues.count, random() % 2 == 0 {
                isOver = true
                messages.append(.ended)
            }
            return .say(messages)
        }
        switch outcome {
        case .mismatch(let what): return .broken(what)
        case .finished:
            isOver = true
            return .say([.ended])
        case .blocked(let future):
            if let step = execution.openSteps.first(where: { !proposed.contains($0) }) {
                proposed.insert(step)
                let value = Bytes(utf8: "drawn \(random())")
                return .say([.proposal(.completion(.runCompletion, step, .value(value)))])
            }
            if mayWait { return .idle }
            isOver = true
            return .say([.suspended(version >= .v7 ? future : future.asList, entriesSent: nextEntry)])
        }
    }

    /// It was declared failed, and has not noticed.
    func goesOn() { isOver = false }

    /// It fails, whatever it was about to do.
    func fail(next: AfterFailure) -> [AttemptMessage] {
        isOver = true
        return [.failed(AttemptFailure(code: 500, message: "connection lost"), next: next)]
    }
}

extension Future {
    /// What protocol versions up to 6 say: any of the leaves.
    var asList: Future {
        var completions: [UInt32] = []
        var signals: [UInt32] = []
        var names: [String] = []
        for leaf in leaves {
            switch leaf {
            case .completion(let id): completions.append(id)
            case .signal(let index): signals.append(index)
            case .namedSignal(let name): names.append(name)
            }
        }
        return Future(completions: completions, signals: signals, namedSignals: names)
    }
}
