import HoldfastEngine
import HoldfastServiceProtocol
import HoldfastStorage
import HoldfastWire
import Testing

/// Rule 7: no command, whatever is in it, traps or leaves the partition in a state that must not be.
struct TotalityTests {
    @Test(arguments: 1...12 as ClosedRange<UInt64>)
    func `any sequence of commands leaves all invariants standing`(seed: UInt64) throws {
        var chaos = try Chaos(seed: seed)
        for step in 0..<300 {
            try chaos.step()
            let violations = try chaos.violations()
            try #require(violations.isEmpty, "seed \(seed), step \(step), \(chaos.lastLine): \(violations)")
        }
    }
}

/// Draws commands with any content: known and unknown ids, boundary values, answers to nothing.
private struct Chaos {
    private var random: FastRandom
    private let store = MemoryStore()
    private var partitions: [Partition] = []
    private var now = Timestamp(millis: 1000)
    private var sent: [(message: PartitionMessage, from: PartitionIndex, to: PartitionIndex, sequence: UInt64)] = []
    private(set) var lastLine = ""

    private static let ids = (0..<8 as Range<UInt64>).map { number in
        InvocationID(partitionKey: (number & 1) << 63 | 5, uuid: UInt128(number))
    }

    init(seed: UInt64) throws {
        random = FastRandom(seed: seed)
        partitions = try (0..<2).map { try Partition(index: $0, count: 2, store: store.snapshot()) }
    }

    func violations() throws -> [String] {
        // Two sleeps under one completion id can't be told apart, and only a broken SDK has them.
        try partitions.flatMap { try $0.checkInvariants(store.snapshot()) }.filter { !$0.contains("sleep") }
    }

    mutating func step() throws {
        now = Timestamp(millis: now.millis + UInt64.random(in: 0...20, using: &random))
        let (command, index) = try command()
        let transaction = store.transaction()
        let partition = partitions[Int(index)]
        lastLine = LinePrinter().line(for: command)
        let actions = try partition.apply(command, now: now, in: transaction)
        if chance(20) {
            // The turn is dropped, as after a refusal of the store.
            try partition.restoreMemory(from: store.snapshot())
            return
        }
        _ = try store.commit(transaction)
        partition.committed()
        for case .send(let message, let receiver, let sequence) in actions {
            sent.append((message, index, receiver, sequence))
        }
    }

    private mutating func chance(_ oneIn: Int) -> Bool { Int.random(in: 0..<oneIn, using: &random) == 0 }
    private mutating func pick<Value>(_ values: [Value]) -> Value {
        values[Int.random(in: 0..<values.count, using: &random)]
    }
    private mutating func id() -> InvocationID { pick(Self.ids) }
    private mutating func number() -> UInt32 { pick([0, 1, 2, 3, 17, .max]) }
    private mutating func time() -> Timestamp {
        pick([Timestamp(millis: 0), now, now.advanced(by: 30), .distantFuture])
    }
    private mutating func text() -> String { pick(["", "k", "ä", "k2"]) }
    private mutating func bytes() -> Bytes { Bytes(utf8: text()) }
    private mutating func failure() -> Failure { Failure(code: pick([0, 409, 500, 65_536, .max]), message: text()) }
    private mutating func completion() -> Completion { chance(2) ? .value(bytes()) : .failure(failure()) }
    private mutating func result() -> Notification.Result {
        pick([.void, .value(bytes()), .failure(failure()), .stateKeys([bytes()]), .invocationID(text())])
    }
    private mutating func signal() -> Notification.ID {
        pick([.signal(1), .signal(17), .namedSignal(text()), .signal(.max)])
    }
    private mutating func retention() -> UInt64 { pick([0, 1, 50, .max]) }
    private mutating func client() -> RequestID { RequestID(loop: 0, serial: UInt64(number() % 4)) }
    private mutating func caller() -> CallerReference {
        CallerReference(
            id: id(), incarnation: UInt64(number() % 8), completionID: number(),
            type: pick([.callCompletion, .attachInvocationCompletion, .getPromiseCompletion]))
    }

    /// The target depends on the id alone: an id never means two things.
    private func target(_ id: InvocationID) -> InvocationTarget {
        let kind = TargetKind.allCases[Int(id.uuid % 5)]
        return InvocationTarget(service: kind.isWorkflow ? "Flow" : "Object", key: "k", handler: "h", kind: kind)
    }

    private mutating func request() -> InvokeRequest {
        let id = id()
        return InvokeRequest(
            id: id, target: target(id), source: .engine,
            input: chance(4) ? bytes() : InputCommand(value: bytes()).payload, idempotencyKey: chance(2) ? text() : nil,
            executionTime: chance(3) ? time() : nil, completionRetention: retention(), journalRetention: retention())
    }

    private mutating func future(depth: Int = 0) -> Future {
        if depth < 3, chance(2) {
            let children = (0..<Int.random(in: 0...3, using: &random)).map { _ in future(depth: depth + 1) }
            return .node(
                pick([
                    .unknown, .firstCompleted, .allCompleted, .firstSucceededOrAllFailed, .allSucceededOrFirstFailed,
                ]), children)
        }
        return .leaf(chance(2) ? .completion(number()) : signal())
    }

    private mutating func change() -> DeploymentChange {
        pick([
            .keep, .latestMissing, .specificMissing, .latest(DeploymentID(1), versions: 5...7),
            .specific(DeploymentID(2), versions: 5...5),
        ])
    }

    private mutating func command() throws -> (Command, PartitionIndex) {
        let id = id()
        let owner = Partition.owner(of: id.partitionKey, count: 2)
        let client = client()
        switch Int.random(in: 0..<27, using: &random) {
        case 0...3:
            let request = request()
            let caller: Caller = pick([.none, .sender(client), .client(client), .invocation(self.caller())])
            return (.invoke(request, caller), Partition.owner(of: request.id.partitionKey, count: 2))
        case 4: return (chance(2) ? .attach(id, client) : .output(id, client), owner)
        case 5: return (.signal(id, .signal(signal(), result()), client), owner)
        case 6: return (chance(2) ? .cancel(id, client) : .forget(id, client), owner)
        case 7: return (chance(2) ? .kill(id, nil) : .pause(id, client), owner)
        case 8: return (chance(2) ? .purge(id, client) : .purgeJournal(id, client), owner)
        case 9: return (.resume(id, change(), client), owner)
        case 10:
            let fresh = InvocationID(partitionKey: id.partitionKey, uuid: id.uuid + 16 * UInt128(number() % 4))
            return (.restart(RestartRequest(id: id, newID: fresh, from: number(), deployment: change()), client), owner)
        case 11:
            let target = target(id)
            let mutation = StateMutation(
                object: target.object, isWorkflow: target.kind.isWorkflow, expectedVersion: chance(2) ? text() : nil,
                entries: [(bytes(), bytes())])
            return (.mutateState(mutation, client), owner)
        case 12: return (.startAttempt(id, epoch: number()), owner)
        case 13:
            let timers = try TimerTable(partition: owner).next(after: nil, limit: 3, store.snapshot())
            if let timer = timers.first, chance(2) { return (.timerFired(timer), owner) }
            return (.timerFired(TimerKey(due: time(), kind: .start, id: id, incarnation: 1)), owner)
        case 14: return (.cleanUp(limit: pick([.min, 0, 1, .max])), owner)
        case 15...16:
            if let message = sent.isEmpty ? nil : pick(sent) {
                return (.receive(message.message, from: message.from, sequence: message.sequence), message.to)
            }
            return (.receive(.kill(id, by: caller()), from: pick([5, .max]), sequence: 1), owner)
        case 17:
            return (.acknowledged(by: pick([7, .max]), upTo: pick([0, 1, .max])), owner)
        case 18:
            if chance(2) { return (.endBackOffs(after: chance(2) ? id : nil, limit: pick([.min, 0, 1, .max])), owner) }
            let record = try InvocationTable(partition: owner).record(id, store.snapshot())
            let epoch = chance(4) ? number() : record?.epoch ?? 0
            let backOff = chance(2) ? backOff() : nil
            return (.deferStart(id, epoch: epoch, for: DeploymentID(1), behind: backOff), owner)
        case 19:
            return (
                .takeUpStarts(for: DeploymentID(1), after: pick([0, 1, .max]), limit: pick([.min, 0, 1, .max])), owner
            )
        default: return (.attempt(try report(id, owner)), owner)
        }
    }

    private mutating func report(_ id: InvocationID, _ owner: PartitionIndex) throws -> AttemptReport {
        let record = try InvocationTable(partition: owner).record(id, store.snapshot())
        let messages = (0..<Int.random(in: 0...3, using: &random)).map { _ in message() }
        return AttemptReport(
            id: id, epoch: chance(8) ? number() : record?.epoch ?? 0,
            incarnation: chance(8) ? UInt64(number()) : record?.incarnation ?? 0,
            deployment: PinnedDeployment(deployment: DeploymentID(1), version: pick(ProtocolVersion.allCases)),
            messages: messages)
    }

    private mutating func message() -> AttemptMessage {
        switch Int.random(in: 0..<10, using: &random) {
        case 0: return .ended
        case 1: return .suspended(future(), entriesSent: number())
        case 2:
            let next: AfterFailure = pick([.retry, .retryStored(backOff()), .retryStored(backOff()), .pause, .end])
            return .failed(AttemptFailure(code: number(), message: text()), next: next)
        case 3: return .proposal(.completion(.runCompletion, number(), result()))
        default:
            let command = journalCommand()
            return .command(
                command, payload: chance(8) ? bytes() : command.payload, reference: reference(), acknowledge: chance(2))
        }
    }

    private mutating func backOff() -> BackOff {
        BackOff(
            due: time(), awaitsRegistration: chance(2), attempts: pick([0, 1, .max]), failures: number(),
            failuresSinceLastEntry: number(), lastStart: chance(2) ? time() : nil,
            lastDeployment: chance(2) ? DeploymentID(1) : nil, lastServer: chance(2) ? text() : nil)
    }

    private mutating func reference() -> CommandReference {
        let id = id()
        let callee = ResolvedCallee(
            id: id, target: target(id), completionRetention: retention(), journalRetention: retention())
        return pick([.none, .callee(callee), .callee(callee), .invocation(id), .invocation(id)])
    }

    private mutating func journalCommand() -> JournalCommand {
        let id = number()
        switch Int.random(in: 0..<18, using: &random) {
        case 0: return .output(OutputCommand(result: completion()))
        case 1: return .getLazyState(GetLazyStateCommand(key: bytes(), resultCompletionID: id))
        case 2: return .getLazyStateKeys(GetLazyStateKeysCommand(resultCompletionID: id))
        case 3: return .setState(SetStateCommand(key: bytes(), value: bytes()))
        case 4: return .clearState(ClearStateCommand(key: bytes()))
        case 5: return .clearAllState(ClearAllStateCommand())
        case 6: return .getPromise(GetPromiseCommand(key: text(), resultCompletionID: id))
        case 7: return .peekPromise(PeekPromiseCommand(key: text(), resultCompletionID: id))
        case 8:
            return .completePromise(
                CompletePromiseCommand(key: text(), completion: completion(), resultCompletionID: id))
        case 9: return .sleep(SleepCommand(wakeUpTime: time(), resultCompletionID: id))
        case 10...12:
            return .call(
                CallCommand(
                    serviceName: text(), handlerName: text(), parameter: bytes(), invocationIDCompletionID: number(),
                    resultCompletionID: id))
        case 13:
            return .oneWayCall(
                OneWayCallCommand(
                    serviceName: text(), handlerName: text(), parameter: bytes(), invokeTime: time(),
                    invocationIDCompletionID: id))
        case 14: return .sendSignal(SendSignalCommand(targetInvocationID: text(), signal: signal(), result: .void))
        case 15: return .run(RunCommand(resultCompletionID: id))
        case 16:
            let target = AttachTarget.invocationID(text())
            return chance(2)
                ? .attachInvocation(AttachInvocationCommand(target: target, resultCompletionID: id))
                : .getInvocationOutput(GetInvocationOutputCommand(target: target, resultCompletionID: id))
        default:
            let awakeable = AwakeableID.signal(self.id(), index: number()).description
            return .completeAwakeable(
                CompleteAwakeableCommand(
                    awakeableID: chance(4) ? text() : awakeable, completion: completion()))
        }
    }
}
