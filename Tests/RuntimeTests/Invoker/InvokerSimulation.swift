import HoldfastEngine
import HoldfastServiceProtocol
import HoldfastStorage
import HoldfastWire

@testable import HoldfastRuntime

/// A partition, its invoker and scripted SDKs under a seeded scheduler, with everything that goes wrong in between.
///
/// Commands are applied one by one; actions are released later, in order, as after a commit; a crash forgets whatever
/// was not released.
final class InvokerSimulation: InvokerDoor {
    private(set) var registry = InvokerSimulation.services
    let world = InvokerWorld()
    private let store = MemoryStore()
    private let settings: InvokerSettings
    private var partition: Partition?
    private var invoker: Invoker?
    private var random: FastRandom
    private var commands = FIFO<Command>()
    private var actions = FIFO<[Action]>()
    private var timers: Set<TimerKey> = []
    private var scripts: [ObjectIdentifier: ScriptedSDK] = [:]
    /// What went wrong, as sentences.
    private(set) var faults: [String] = []
    private(set) var invocations: [InvocationID] = []
    /// How many starts waited in the store.
    private(set) var deferredCount = 0
    /// How many back-offs waited in the store.
    private(set) var storedCount = 0

    private static let services: Registry = {
        var deployment = InvokerFixtures.deployment(services: [
            InvokerFixtures.service("Program", .service, ["run": .service]),
            InvokerFixtures.service("Leaf", .service, ["greet": .service]),
        ])
        deployment.protocolVersions = 5...7
        var defaults = InvocationDefaults()
        defaults.retryPolicy.maxAttempts = nil
        return Registry(deployments: [deployment], rules: RuleBook(), defaults: defaults)
    }()

    init(seed: UInt64, version: ProtocolVersion) throws {
        random = FastRandom(seed: seed)
        var settings = InvokerSettings()
        settings.newestVersion = version
        settings.attemptCountLimit = Int.random(in: 1...6, using: &random)
        settings.waitingCountLimit = Int.random(in: 1...6, using: &random)
        settings.backOffCountLimit = Int.random(in: 0...2, using: &random)
        self.settings = settings
        try restart()
    }

    private func restart() throws {
        store.crash()
        invoker?.shutDown()
        commands = FIFO()
        actions = FIFO()
        let partition = try Partition(index: 0, count: 1, store: store.snapshot())
        self.partition = partition
        invoker = Invoker(transport: world, settings: settings, identity: nil, door: self)
        timers = Set(try TimerTable(partition: 0).next(after: nil, limit: 10_000, store.snapshot()))
        invoker?.foundDeferredStarts(for: try partition.deploymentsWithDeferredStarts(store.snapshot()), in: 0)
        for command in try partition.interrupted(after: nil, limit: 10_000, store.snapshot()).commands {
            commands.append(command)
        }
    }

    // MARK: - Door

    func submit(_ command: Command, to partition: PartitionIndex) { commands.append(command) }

    func journal(
        of id: InvocationID, in partition: PartitionIndex, range: Range<UInt32>, visit: (MessageType, Bytes) -> Bool
    ) throws(StorageError) {
        try JournalTable(partition: partition).entries(
            id, from: range.lowerBound, to: range.upperBound, store.snapshot()
        ) { _, entry throws(StorageError) in
            visit(entry.type, entry.payload)
        }
    }

    func state(
        of object: ObjectID, in partition: PartitionIndex, visit: (Bytes, Bytes) -> Bool
    ) throws(StorageError) {
        try StateTable(partition: partition).entries(of: object, store.snapshot(), visit)
    }

    func isDurable(_ partition: PartitionIndex) -> Bool { true }
    func whenDurable(_ partition: PartitionIndex, _ leave: @escaping () -> Void) { leave() }

    // MARK: - Steps

    func invoke(_ number: Int) {
        let id = InvokerFixtures.id(number)
        invocations.append(id)
        commands.append(
            .invoke(
                InvokeRequest(
                    id: id, target: InvocationTarget(service: "Program", handler: "run", kind: .service),
                    source: .ingress(nil), input: InputCommand(value: Bytes(utf8: "\(number)")).payload,
                    completionRetention: 1 << 40, journalRetention: 1 << 40), .none))
        // What was accepted survives: the client would send it again else.
        while !commands.isEmpty { applyNext() }
        releaseAll()
    }

    /// One step of chance; `isCalm`: nothing goes wrong any more.
    func step(isCalm: Bool) throws {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<30: applyNext()
        case 30..<50: releaseNext()
        case 50..<85: speak(isCalm: isCalm)
        case 85..<94: pass(UInt64.random(in: 1...100, using: &random))
        case 95: pass(UInt64.random(in: 1...70_000, using: &random))
        case 96: signal()
        case 97 where !isCalm: operate()
        case 94: register()
        case 98 where !isCalm: try restart()
        default: endDrained()
        }
    }

    private func applyNext() {
        guard let command = commands.popFirst(), let partition else { return }
        do {
            let transaction = store.transaction()
            let released = try partition.apply(command, now: world.wallClock, in: transaction)
            _ = try store.commit(transaction)
            actions.append(released)
        } catch {
            faults.append("apply: \(error)")
        }
    }

    private func releaseNext() {
        guard let released = actions.popFirst() else { return }
        do { try store.makeDurable() } catch { faults.append("sync: \(error)") }
        for action in released { release(action) }
    }

    private func releaseAll() {
        while !actions.isEmpty { releaseNext() }
    }

    private func release(_ action: Action) {
        guard let invoker else { return }
        switch action {
        case .startAttempt(let start): invoker.startAttempt(start, in: 0)
        case .startDeferred(let starts, let deployment, let last):
            deferredCount += starts.count
            invoker.startDeferred(starts, for: deployment, last: last, in: 0)
        case .abortAttempt(let id): invoker.abortAttempt(id)
        case .retryLater(let id, let epoch): invoker.retryLater(id, epoch: epoch)
        case .backOffStored(let id, let epoch):
            storedCount += 1
            invoker.backOffStored(id, epoch: epoch)
        case .retryNow(let id): invoker.retryNow(id)
        case .forward(let id, let epoch, let index, let type, let payload):
            invoker.forward(id, epoch: epoch, index: index, type: type, payload: payload)
        case .acknowledgeCommand(let id, let epoch, let index):
            invoker.acknowledgeCommand(id, epoch: epoch, commandIndex: index)
        case .release(let id): invoker.release(id)
        case .pauseAttempt(let id): invoker.pauseAttempt(id)
        case .setTimer(let timer): timers.insert(timer)
        case .endBackOffsMore(let last): commands.append(.endBackOffs(after: last, limit: 1))
        case .answer, .send, .acknowledge, .cleanUpMore: break
        }
    }

    private func pass(_ milliseconds: UInt64) {
        world.pass(milliseconds)
        for timer in timers.sorted() where timer.due <= world.wallClock {
            timers.remove(timer)
            commands.append(.timerFired(timer))
        }
    }

    /// Somebody outside completes an awakeable; as often as chance wants.
    private func signal() {
        guard let id = invocations.randomElement(using: &random) else { return }
        let index = UInt32.random(in: 17...19, using: &random)
        commands.append(.signal(id, .signal(.signal(index), .value(Bytes(utf8: "a\(index)"))), nil))
    }

    private func operate() {
        guard let id = invocations.randomElement(using: &random) else { return }
        if Bool.random(using: &random) {
            commands.append(.pause(id, nil))
        } else {
            commands.append(.resume(id, .keep, nil))
        }
    }

    /// Services are registered; that they are the same as before is nothing to the engine.
    private func register() {
        invoker?.registryChanged()
        commands.append(.endBackOffs(after: nil, limit: 1))
    }

    /// Who was paused goes on.
    func resumeAll() {
        for id in invocations { commands.append(.resume(id, .keep, nil)) }
    }

    private func endDrained() {
        for stream in world.streams where stream.isFinished && !stream.isCancelled && !stream.attempt.isLive {
            stream.attempt.ended()
        }
    }

    private func speak(isCalm: Bool) {
        let live = world.streams.suffix(40).filter { $0.attempt.isLive && !$0.isCancelled }
        guard let stream = live.randomElement(using: &random) else { return }
        let script = scripts[ObjectIdentifier(stream), default: ScriptedSDK(stream, version: settings.newestVersion)]
        scripts[ObjectIdentifier(stream)] = script
        if !isCalm {
            switch Int.random(in: 0..<60, using: &random) {
            case 0: return stream.attempt.broke("broken by chance")
            case 1: return stream.attempt.ended()
            case 2: return stream.attempt.refused("refused by chance")
            case 3:
                return stream.attempt.headArrived(status: 503, contentType: nil, retryAfter: "1", server: nil)
            case 4:
                script.accept()
                return stream.say(Sent(ErrorMessage(code: 500, message: "failed by chance")))
            default: break
            }
        }
        if let fault = script.speak() { faults.append(fault) }
    }

    // MARK: - Results

    /// The results of all invocations that have one.
    func results() throws -> [InvocationID: Completion] {
        var results: [InvocationID: Completion] = [:]
        for id in invocations {
            results[id] = try InvocationTable(partition: 0).record(id, store.snapshot())?.result
        }
        return results
    }

    /// The kinds of commands in the journal of an invocation.
    func journal(of id: InvocationID) throws -> [MessageType] {
        var types: [MessageType] = []
        try JournalTable(partition: 0).entries(id, to: .max, store.snapshot()) { _, entry throws(StorageError) in
            if entry.type.isCommand { types.append(entry.type) }
            return true
        }
        return types
    }

    func status(of id: InvocationID) throws -> String {
        let record = try InvocationTable(partition: 0).record(id, store.snapshot())
        let live = invoker?.liveInvocations.first { $0.id == id }
        let journal = try journal(of: id)
        return
            "\(id): \(record.map { "\($0.status) epoch \($0.epoch) waiting for \(String(describing: $0.waitingFor))" } ?? "gone"), "
            + "\(live.map { "in flight: \($0.isInFlight), next \(String(describing: $0.nextRetry)), failure \($0.lastFailure?.message ?? "-")" } ?? "not live"), \(journal)"
    }
}

/// An SDK whose handler is a list of steps, each awaited before the next; the `Leaf` answers at once.
final class ScriptedSDK {
    static let program: [MessageType] = [.run, .sleep, .call, .run, .oneWayCall, .signal, .sleep, .run]

    private let stream: InvokerWorld.Stream
    private let version: ProtocolVersion
    private var knownEntries: Int?
    private var entries = 0
    private var replayed: [MessageType] = []
    private var commandCount = 1
    private var completed: Set<UInt32> = []
    private var signalled: Set<UInt32> = []
    private var hasHead = false
    private var hasSpoken = false

    init(_ stream: InvokerWorld.Stream, version: ProtocolVersion) {
        self.stream = stream
        self.version = version
    }

    func accept() {
        if !hasHead { stream.accept(version) }
        hasHead = true
    }

    /// Goes as far as it can; says what the engine did wrong.
    func speak() -> String? {
        for frame in stream.takeFrames() {
            if let fault = hear(frame) { return fault }
        }
        accept()
        guard let knownEntries, entries >= knownEntries, !hasSpoken else { return nil }
        var messages: [Sent] = []
        if stream.head.path.contains("/Leaf/") {
            end(&messages, "leaf")
            return nil
        }
        var completion: UInt32 = 0
        var command = 1
        var signal: UInt32 = 16
        for step in Self.program {
            var awaited: [UInt32] = []
            if step == .signal {
                signal += 1
                guard signalled.contains(signal) else { return wait(messages, signals: [signal]) }
                continue
            }
            let ids = step == .call ? 2 : 1 as UInt32
            awaited = Array((completion + 1)...(completion + ids))
            completion += ids
            if command < replayed.count {
                if replayed[command] != step { return "\(stream.attempt.start.id): replayed \(replayed), not \(step)" }
            } else if command >= commandCount {
                messages.append(Self.message(step, ids: awaited))
                commandCount += 1
            }
            if step == .run, !completed.contains(awaited[0]) {
                // In every attempt anew until the result is known.
                if proposed.insert(awaited[0]).inserted {
                    messages.append(
                        Sent(
                            ProposeRunCompletionMessage(resultCompletionID: awaited[0], result: .value([1])),
                            flags: version >= .v7 ? FrameHeader.requestAck : 0))
                }
            }
            command += 1
            guard completed.isSuperset(of: awaited) else {
                return wait(messages, completions: awaited.filter { !completed.contains($0) })
            }
        }
        end(&messages, "done")
        return nil
    }

    private var proposed: Set<UInt32> = []

    private func hear(_ frame: Frame) -> String? {
        switch frame.type {
        case .start:
            guard let start = try? StartMessage(decoding: frame.payload), start.knownEntries > 0 else {
                return "a bad Start"
            }
            knownEntries = Int(start.knownEntries)
            return nil
        case .proposeRunCompletionAck:
            guard let ack = try? ProposeRunCompletionAckMessage(decoding: frame.payload),
                proposed.contains(ack.completionID)
            else { return "an acknowledgement that nobody asked for" }
            completed.insert(ack.completionID)
            return nil
        case let type where type.isCommand:
            guard entries < knownEntries ?? 0 else { return "a command behind the replay" }
            entries += 1
            replayed.append(type)
            commandCount = replayed.count
            return nil
        default:
            entries += 1
            guard let notification = try? Notification(type: frame.type, payload: frame.payload) else {
                return "a notification that cannot be read"
            }
            switch notification.id {
            case .completion(let id): completed.insert(id)
            case .signal(let index): signalled.insert(index)
            case .namedSignal: return "a named signal"
            }
            return nil
        }
    }

    private func wait(_ messages: [Sent], completions: [UInt32] = [], signals: [UInt32] = []) -> String? {
        var messages = messages
        if stream.isFinished {
            var payload: [UInt8] = []
            let future = Future(completions: completions, signals: signals + [1])
            SuspensionMessage(awaitingOn: future).encode(version: version, into: &payload)
            messages.append(Sent(.suspension, payload[...]))
            hasSpoken = true
        }
        say(messages)
        return nil
    }

    private func end(_ messages: inout [Sent], _ text: String) {
        hasSpoken = true
        messages.append(Sent(OutputCommand(result: .value(Bytes(utf8: text)))))
        messages.append(Sent(EndMessage()))
        say(messages)
    }

    private func say(_ messages: [Sent]) {
        guard !messages.isEmpty else { return }
        var bytes: [UInt8] = []
        for message in messages {
            writeFrame(type: message.type, flags: message.flags, payload: message.payload, into: &bytes)
        }
        stream.attempt.arrived(bytes[...])
    }

    private static func message(_ step: MessageType, ids: [UInt32]) -> Sent {
        switch step {
        case .run: Sent(RunCommand(resultCompletionID: ids[0], name: "step"))
        case .sleep: Sent(SleepCommand(wakeUpTime: Timestamp(millis: 1), resultCompletionID: ids[0]))
        case .call:
            Sent(
                CallCommand(
                    serviceName: "Leaf", handlerName: "greet", parameter: [], invocationIDCompletionID: ids[0],
                    resultCompletionID: ids[1]))
        default:
            Sent(
                OneWayCallCommand(
                    serviceName: "Leaf", handlerName: "greet", parameter: [], invocationIDCompletionID: ids[0]))
        }
    }
}
