import HoldfastEngine
import HoldfastServiceProtocol
import HoldfastStorage
import HoldfastWire

/// A whole engine in one thread: partitions over a store that can lose what is not synced, a network between them that
/// delays, repeats and reorders, deployments that fail, clients that try again, operators that interfere.
///
///     commands ─▶ apply ─▶ commit ─▶ held ──sync──▶ performed: attempts, answers, timers, packets ─▶ commands
///                                      └──crash──▶ gone, with all that memory holds
///
/// The seed decides everything. What the world outside has seen is kept in a ledger and must never turn out wrong.
public final class Simulation {
    /// What a run may have in it.
    public struct Options: Sendable {
        /// Everything follows from it.
        public var seed: UInt64
        /// How many events happen before the faults end and everything has to come to rest.
        public var steps: Int
        /// From which event on lines are printed; nil: none.
        public var printFrom: Int?
        /// The one crash of the run, instead of those by chance.
        public var crash: Crash?

        /// Makes options.
        public init(seed: UInt64, steps: Int = 1500, printFrom: Int? = nil, crash: Crash? = nil) {
            self.seed = seed
            self.steps = steps
            self.printFrom = printFrom
            self.crash = crash
        }
    }

    /// A crash right behind a commit, before any of its actions was performed.
    public struct Crash: Sendable {
        /// Which commit of the run it is, counted from 1.
        public var commit: Int
        /// Whether the commit survives; else it is lost with all others since the last sync.
        public var isDurable: Bool

        /// Makes a crash.
        public init(commit: Int, isDurable: Bool) {
            self.commit = commit
            self.isDurable = isDurable
        }
    }

    /// Something must not be so.
    public struct Violation: Error, CustomStringConvertible {
        /// What, and how to see it again.
        public let description: String
    }

    /// Actions that wait until their commit is durable.
    struct Held {
        let position: CommitPosition
        let partition: PartitionIndex
        let actions: [Action]
        /// A handler's end that becomes a fact then.
        let end: (tokens: [String], object: ObjectID)?
    }

    /// A message on its way to another partition, or an acknowledgement on its way back.
    struct Packet {
        let command: Command
        let receiver: PartitionIndex
    }

    /// A command that is due later.
    struct Delayed {
        let due: Timestamp
        let command: Command
        let partition: PartitionIndex
    }

    let options: Options
    let partitionCount: PartitionIndex
    let store = MemoryStore()
    let printer = LinePrinter()
    /// Whether operators interfere, and whether results are forgotten by hand: not in every run.
    let hasOperators: Bool
    let hasCrashes: Bool

    var random: FastRandom
    var now = Timestamp(millis: 1_000_000)
    var partitions: [Partition] = []
    var queues: [[Command]] = []
    var held: [Held] = []
    var network: [Packet] = []
    var delayed: [Delayed] = []
    var timers: [[TimerKey]] = []
    var attempts: [SimulatedAttempt] = []
    var series: [InvocationID: SimulatedAttempt] = [:]
    var clients: [SimulatedClient] = []
    var nextRequest: UInt64 = 0
    /// Awakeables that somebody outside knows of.
    var awakeables: [(id: InvocationID, signal: UInt32)] = []
    /// Invocations that operators know of.
    var known: [InvocationID] = []
    var ledger = Ledger()
    var isDraining = false
    /// Workflows whose promise somebody has completed because nothing else was left to do.
    var helped: Set<String> = []
    private(set) var stepCount = 0
    private var digest = Digest()
    /// Turns that were committed.
    public private(set) var commitCount = 0
    /// How often each rare thing happened.
    public private(set) var probes: [String: Int] = [:]

    /// Sets up the world of a seed.
    public init(_ options: Options) throws {
        self.options = options
        random = FastRandom(seed: options.seed)
        partitionCount = PartitionIndex(1 + random.next() % 3)
        hasOperators = random.next() % 2 == 0
        hasCrashes = random.next() % 4 != 0 && options.crash == nil
        try startPartitions()
    }

    /// Runs until everything has come to rest; returns the digest of all that happened.
    public func run() throws -> String {
        for _ in 0..<options.steps { try step() }
        try drain()
        digest.add("\(random.next())")
        return digest.text
    }

    // MARK: - Chance

    func chance(_ oneIn: Int) -> Bool { Int.random(in: 0..<oneIn, using: &random) == 0 }
    func index(_ count: Int) -> Int { Int.random(in: 0..<count, using: &random) }

    func probe(_ name: String) { probes[name, default: 0] += 1 }

    func log(_ text: @autoclosure () -> String) {
        let line = "\(now) " + text()
        digest.add(line)
        guard let first = options.printFrom, stepCount >= first else { return }
        print("\(stepCount)\t\(line)")
    }

    func violated(_ what: String) -> Violation {
        Violation(
            description: "step \(stepCount): \(what)\n"
                + "swift run Simulator --seed \(options.seed) --steps \(options.steps) "
                + (options.crash.map { "--crash-at \($0.commit) --durable \($0.isDurable ? 1 : 0) " } ?? "")
                + "--print-from \(max(0, stepCount - 60))")
    }

    // MARK: - Events

    private func step() throws {
        stepCount += 1
        if chance(3) { now = now.advanced(by: UInt64(index(20))) }
        switch index(100) {
        case 0..<35: try applyNext()
        case 35..<50: try sync()
        case 50..<75: try stepAttempt()
        case 75..<82: try deliverPacket()
        case 82..<89: clientActs()
        case 89..<93: fireTimers()
        case 93: completeAwakeable(keep: chance(3))
        case 94: resend()
        case 95: for index in partitions.indices { submit(.cleanUp(limit: 3), to: PartitionIndex(index)) }
        case 96 where hasOperators: operatorActs()
        case 97 where hasCrashes && chance(4): try crash()
        case 98: takeUpStarts()
        case 99:
            for index in partitions.indices { submit(.endBackOffs(after: nil, limit: 1), to: PartitionIndex(index)) }
        default: break
        }
    }

    func submit(_ command: Command, to partition: PartitionIndex) { queues[Int(partition)].append(command) }
    func submit(_ command: Command, for id: InvocationID) { submit(command, to: owner(of: id)) }
    func owner(of id: InvocationID) -> PartitionIndex { Partition.owner(of: id.partitionKey, count: partitionCount) }

    /// One turn of a partition: some of its commands, in one batch.
    func applyNext() throws {
        let ready = queues.indices.filter { !queues[$0].isEmpty }
        guard !ready.isEmpty else { return }
        let index = ready[self.index(ready.count)]
        let count = 1 + self.index(min(4, queues[index].count))
        let commands = Array(queues[index].prefix(count))
        queues[index].removeFirst(count)
        let transaction = store.transaction()
        let partition = partitions[index]
        var actions: [Action] = []
        var ends: [(tokens: [String], object: ObjectID)] = []
        if chance(50) {
            // The store refuses: everything is taken back, and tried again.
            probe("turn taken back")
            for command in commands { _ = try partition.apply(command, now: now, in: transaction) }
            try partition.restoreMemory(from: store.snapshot())
            queues[index].insert(contentsOf: commands, at: 0)
            return
        }
        for command in commands {
            log("\(index) " + printer.line(for: command))
            if let end = try acceptedEnd(of: command, in: transaction, of: partition.index) { ends.append(end) }
            let released = try partition.apply(command, now: now, in: transaction)
            for action in released { log("\(index)     " + printer.line(for: action)) }
            actions += released
            try observe(command, released, in: transaction, of: partition.index)
        }
        let position = try store.commit(transaction)
        partition.committed()
        for end in ends {
            held.append(Held(position: position, partition: partition.index, actions: [], end: end))
        }
        held.append(Held(position: position, partition: partition.index, actions: actions, end: nil))
        let violations = try partition.checkInvariants(store.snapshot())
        guard violations.isEmpty else { throw violated(violations.joined(separator: "\n")) }
        commitCount += 1
        if let crash = options.crash, crash.commit == commitCount {
            if crash.isDurable {
                try store.makeDurable()
                for case let end? in held.map(\.end) { ledger.ended(end.tokens, on: end.object) }
            }
            try self.crash()
        }
    }

    /// The tokens of a handler, if this command is its end and counts.
    private func acceptedEnd(
        of command: Command, in store: any ReadableStore, of partition: PartitionIndex
    ) throws -> (tokens: [String], object: ObjectID)? {
        guard case .attempt(let report) = command, case .ended? = report.messages.last,
            let record = try InvocationTable(partition: partition).record(report.id, store),
            record.status == .invoked, record.epoch == report.epoch, record.incarnation == report.incarnation
        else { return nil }
        var tokens: [String] = []
        try JournalTable(partition: partition).entries(report.id, to: record.journalLength, store) { _, entry in
            if case .setState(let set)? = try? JournalCommand(type: entry.type, payload: entry.payload),
                let token = set.value.lossyString.split(separator: "\n").last
            {
                tokens.append(String(token))
            }
            return true
        }
        return (tokens, record.target.object)
    }

    private func observe(
        _ command: Command, _ actions: [Action], in store: any ReadableStore, of partition: PartitionIndex
    ) throws {
        switch command {
        case .attempt(let report) where actions.isEmpty:
            let record = try InvocationTable(partition: partition).record(report.id, store)
            let last = try record.flatMap { record in
                try JournalTable(partition: partition).entry(report.id, index: record.journalLength &- 1, store)
            }
            let isKept = record?.status == .paused && last?.type == .runCompletion && last?.appended == now
            probe(isKept ? "step finished though paused" : "report without effect")
        case .receive where actions.count == 1: probe("message taken once or too early")
        case .startAttempt where actions.isEmpty: probe("start out of date")
        default: break
        }
        if case .attempt(let report) = command, case .suspended? = report.messages.last {
            for case .startAttempt(let start) in actions where start.id == report.id {
                probe("suspension resolved at once")
            }
        }
    }

    func sync() throws {
        try store.makeDurable()
        let ready = held
        held = []
        for batch in ready {
            if let end = batch.end { ledger.ended(end.tokens, on: end.object) }
            for action in batch.actions { try perform(action, of: batch.partition) }
        }
    }

    // MARK: - Partitions

    private func startPartitions() throws {
        let snapshot = store.snapshot()
        partitions = try (0..<partitionCount).map {
            try Partition(index: $0, count: partitionCount, store: snapshot, limits: Limits(removedRows: 3))
        }
        queues = Array(repeating: [], count: Int(partitionCount))
        timers = try (0..<partitionCount).map {
            try TimerTable(partition: $0).next(after: nil, limit: .max, snapshot)
        }
    }

    /// The process ends: what is not synced is lost, and so is everything in memory. Then it starts again.
    func crash() throws {
        log("crash")
        probe("crash")
        if held.contains(where: { !$0.actions.isEmpty }) { probe("crash that loses commits") }
        store.crash()
        held = []
        network = []
        delayed = []
        attempts = []
        series = [:]
        helped = []
        for index in clients.indices { clients[index].connectionLost() }
        try startPartitions()
        for partition in partitions {
            for action in try unacknowledged(of: partition) { try perform(action, of: partition.index) }
            var last: InvocationID?
            repeat {
                let found = try partition.interrupted(after: last, limit: 5, store.snapshot())
                queues[Int(partition.index)] += found.commands
                last = found.last
            } while last != nil
        }
    }

    func fireTimers() {
        for index in timers.indices {
            let due = timers[index].filter { $0.due <= now }.sorted()
            timers[index].removeAll { $0.due <= now }
            for timer in due { submit(.timerFired(timer), to: PartitionIndex(index)) }
        }
        let due = delayed.filter { $0.due <= now }
        delayed.removeAll { $0.due <= now }
        for item in due { submit(item.command, to: item.partition) }
    }

    /// The invoker of each partition has room for some starts that wait in the store, if there are any.
    @discardableResult
    func takeUpStarts() -> Bool {
        var hasAny = false
        for partition in partitions {
            guard let waiting = try? partition.deploymentsWithDeferredStarts(store.snapshot()) else { continue }
            for deployment in waiting {
                hasAny = true
                submit(.takeUpStarts(for: deployment, after: 0, limit: 1 + index(3)), to: partition.index)
            }
        }
        return hasAny
    }

    func resend() {
        for partition in partitions {
            // Only what is durable may leave, hence what the outbox had at the last sync.
            guard held.isEmpty, let actions = try? unacknowledged(of: partition) else { continue }
            for case .send(let message, let receiver, let sequence) in actions {
                send(message, from: partition.index, to: receiver, sequence: sequence)
            }
        }
    }

    func unacknowledged(of partition: Partition) throws -> [Action] {
        var actions: [Action] = []
        for receiver in 0..<partitionCount {
            actions += try partition.unacknowledged(to: receiver, store.snapshot())
        }
        return actions
    }

    func send(_ message: PartitionMessage, from: PartitionIndex, to: PartitionIndex, sequence: UInt64) {
        network.append(Packet(command: .receive(message, from: from, sequence: sequence), receiver: to))
    }

    func deliverPacket() throws {
        guard !network.isEmpty else { return }
        let position = isDraining ? 0 : index(min(3, network.count))
        let packet = network[position]
        if !isDraining, chance(8) {
            probe("packet repeated")
        } else if !isDraining, chance(12) {
            probe("packet lost")
            network.remove(at: position)
            return
        } else {
            network.remove(at: position)
        }
        submit(packet.command, to: packet.receiver)
    }
}
