import HoldfastEngine
import HoldfastServiceProtocol
import HoldfastStorage
import HoldfastWire
import Synchronization

/// What a script talks to: partitions over a store in memory, in which everything has a short name.
///
/// Each command is committed and durable before its actions are printed.
final class World {
    let store = MemoryStore()
    private(set) var partitions: [Partition] = []
    var version = ProtocolVersion.v6
    /// Not once a record was damaged on purpose.
    var checksInvariants = true
    private var now = Timestamp(millis: 0)
    private var sent: [String: PartitionMessage] = [:]
    let names = Names()
    private(set) var output: [String] = []
    private let printer: LinePrinter

    private let limits: Limits

    init(limits: Limits = Limits()) throws {
        self.limits = limits
        let names = names
        printer = LinePrinter(name: { names.name(of: $0) }, client: { names.name(of: $0) })
        try start(partitions: 1)
    }

    private func start(partitions count: PartitionIndex) throws {
        names.partitionCount = count
        partitions = try (0..<count).map {
            try Partition(index: $0, count: count, store: store.snapshot(), limits: limits)
        }
    }

    /// Runs the lines of a block; returns what came of them.
    func run(_ lines: [String]) throws -> [String] {
        output = []
        for line in lines {
            do {
                try run(line)
            } catch {
                throw ScriptError("\(line): \(error)")
            }
        }
        return output
    }

    private func run(_ line: String) throws {
        if let rest = line.split(separator: " ", maxSplits: 1).last, line.hasPrefix("at ") {
            let parts = rest.split(separator: " ", maxSplits: 1)
            guard parts.count == 2, let time = UInt64(parts[0]) else { throw ScriptError("no time") }
            now = Timestamp(millis: time)
            return try run(parts[1].trimmed)
        }
        var words = Words(line)
        let verb = try words.next()
        switch verb {
        case "partitions": try start(partitions: try words.number())
        case "version":
            guard let version = ProtocolVersion(rawValue: try words.number()) else { throw ScriptError("no version") }
            self.version = version
        case "attempt": try attempt(line)
        case "fire": try fire()
        case "crash": try crash()
        case "deliver", "acknowledge", "outbox": try exchange(verb, &words)
        case "show": try show(names.id(of: try words.next()))
        case "state": try showState(of: target(try words.next() + "/x").object)
        default:
            let (command, partition) = try command(verb, &words)
            try apply(command, to: partition)
        }
        guard words.isEmpty || verb == "attempt" else { throw ScriptError("more words than expected") }
    }

    func apply(_ command: Command, to index: PartitionIndex) throws {
        let transaction = store.transaction()
        let partition = partitions[Int(index)]
        let actions = try partition.apply(command, now: now, in: transaction)
        _ = try store.commit(transaction)
        partition.committed()
        try store.makeDurable()
        for action in actions { perform(action, of: index) }
        guard checksInvariants else { return }
        let violations = try partition.checkInvariants(store.snapshot())
        guard violations.isEmpty else { throw ScriptError(violations.joined(separator: "; ")) }
    }

    private func perform(_ action: Action, of index: PartitionIndex) {
        if case .send(let message, let receiver, let sequence) = action {
            sent["\(index) \(receiver) \(sequence)"] = message
        }
        output.append((partitions.count > 1 ? "\(index) " : "") + printer.line(for: action))
    }

    func owner(of id: InvocationID) -> PartitionIndex {
        Partition.owner(of: id.partitionKey, count: PartitionIndex(partitions.count))
    }

    // MARK: - What is not one command

    private func attempt(_ line: String) throws {
        let parts = Words.split(line, at: ";").map(\.trimmed)
        var head = Words(parts[0])
        _ = try head.next()
        let id = names.id(of: try head.next("an invocation"))
        let record = try InvocationTable(partition: owner(of: id)).record(id, store.snapshot())
        let epoch = try head.option("epoch") ?? record?.epoch ?? 0
        let incarnation = try head.option("life") ?? record?.incarnation ?? 0
        let prefix = Words.split(parts[0], at: " ").filter { !$0.isEmpty && !$0.hasPrefix("epoch=") }
            .filter { !$0.hasPrefix("life=") }.dropFirst(2)
        let messages = try ([prefix.joined(separator: " ")] + parts.dropFirst()).map { try message($0) }
        let pin = PinnedDeployment(deployment: World.deployment, version: version)
        let report = AttemptReport(
            id: id, epoch: epoch, incarnation: incarnation, deployment: pin, messages: messages)
        try apply(.attempt(report), to: owner(of: id))
    }

    private func fire() throws {
        for index in partitions.indices.map(PartitionIndex.init) {
            let timers = try TimerTable(partition: index).next(after: nil, limit: 100, store.snapshot())
            for timer in timers where timer.due <= now { try apply(.timerFired(timer), to: index) }
        }
    }

    /// What only memory holds is gone; what was under way is taken up again.
    private func crash() throws {
        store.crash()
        try start(partitions: PartitionIndex(partitions.count))
        for partition in partitions {
            let snapshot = store.snapshot()
            try resend(of: partition)
            for command in try partition.interrupted(after: nil, limit: 100, snapshot).commands {
                try apply(command, to: partition.index)
            }
        }
    }

    private func exchange(_ verb: String, _ words: inout Words) throws {
        let from: PartitionIndex = try words.number()
        guard verb != "outbox" else {
            return try resend(of: partitions[Int(from)])
        }
        let to: PartitionIndex = try words.number()
        let sequence: UInt64 = try words.number()
        guard verb == "deliver" else { return try apply(.acknowledged(by: to, upTo: sequence), to: from) }
        guard let message = sent["\(from) \(to) \(sequence)"] else { throw ScriptError("no such message was sent") }
        try apply(.receive(message, from: from, sequence: sequence), to: to)
    }

    private func resend(of partition: Partition) throws {
        for receiver in 0..<PartitionIndex(partitions.count) {
            for action in try partition.unacknowledged(to: receiver, store.snapshot()) {
                perform(action, of: partition.index)
            }
        }
    }

    private func show(_ id: InvocationID) throws {
        let snapshot = store.snapshot()
        guard let record = try InvocationTable(partition: owner(of: id)).record(id, snapshot) else {
            output.append("free            \(names.name(of: id))")
            return
        }
        output.append(printer.line(for: record, id))
        let journals = JournalTable(partition: owner(of: id))
        try journals.entries(id, to: record.journalLength, snapshot) { index, entry in
            output.append(printer.line(for: entry, index: index))
            return true
        }
        for event in try journals.events(id, count: record.eventCount, snapshot) {
            output.append(printer.line(for: event))
        }
    }

    private func showState(of object: ObjectID) throws {
        for index in partitions.indices.map(PartitionIndex.init) {
            try StateTable(partition: index).entries(of: object, store.snapshot()) { key, value in
                output.append("state           \(key.lossyString)=\(value.lossyString)")
                return true
            }
        }
    }

    static let deployment = DeploymentID(7)
    static let otherDeployment = DeploymentID(8)
}

/// Short names for identifiers. `b@1` is an invocation of partition 1.
final class Names: Sendable {
    private struct State {
        var partitionCount: PartitionIndex = 1
        var ids: [String: InvocationID] = [:]
        var names: [InvocationID: String] = [:]
        var clients: [String] = []
    }

    private let state = Mutex(State())

    var partitionCount: PartitionIndex {
        get { state.withLock { $0.partitionCount } }
        set { state.withLock { $0.partitionCount = newValue } }
    }

    func id(of name: String) -> InvocationID {
        state.withLock { state in
            if let id = state.ids[name] { return id }
            let partition = name.split(separator: "@").dropFirst().last.flatMap { UInt64($0) } ?? 0
            let share = UInt64.max / UInt64(state.partitionCount)
            let number = state.ids.count + 1
            let id = InvocationID(partitionKey: partition * share + 4096, uuid: UInt128(number))
            state.ids[name] = id
            state.names[id] = name
            return id
        }
    }

    func name(of id: InvocationID) -> String { state.withLock { $0.names[id] } ?? id.description }

    func client(_ name: String) -> RequestID {
        state.withLock { state in
            let index = state.clients.firstIndex(of: name) ?? state.clients.count
            if index == state.clients.count { state.clients.append(name) }
            return RequestID(loop: 0, serial: UInt64(index))
        }
    }

    func name(of request: RequestID) -> String {
        state.withLock { state in
            Int(exactly: request.serial).flatMap { state.clients.indices.contains($0) ? state.clients[$0] : nil } ?? "?"
        }
    }
}

extension StringProtocol {
    var trimmed: String {
        var text = Substring(self)
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
