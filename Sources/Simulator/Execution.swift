import HoldfastEngine
import HoldfastServiceProtocol
import HoldfastWire

/// One run of a program over what an attempt knows of its journal, as an SDK would do it.
///
/// It begins at the beginning each time, compares the commands that it issues with those of the journal, and stops where
/// it has to wait: new commands are what it issued beyond the journal's end.
struct Execution {
    enum Stop: Error {
        /// Nothing that it knows resolves this.
        case blocked(Future)
        /// It was cancelled.
        case cancelled
        /// The journal has another command than the code.
        case mismatch(String)
    }

    /// A command that the journal does not have.
    struct Issue {
        var command: JournalCommand
        var callee: Program.Callee?
        var target: InvocationID?
    }

    enum Outcome {
        case finished
        case blocked(Future)
        case mismatch(String)
    }

    let id: InvocationID
    let life: UInt64
    let input: Input
    let commands: [JournalCommand]
    let notifications: [Notification]
    /// The time by which sleeps are set.
    let now: Timestamp

    private(set) var issues: [Issue] = []
    /// Steps that were issued and have no result.
    private(set) var openSteps: [UInt32] = []
    /// Awakeables that it waits for or has waited for.
    private(set) var awakeables: [UInt32] = []
    /// Tokens that it has written.
    private(set) var tokens: [String] = []
    /// What it learned, to be compared with what other attempts learn.
    private(set) var facts: [String] = []

    private var commandIndex = 1
    private var cursor = 0
    private var known: [Notification.ID: [Notification.Result]] = [:]
    private var nextCompletion: UInt32 = 1
    private var nextSignal: UInt32 = 17
    private var operationIndex = 0

    init(
        id: InvocationID, life: UInt64, input: Input, commands: [JournalCommand], notifications: [Notification],
        now: Timestamp
    ) {
        self.id = id
        self.life = life
        self.input = input
        self.commands = commands
        self.notifications = notifications
        self.now = now
    }

    mutating func run() -> Outcome {
        do throws(Stop) {
            try finish(with: try body())
            return .finished
        } catch {
            switch error {
            case .blocked(let future): return .blocked(future)
            case .mismatch(let what): return .mismatch(what)
            case .cancelled: break
            }
        }
        do throws(Stop) {
            try finish(with: .failure(Failure(code: 409, message: "cancelled")))
            return .finished
        } catch {
            return .mismatch("cancelled: \(error)")
        }
    }

    private mutating func finish(with result: Completion) throws(Stop) {
        try issue(.output(OutputCommand(result: result)))
    }

    private mutating func body() throws(Stop) -> Completion {
        let program = Program(input)
        for (index, operation) in program.operations.enumerated() {
            operationIndex = index
            if case .failure(let failure)? = try perform(operation) { return .failure(failure) }
        }
        if let reply = input.replyTo, let id = try? InvocationID(text: reply.id) {
            let signal = SendSignalCommand(
                targetInvocationID: reply.id, signal: .namedSignal(reply.name), result: .value(Bytes(utf8: "back")))
            try issue(.sendSignal(signal), target: id)
        }
        if program.fails { return .failure(Failure(code: 418, message: "program \(input.seed)")) }
        return .value(Bytes(utf8: "ok \(input.seed)"))
    }

    // MARK: - Operations

    /// Returns the failure that ends the handler, if there is one.
    private mutating func perform(_ operation: Program.Operation) throws(Stop) -> Completion? {
        switch operation {
        case .append: try append()
        case .step:
            let completion = completionID()
            try issue(.run(RunCommand(resultCompletionID: completion)))
            openSteps.append(completion)
            let result = try wait(completion)
            facts.append("step \(operationIndex) \(result)")
        case .sleep(let millis):
            let completion = completionID()
            try issue(
                .sleep(SleepCommand(wakeUpTime: now.advanced(by: millis), resultCompletionID: completion)))
            _ = try wait(completion)
        case .call(let callees): return try call(callees)
        case .send(let callee, let delay):
            let time = delay == 0 ? Timestamp(millis: 0) : now.advanced(by: delay)
            _ = try send(callee, at: time)
        case .askBack(let callee): try askBack(callee)
        case .awakeable:
            let signal = nextSignal
            nextSignal += 1
            awakeables.append(signal)
            let result = try wait(.leaf(.signal(signal)), first: .signal(signal))
            facts.append("awakeable \(signal) \(result)")
        case .promise:
            guard input.service == .workflow || input.service == .workflowHelper else { return nil }
            let completion = completionID()
            try issue(.getPromise(GetPromiseCommand(key: "p", resultCompletionID: completion)))
            _ = try wait(completion)
        case .completePromise:
            let completion = completionID()
            try issue(
                .completePromise(
                    CompletePromiseCommand(
                        key: "p", completion: .value(Bytes(utf8: "kept")), resultCompletionID: completion)))
            _ = try wait(completion)
        case .attach(let callee):
            let target = try send(callee, at: Timestamp(millis: 0))
            let completion = completionID()
            try issue(
                .attachInvocation(
                    AttachInvocationCommand(
                        target: .invocationID(target.description), resultCompletionID: completion)),
                target: target)
            _ = try wait(completion)
        case .cancel(let callee): try callAndCancel(callee)
        }
        return nil
    }

    private mutating func append() throws(Stop) {
        guard input.service.kind == .objectExclusive else { return }
        let key = Bytes(utf8: "list")
        let completion = completionID()
        try issue(.getLazyState(GetLazyStateCommand(key: key, resultCompletionID: completion)))
        var list = ""
        if case .value(let value) = try wait(completion) { list = value.lossyString }
        let token = "\(id)/\(life)/\(operationIndex)"
        try issue(.setState(SetStateCommand(key: key, value: Bytes(utf8: list + token + "\n"))))
        tokens.append(token)
    }

    private mutating func call(_ callees: [Program.Callee]) throws(Stop) -> Completion? {
        var results: [UInt32] = []
        for callee in callees { results.append(try call(callee)) }
        // In a list of any of them, the older protocol waits again for each that is left.
        let future = Future.node(.allCompleted, results.map { .leaf(.completion($0)) })
        try wait(future)
        for (callee, completion) in zip(callees, results) {
            guard let result = known[.completion(completion)]?.first else { continue }
            facts.append("call \(completion) \(result)")
            switch result {
            case .failure(let failure): if failure.code == 418 { return .failure(failure) }
            case .value(let value):
                // A shared key or a workflow may have run another program under the same identity.
                if callee.idempotencyKey == nil, callee.service != .workflow,
                    value.lossyString != "ok \(callee.seed)"
                {
                    throw .mismatch("call of \(callee.seed) returned \(value.lossyString)")
                }
            case .void, .invocationID, .stateKeys: throw .mismatch("a call returned \(result)")
            }
        }
        return nil
    }

    private mutating func call(_ callee: Program.Callee) throws(Stop) -> UInt32 {
        let idCompletion = completionID()
        let completion = completionID()
        let target = target(of: callee)
        let command = CallCommand(
            serviceName: target.service, handlerName: target.handler, parameter: parameter(of: callee),
            key: target.key, idempotencyKey: callee.idempotencyKey, invocationIDCompletionID: idCompletion,
            resultCompletionID: completion)
        try issue(.call(command), callee: callee)
        return completion
    }

    private mutating func callAndCancel(_ callee: Program.Callee) throws(Stop) {
        // Only a callee of its own: what is cancelled for everybody would make results of others depend on the moment.
        var callee = callee
        callee.idempotencyKey = nil
        if callee.service == .workflow { callee.service = .plain }
        let completion = try call(callee)
        guard case .invocationID(let text) = try wait(completion - 1), let target = try? InvocationID(text: text) else {
            throw .mismatch("a call has no invocation id")
        }
        let signal = SendSignalCommand(targetInvocationID: text, signal: .signal(1), result: .void)
        try issue(.sendSignal(signal), target: target)
        _ = try wait(completion)
    }

    private mutating func send(
        _ callee: Program.Callee, at time: Timestamp, replyTo: (id: String, name: String)? = nil
    ) throws(Stop) -> InvocationID {
        let idCompletion = completionID()
        let target = target(of: callee)
        let command = OneWayCallCommand(
            serviceName: target.service, handlerName: target.handler,
            parameter: parameter(of: callee, replyTo: replyTo), invokeTime: time, key: target.key,
            idempotencyKey: callee.idempotencyKey, invocationIDCompletionID: idCompletion)
        try issue(.oneWayCall(command), callee: callee)
        guard case .invocationID(let text) = try wait(idCompletion), let id = try? InvocationID(text: text) else {
            throw .mismatch("a one-way call has no invocation id")
        }
        return id
    }

    private mutating func askBack(_ callee: Program.Callee) throws(Stop) {
        let name = "back"
        _ = try send(callee, at: Timestamp(millis: 0), replyTo: (id.description, name))
        let completion = completionID()
        try issue(.sleep(SleepCommand(wakeUpTime: now.advanced(by: 100), resultCompletionID: completion)))
        try wait(.node(.firstCompleted, [.leaf(.namedSignal(name)), .leaf(.completion(completion))]))
        if var back = known[.namedSignal(name)], !back.isEmpty {
            // Each signal is received once; the next wait for the name is for the next one.
            back.removeFirst()
            known[.namedSignal(name)] = back.isEmpty ? nil : back
            facts.append("signal at \(operationIndex)")
        } else {
            facts.append("no signal at \(operationIndex)")
        }
    }

    private func target(of callee: Program.Callee) -> InvocationTarget {
        Simulation.target(callee.service, key: callee.key, level: input.level + 1)
    }

    private func parameter(of callee: Program.Callee, replyTo: (id: String, name: String)? = nil) -> Bytes {
        Bytes(
            utf8: Input(seed: callee.seed, level: input.level + 1, service: callee.service, replyTo: replyTo).text)
    }

    // MARK: - Journal

    private mutating func completionID() -> UInt32 {
        defer { nextCompletion += 1 }
        return nextCompletion
    }

    private mutating func issue(
        _ command: JournalCommand, callee: Program.Callee? = nil, target: InvocationID? = nil
    ) throws(Stop) {
        if commandIndex < commands.count {
            let recorded = commands[commandIndex]
            guard recorded.isReplayed(by: command) else {
                throw .mismatch("command \(commandIndex) is \(recorded), and not \(command)")
            }
        } else {
            issues.append(Issue(command: command, callee: callee, target: target))
        }
        commandIndex += 1
    }

    private mutating func wait(_ completion: UInt32) throws(Stop) -> Notification.Result {
        try wait(.leaf(.completion(completion)), first: .completion(completion))
    }

    private mutating func wait(
        _ future: Future, first id: Notification.ID
    ) throws(Stop) -> Notification.Result {
        try wait(future)
        guard let result = known[id]?.first else { throw .mismatch("\(id) was resolved without a result") }
        if case .completion(let completion) = id { openSteps.removeAll { $0 == completion } }
        return result
    }

    /// Takes notifications in the order of the journal until the future is resolved; the cancel signal among them ends
    /// the wait.
    private mutating func wait(_ future: Future) throws(Stop) {
        while true {
            let reduction = future.reduced { known[$0]?.first?.outcome }
            guard case .waiting(let rest) = reduction else { return }
            guard cursor < notifications.count else {
                throw .blocked(.node(.firstCompleted, [.leaf(.signal(1)), rest]))
            }
            let notification = notifications[cursor]
            cursor += 1
            guard notification.id != .signal(1) else { throw .cancelled }
            known[notification.id, default: []].append(notification.result)
        }
    }
}

extension JournalCommand {
    /// Whether code that issues `other` may have written this command (semantics §6.1).
    func isReplayed(by other: JournalCommand) -> Bool {
        switch (self, other) {
        case (.sleep(let recorded), .sleep(let issued)): return recorded.resultCompletionID == issued.resultCompletionID
        case (.oneWayCall(let recorded), .oneWayCall(var issued)):
            issued.invokeTime = recorded.invokeTime
            return recorded == issued
        default: return self == other
        }
    }
}
