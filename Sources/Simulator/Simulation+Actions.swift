import HoldfastEngine
import HoldfastServiceProtocol
import HoldfastStorage
import HoldfastWire

/// What the world does when an action is released: the invoker's part, answers, packets.
extension Simulation {
    func perform(_ action: Action, of partition: PartitionIndex) throws {
        switch action {
        case .startAttempt(let start):
            if !isDraining, chance(6), series[start.id] == nil {
                probe("start deferred")
                if start.backOff != nil { probe("start behind a stored back-off deferred") }
                submit(
                    .deferStart(start.id, epoch: start.epoch, for: DeploymentID(1), behind: start.backOff),
                    to: partition)
            } else {
                try open(start, in: partition)
            }
        case .startDeferred(let starts, _, _):
            for start in starts { try open(start, in: partition) }
        case .abortAttempt(let id): cutOff(id)
        case .release(let id): cutOff(id)
        case .pauseAttempt(let id): cutOff(id, mayFinish: true)
        case .retryLater(let id, let epoch):
            let due = now.advanced(by: UInt64(index(50)))
            delayed.append(Delayed(due: due, command: .startAttempt(id, epoch: epoch), partition: partition))
        case .backOffStored(let id, let epoch):
            cutOff(id)
            if !isDraining, chance(6) {
                probe("stored back-off ended at once")
                submit(.startAttempt(id, epoch: epoch), to: partition)
            }
        case .retryNow(let id):
            for item in delayed.indices {
                guard case .startAttempt(id, _) = delayed[item].command else { continue }
                submit(delayed[item].command, to: partition)
                delayed.remove(at: item)
                break
            }
        case .forward(let id, let epoch, let index, let type, let payload):
            if let attempt = series[id], attempt.start.epoch == epoch {
                attempt.forward(index: index, type: type, payload: payload)
            }
        case .acknowledgeCommand: break
        case .answer(let request, let answer): try deliver(answer, to: request)
        case .send(let message, let receiver, let sequence):
            send(message, from: partition, to: receiver, sequence: sequence)
        case .acknowledge(let sender, let sequence):
            network.append(Packet(command: .acknowledged(by: partition, upTo: sequence), receiver: sender))
        case .cleanUpMore:
            probe("clean-up in steps")
            submit(.cleanUp(limit: 3), to: partition)
        case .endBackOffsMore(let last):
            probe("back-offs ended in steps")
            submit(.endBackOffs(after: last, limit: 1), to: partition)
        case .setTimer(let timer): timers[Int(partition)].append(timer)
        }
    }

    // MARK: - Attempts

    private func open(_ start: AttemptStart, in partition: PartitionIndex) throws {
        if let former = series[start.id] {
            guard start.epoch != former.start.epoch || start.incarnation != former.start.incarnation else {
                probe("start of an epoch that runs")
                return
            }
            cutOff(start.id)
        }
        if start.target.kind == .objectExclusive {
            for other in attempts where !other.isOver && !other.isCutOff {
                guard other.start.target.kind == .objectExclusive, other.start.target.object == start.target.object
                else { continue }
                throw violated("\(other.start.id) and \(start.id) run at the same time on \(start.target.key)")
            }
        }
        var journal: [JournalTable.Entry] = []
        try JournalTable(partition: partition).entries(start.id, to: start.journalLength, store.snapshot()) {
            _, entry in
            journal.append(entry)
            return true
        }
        guard journal.count == Int(start.journalLength) else {
            // Ended in a commit that is visible and not released yet: the action that says so follows.
            probe("start of what has ended")
            return
        }
        guard let attempt = SimulatedAttempt(start, journal: journal, random: { [unowned self] in random.next() })
        else { throw violated("\(start.id) has no input that a program can be made of") }
        ledger.start(start.id)
        if !known.contains(start.id) { known.append(start.id) }
        if start.journalLength > 1 { probe("replay") }
        if let backOff = start.backOff {
            probe("stored back-off ended")
            guard !start.isNewSeries, backOff.attempts > 0 else { throw violated("\(start.id) forgot its tries") }
        }
        attempts.append(attempt)
        series[start.id] = attempt
    }

    /// The engine wants no more of the attempt; its deployment may not know that yet.
    private func cutOff(_ id: InvocationID, mayFinish: Bool = false) {
        guard let attempt = series.removeValue(forKey: id) else { return }
        attempt.isCutOff = true
        if attempt.isOver || !(mayFinish || chance(3)) { attempts.removeAll { $0 === attempt } }
    }

    func stepAttempt() throws {
        guard !attempts.isEmpty else { return }
        try step(attempts[index(attempts.count)])
    }

    func step(_ attempt: SimulatedAttempt) throws {
        let start = attempt.start
        if attempt.isCutOff, chance(3) {
            attempts.removeAll { $0 === attempt }
            return
        }
        guard !attempt.isOver else {
            attempts.removeAll { $0 === attempt }
            return
        }
        let life = Ledger.Life(id: start.id, incarnation: start.incarnation)
        for (index, payload) in attempt.takeLearned() {
            if let violation = ledger.saw(life, index: index, payload: payload) { throw violated(violation) }
        }
        var messages: [AttemptMessage] = []
        if !isDraining, chance(25) {
            messages = attempt.fail(next: nextTry(of: attempt))
            if case .failed(_, next: .end)? = messages.last { ledger.disturbed.insert(start.id) }
            probe("attempt failed")
            if chance(2), series[start.id] === attempt {
                // It ran out of time: its deployment goes on, and does not know that nobody listens.
                series[start.id] = nil
                attempt.isCutOff = true
                attempt.goesOn()
            }
        } else {
            let step = attempt.step(now: now, mayWait: isDraining ? chance(2) : !chance(4), resolve: resolve)
            switch step {
            case .idle: break
            case .broken(let what): throw violated("\(start.id), epoch \(start.epoch): \(what)")
            case .say(let said): messages = said
            }
            if let last = attempt.last, let violation = ledger.learned(life, last.facts) { throw violated(violation) }
            for signal in attempt.last?.awakeables ?? [] where !awakeables.contains(where: { $0 == (start.id, signal) })
            {
                awakeables.append((start.id, signal))
            }
        }
        guard !messages.isEmpty else { return }
        if attempt.isCutOff { probe("word of an attempt that was cut off") }
        let pin = PinnedDeployment(deployment: DeploymentID(1), version: attempt.version)
        let report = AttemptReport(
            id: start.id, epoch: start.epoch, incarnation: start.incarnation, deployment: pin, messages: messages)
        submit(.attempt(report), for: start.id)
        let beginsStep = messages.contains { if case .command(.run, _, _, _) = $0 { true } else { false } }
        // Somebody pauses it while it is in the step.
        if beginsStep, !isDraining, chance(4) { submit(.pause(start.id, nil), for: start.id) }
    }

    private func nextTry(of attempt: SimulatedAttempt) -> AfterFailure {
        if chance(6) { return .pause }
        if hasOperators && chance(20) { return .end }
        guard chance(2) else { return .retry }
        let attempts = (attempt.start.backOff?.attempts ?? 0) + 1
        return .retryStored(
            BackOff(
                due: now.advanced(by: UInt64(index(100))), awaitsRegistration: chance(2), attempts: attempts,
                failures: UInt32(truncatingIfNeeded: attempts), failuresSinceLastEntry: 1))
    }

    // MARK: - Callees

    private func resolve(_ issue: Execution.Issue) -> CommandReference {
        if let target = issue.target {
            if case .sendSignal(let signal) = issue.command, signal.signal == .signal(1) {
                ledger.disturbed.insert(target)
            }
            return .invocation(target)
        }
        guard let callee = issue.callee else { return .none }
        let level: Int =
            switch issue.command {
            case .call(let call): Input(call.parameter.lossyString, target: Self.plain)?.level ?? 0
            case .oneWayCall(let call): Input(call.parameter.lossyString, target: Self.plain)?.level ?? 0
            default: 0
            }
        let target = Self.target(callee.service, key: callee.key, level: level)
        let retention: UInt64 = [0, 200, 100_000][index(3)]
        return .callee(
            ResolvedCallee(
                id: invocationID(of: target, idempotencyKey: callee.idempotencyKey), target: target,
                completionRetention: retention, journalRetention: chance(2) ? retention : 0))
    }

    private static let plain = InvocationTarget(service: "Plain", handler: "run", kind: .service)

    static func target(_ service: Program.Service, key: Int, level: Int) -> InvocationTarget {
        let handler = service == .workflowHelper ? "help" : "run"
        let keyText = service == .plain ? "" : "\(level)-\(key)"
        return InvocationTarget(service: service.name, key: keyText, handler: handler, kind: service.kind)
    }

    func invocationID(of target: InvocationTarget, idempotencyKey: String?) -> InvocationID {
        let key: UInt64 =
            if target.kind.isKeyed {
                PartitionKey.ofKey(target.key)
            } else {
                PartitionKey.service(
                    target.service, bucket: idempotencyKey.map(PartitionKey.bucket) ?? random.next() % 512)
            }
        if target.kind == .workflowRun {
            return InvocationID(
                partitionKey: key,
                uuid: DeterministicID.workflowRun(scope: nil, service: target.service, key: target.key))
        }
        if let idempotencyKey {
            return InvocationID(
                partitionKey: key,
                uuid: DeterministicID.idempotent(
                    scope: nil, service: target.service, key: target.kind.isKeyed ? target.key : nil,
                    handler: target.handler, idempotencyKey: idempotencyKey))
        }
        return InvocationID(partitionKey: key, uuid: UInt128(random.next()) << 64 | UInt128(random.next()))
    }
}
