import HoldfastEngine
import HoldfastServiceProtocol
import HoldfastWire

/// How lines of scripts become commands, and parts of lines messages of attempts.
extension World {
    func command(_ verb: String, _ words: inout Words) throws -> (Command, PartitionIndex) {
        switch verb {
        case "call", "send", "invoke":
            let caller: Caller =
                switch verb {
                case "call": .client(names.client(try words.next("a client")))
                case "send": .sender(names.client(try words.next("a client")))
                default: .none
                }
            let id = names.id(of: try words.next("an invocation"))
            return (.invoke(try request(id, &words), caller), owner(of: id))
        case "attach", "output", "forget":
            let client = names.client(try words.next("a client"))
            let id = names.id(of: try words.next("an invocation"))
            let command: Command =
                switch verb {
                case "attach": .attach(id, client)
                case "output": .output(id, client)
                default: .forget(id, client)
                }
            return (command, owner(of: id))
        case "register":
            let after = words.options["after"].map(names.id)
            return (.endBackOffs(after: after, limit: try words.option("limit") ?? 100), 0)
        case "clean-up": return (.cleanUp(limit: try words.option("limit") ?? 100), 0)
        case "take-up":
            let after: UInt64 = try words.option("after") ?? 0
            return (.takeUpStarts(for: World.deployment, after: after, limit: try words.option("limit") ?? 100), 0)
        case "mutate":
            let target = target(try words.next("an object") + "/x")
            let isWorkflow = target.kind.isWorkflow
            var entries: [(key: Bytes, value: Bytes)] = []
            while !words.isEmpty { entries.append((Bytes(utf8: try words.next()), Bytes(utf8: try words.next()))) }
            let mutation = StateMutation(
                object: target.object, isWorkflow: isWorkflow, expectedVersion: words.options["version"],
                entries: entries)
            return (.mutateState(mutation, names.client("operator")), 0)
        default:
            let id = names.id(of: try words.next("an invocation"))
            return (try command(verb, on: id, &words), owner(of: id))
        }
    }

    private func command(_ verb: String, on id: InvocationID, _ words: inout Words) throws -> Command {
        let client = names.client("operator")
        switch verb {
        case "cancel": return .cancel(id, client)
        case "kill": return .kill(id, client)
        case "purge": return .purge(id, client)
        case "purge-journal": return .purgeJournal(id, client)
        case "pause": return .pause(id, client)
        case "resume": return .resume(id, try deployment(words), client)
        case "restart":
            let newID = names.id(of: try words.next("a new name"))
            return .restart(
                RestartRequest(
                    id: id, newID: newID, from: try words.option("from") ?? 0, deployment: try deployment(words)),
                client)
        case "signal":
            let signal = Notification.ID(script: try words.next("a signal"))
            return .signal(id, .signal(signal, try words.result()), client)
        case "start": return .startAttempt(id, epoch: try words.option("epoch") ?? 1)
        case "defer":
            return .deferStart(
                id, epoch: try words.option("epoch") ?? 1, for: World.deployment, behind: try backOff(words))
        default: throw ScriptError("no command")
        }
    }

    private func deployment(_ words: Words) throws -> DeploymentChange {
        switch words.options["deployment"] {
        case nil, "keep": .keep
        case "latest": .latest(World.otherDeployment, versions: 5...7)
        case "specific": .specific(World.otherDeployment, versions: 5...7)
        case "old": .specific(World.otherDeployment, versions: 5...5)
        case "latest-missing": .latestMissing
        case "specific-missing": .specificMissing
        case let other?: throw ScriptError("no deployment: \(other)")
        }
    }

    private func request(_ id: InvocationID, _ words: inout Words) throws -> InvokeRequest {
        let target = target(try words.next("a target"))
        let input = words.isEmpty ? "" : try words.next()
        return InvokeRequest(
            id: id, target: target, source: .ingress(nil), input: InputCommand(value: Bytes(utf8: input)).payload,
            idempotencyKey: words.options["idempotency"], executionTime: try time("start", words),
            completionRetention: try words.option("completion") ?? 0,
            journalRetention: try words.option("journal") ?? 0)
    }

    /// `due=30 attempts=2 registration=1`: the counts of failures are those of the tries.
    private func backOff(_ words: Words) throws -> BackOff? {
        guard let due = try time("due", words) else { return nil }
        let attempts: UInt64 = try words.option("attempts") ?? 1
        return BackOff(
            due: due, awaitsRegistration: words.options["registration"] != nil, attempts: attempts,
            failures: UInt32(truncatingIfNeeded: attempts),
            failuresSinceLastEntry: try words.option("since") ?? UInt32(truncatingIfNeeded: attempts))
    }

    private func time(_ name: String, _ words: Words) throws -> Timestamp? {
        try words.option(name).map { Timestamp(millis: $0) }
    }

    /// `Greeter/greet`, `Counter/c/add`, `Counter/c/get…` (shared), `…Flow/w/run`, `…Flow/w/…` (shared).
    func target(_ text: String) -> InvocationTarget {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3 else {
            return InvocationTarget(service: parts[0], handler: parts.last ?? "", kind: .service)
        }
        let kind: TargetKind =
            switch (parts[0].hasSuffix("Flow"), parts[2]) {
            case (true, "run"): .workflowRun
            case (true, _): .workflowShared
            case (false, let handler): handler.hasPrefix("get") ? .objectShared : .objectExclusive
            }
        return InvocationTarget(service: parts[0], key: parts[1], handler: parts[2], kind: kind)
    }

    // MARK: - Messages of attempts

    func message(_ text: String) throws -> AttemptMessage {
        var words = Words(text)
        let acknowledge = words.take("ack")
        let verb = try words.next("a message")
        let message: AttemptMessage
        switch verb {
        case "End": message = .ended
        case "Suspension":
            message = .suspended(
                try Future(script: try words.next("a future")), entriesSent: try words.option("sent") ?? 0)
        case "Error":
            let stored = try backOff(words).map { AfterFailure.retryStored($0) }
            let next: AfterFailure = words.take("pause") ? .pause : words.take("end") ? .end : stored ?? .retry
            message = .failed(AttemptFailure(code: try words.number("a code"), message: try words.next()), next: next)
        case "Propose":
            message = .proposal(.completion(.runCompletion, try words.number(), try words.result()))
        default:
            let (command, reference) = try journalCommand(verb, &words)
            message = .command(command, payload: command.payload, reference: reference, acknowledge: acknowledge)
        }
        guard words.isEmpty else { throw ScriptError("more words than expected: \(text)") }
        return message
    }

    private func journalCommand(_ verb: String, _ words: inout Words) throws -> (JournalCommand, CommandReference) {
        switch verb {
        case "Call", "OneWayCall", "SendSignal", "CompleteAwakeable", "AttachInvocation", "GetInvocationOutput":
            try commandToOthers(verb, &words)
        default: (try ownCommand(verb, &words), .none)
        }
    }

    private func ownCommand(_ verb: String, _ words: inout Words) throws -> JournalCommand {
        switch verb {
        case "Output": return .output(OutputCommand(result: try words.completion()))
        case "SetState": return .setState(SetStateCommand(key: try bytes(&words), value: try bytes(&words)))
        case "ClearState": return .clearState(ClearStateCommand(key: try bytes(&words)))
        case "ClearAllState": return .clearAllState(ClearAllStateCommand())
        case "GetState":
            return .getLazyState(
                GetLazyStateCommand(key: try bytes(&words), resultCompletionID: try words.number()))
        case "GetStateKeys": return .getLazyStateKeys(GetLazyStateKeysCommand(resultCompletionID: try words.number()))
        case "GetEagerState":
            let key = try bytes(&words)
            return .getEagerState(GetEagerStateCommand(key: key, value: words.isEmpty ? nil : try bytes(&words)))
        case "GetEagerStateKeys":
            var keys: [Bytes] = []
            while !words.isEmpty { keys.append(try bytes(&words)) }
            return .getEagerStateKeys(GetEagerStateKeysCommand(keys: keys))
        case "GetPromise":
            return .getPromise(GetPromiseCommand(key: try words.next(), resultCompletionID: try words.number()))
        case "PeekPromise":
            return .peekPromise(PeekPromiseCommand(key: try words.next(), resultCompletionID: try words.number()))
        case "CompletePromise":
            let key = try words.next()
            let completion: UInt32 = try words.number()
            return .completePromise(
                CompletePromiseCommand(key: key, completion: try words.completion(), resultCompletionID: completion))
        case "Sleep":
            let time = try time("until", words) ?? Timestamp(millis: 0)
            return .sleep(SleepCommand(wakeUpTime: time, resultCompletionID: try words.number()))
        case "Run":
            let id: UInt32 = try words.number()
            return .run(RunCommand(resultCompletionID: id, name: words.isEmpty ? "" : try words.next()))
        default: throw ScriptError("no message: \(verb)")
        }
    }

    private func bytes(_ words: inout Words) throws -> Bytes { Bytes(utf8: try words.next()) }

    private func commandToOthers(_ verb: String, _ words: inout Words) throws -> (JournalCommand, CommandReference) {
        switch verb {
        case "Call", "OneWayCall":
            let idCompletion: UInt32 = try words.number()
            let completion: UInt32 = verb == "Call" ? try words.number() : 0
            let id = names.id(of: try words.next("a callee"))
            let target = target(try words.next("a target"))
            let parameter = words.isEmpty ? [] : try bytes(&words)
            let callee = ResolvedCallee(
                id: id, target: target, completionRetention: try words.option("completion") ?? 0,
                journalRetention: try words.option("journal") ?? 0)
            let key = words.options["idempotency"]
            let command: JournalCommand =
                verb == "Call"
                ? .call(
                    CallCommand(
                        serviceName: target.service, handlerName: target.handler, parameter: parameter,
                        key: target.key, idempotencyKey: key, invocationIDCompletionID: idCompletion,
                        resultCompletionID: completion))
                : .oneWayCall(
                    OneWayCallCommand(
                        serviceName: target.service, handlerName: target.handler, parameter: parameter,
                        invokeTime: try time("start", words) ?? Timestamp(millis: 0), key: target.key,
                        idempotencyKey: key, invocationIDCompletionID: idCompletion))
            return (command, .callee(callee))
        case "SendSignal":
            let id = names.id(of: try words.next())
            let signal = Notification.ID(script: try words.next())
            let result = try words.result()
            return (
                .sendSignal(SendSignalCommand(targetInvocationID: id.description, signal: signal, result: result)),
                .invocation(id)
            )
        case "CompleteAwakeable":
            let id = names.id(of: try words.next())
            let awakeable = AwakeableID.signal(id, index: try words.number())
            return (
                .completeAwakeable(
                    CompleteAwakeableCommand(
                        awakeableID: awakeable.description, completion: try words.completion())),
                .invocation(id)
            )
        default:
            let completion: UInt32 = try words.number()
            let id = names.id(of: try words.next())
            let target = AttachTarget.invocationID(id.description)
            return verb == "AttachInvocation"
                ? (
                    .attachInvocation(AttachInvocationCommand(target: target, resultCompletionID: completion)),
                    .invocation(id)
                )
                : (
                    .getInvocationOutput(GetInvocationOutputCommand(target: target, resultCompletionID: completion)),
                    .invocation(id)
                )
        }
    }
}
