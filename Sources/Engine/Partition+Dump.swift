import HoldfastServiceProtocol
import HoldfastWire

/// Prints what goes into a partition and what comes out of it: one aligned line for each command and action.
///
///     invoke          inv-1 Counter/a/add "5" by client 7
///     start attempt   inv-1 epoch=1 entries=1 new series
///
/// Scripts, the simulator, logs and `holdfast debug` share it, so that what one prints can be found in the others.
public struct LinePrinter: Sendable {
    /// How an invocation is called.
    public var name: @Sendable (InvocationID) -> String
    /// How a client's request is called.
    public var client: @Sendable (RequestID) -> String

    /// A printer that calls things by their identifiers, or by the names that are given.
    public init(
        name: @escaping @Sendable (InvocationID) -> String = { $0.description },
        client: @escaping @Sendable (RequestID) -> String = { "\($0.loop):\($0.serial)" }
    ) {
        self.name = name
        self.client = client
    }

    private func line(_ verb: String, _ rest: String) -> String {
        let padding = String(repeating: " ", count: max(1, 16 - verb.count))
        return rest.isEmpty ? verb : verb + padding + rest
    }

    // MARK: - Commands

    /// What happens to a partition.
    public func line(for command: Command) -> String {
        switch command {
        case .invoke(let request, let caller): line("invoke", text(request) + text(caller))
        case .attach(let id, let request): line("attach", name(id) + by(request))
        case .output(let id, let request): line("output", name(id) + by(request))
        case .signal(let id, let notification, let request):
            line("signal", "\(name(id)) \(text(notification))" + by(request))
        case .forget(let id, let request): line("forget", name(id) + by(request))
        case .cancel(let id, let request): line("cancel", name(id) + by(request))
        case .kill(let id, let request): line("kill", name(id) + by(request))
        case .purge(let id, let request): line("purge", name(id) + by(request))
        case .purgeJournal(let id, let request): line("purge journal", name(id) + by(request))
        case .pause(let id, let request): line("pause", name(id) + by(request))
        case .resume(let id, let change, let request): line("resume", "\(name(id)) \(text(change))" + by(request))
        case .restart(let restart, let request):
            line(
                "restart",
                "\(name(restart.id)) as \(name(restart.newID)) from=\(restart.from) \(text(restart.deployment))"
                    + by(request))
        case .mutateState(let mutation, let request):
            line("mutate state", "\(text(mutation.object)) \(mutation.entries.count) entries" + by(request))
        case .attempt(let report):
            line(
                "attempt",
                "\(name(report.id)) epoch=\(report.epoch) " + report.messages.map(text).joined(separator: "; "))
        case .startAttempt(let id, let epoch): line("want attempt", "\(name(id)) epoch=\(epoch)")
        case .deferStart(let id, let epoch, let deployment, let backOff):
            line("defer start", "\(name(id)) epoch=\(epoch) for \(deployment)" + text(backOff, " behind"))
        case .takeUpStarts(let deployment, let previous, let limit):
            line("take up starts", "for \(deployment) after=\(previous) limit=\(limit)")
        case .endBackOffs(let previous, let limit):
            line("end back-offs", (previous.map { "after=\(name($0)) " } ?? "") + "limit=\(limit)")
        case .timerFired(let timer): line("timer fired", text(timer))
        case .cleanUp(let limit): line("clean up", "limit=\(limit)")
        case .receive(let message, let sender, let sequence):
            line("receive", "\(sender)#\(sequence) \(text(message))")
        case .acknowledged(let receiver, let sequence): line("acknowledged", "by \(receiver) up to \(sequence)")
        }
    }

    // MARK: - Actions

    /// What a partition wants to be done.
    public func line(for action: Action) -> String {
        switch action {
        case .startAttempt(let start):
            line(
                "start attempt",
                "\(name(start.id)) epoch=\(start.epoch) entries=\(start.journalLength)"
                    + (start.isNewSeries ? " new series" : "")
                    + (start.pinned.map { " pinned to v\($0.version.rawValue)" } ?? "") + text(start.backOff, " behind")
            )
        case .startDeferred(let starts, let deployment, let last):
            line(
                "start deferred",
                starts.map { "\(name($0.id)) epoch=\($0.epoch)" + text($0.backOff, " behind") }.joined(separator: ", ")
                    + " for \(deployment)" + (last.map { " more after=\($0)" } ?? ""))
        case .abortAttempt(let id): line("abort attempt", name(id))
        case .retryLater(let id, let epoch): line("retry later", "\(name(id)) epoch=\(epoch)")
        case .backOffStored(let id, let epoch): line("back-off stored", "\(name(id)) epoch=\(epoch)")
        case .retryNow(let id): line("retry now", name(id))
        case .forward(let id, let epoch, let index, let type, let payload):
            line("forward", "\(name(id)) epoch=\(epoch) [\(index)] \(text(type, payload))")
        case .acknowledgeCommand(let id, let epoch, let command):
            line("acknowledge", "\(name(id)) epoch=\(epoch) command \(command)")
        case .release(let id): line("release", name(id))
        case .pauseAttempt(let id): line("pause attempt", name(id))
        case .answer(let request, let answer): line("answer", "\(client(request)) \(text(answer))")
        case .send(let message, let receiver, let sequence):
            line("send", "\(receiver)#\(sequence) \(text(message))")
        case .acknowledge(let sender, let sequence): line("received", "from \(sender) up to \(sequence)")
        case .cleanUpMore: line("clean up more", "")
        case .endBackOffsMore(let last): line("end more", "back-offs after=\(name(last))")
        case .setTimer(let timer): line("set timer", text(timer))
        }
    }

    // MARK: - What is stored

    /// An invocation's record.
    public func line(for record: InvocationRecord, _ id: InvocationID) -> String {
        let waiting = record.waitingFor.map { " for \($0)" } ?? ""
        return line(
            "\(record.status)",
            "\(name(id)) \(record.target)\(waiting) epoch=\(record.epoch) entries=\(record.journalLength) "
                + "commands=\(record.commandCount)" + text(record.backOff, " back-off")
                + (record.result.map { " result \(text($0))" } ?? ""))
    }

    /// An entry of a journal.
    public func line(for entry: JournalTable.Entry, index: UInt32) -> String {
        line("entry", "[\(index)] \(text(entry.type, entry.payload))" + (entry.callee.map { " \(name($0.id))" } ?? ""))
    }

    /// Something that happened beside a journal.
    public func line(for event: JournalEvent) -> String {
        switch event.kind {
        case .transientError(let failure): line("event", "failed \(failure.code) \(failure.message)")
        case .paused(let failure): line("event", "paused" + (failure.map { " after \($0.code) \($0.message)" } ?? ""))
        case .suspended(let future): line("event", "suspended for \(future)")
        }
    }
}

// MARK: - Parts of lines

extension LinePrinter {
    private func by(_ request: RequestID?) -> String { request.map { " by \(client($0))" } ?? "" }

    private func text(_ request: InvokeRequest) -> String {
        var text = "\(name(request.id)) \(request.target)"
        if let input = try? InputCommand(reading: request.input) { text += " \(self.text(input.value))" }
        if let key = request.idempotencyKey { text += " idempotency=\(key)" }
        if let time = request.executionTime { text += " start=\(time)" }
        return text
    }

    private func text(_ caller: Caller) -> String {
        switch caller {
        case .none: ""
        case .sender(let request): " by sender \(client(request))"
        case .client(let request): " by client \(client(request))"
        case .invocation(let reference): " by \(text(reference))"
        }
    }

    private func text(_ reference: CallerReference) -> String { "\(name(reference.id)):\(reference.completionID)" }

    private func text(_ object: ObjectID) -> String {
        (object.scope.map { "\($0)/" } ?? "") + "\(object.service)/\(object.key)"
    }

    private func text(_ change: DeploymentChange) -> String {
        switch change {
        case .keep: "keep"
        case .latest: "latest"
        case .specific: "specific"
        case .latestMissing: "latest (missing)"
        case .specificMissing: "specific (missing)"
        }
    }

    private func text(_ timer: TimerKey) -> String {
        switch timer.kind {
        case .sleep: "\(name(timer.id)) sleep \(timer.completionID) at=\(timer.due)"
        case .start: "\(name(timer.id)) start at=\(timer.due)"
        case .retry: "\(name(timer.id)) retry at=\(timer.due)"
        }
    }

    private func text(_ backOff: BackOff?, _ prefix: String) -> String {
        backOff.map {
            "\(prefix) due=\($0.due) attempts=\($0.attempts) failures=\($0.failures)"
                + " since entry=\($0.failuresSinceLastEntry)" + ($0.awaitsRegistration ? " awaits registration" : "")
        } ?? ""
    }

    private func text(_ message: PartitionMessage) -> String {
        switch message {
        case .invoke(let request, let caller): "invoke \(text(request))\(text(caller))"
        case .complete(let caller, let result): "complete \(text(caller)) \(text(result))"
        case .signal(let id, let notification): "signal \(name(id)) \(text(notification))"
        case .attach(let id, let caller, let waiting): "\(waiting ? "attach" : "output") \(name(id)) by \(text(caller))"
        case .kill(let id, let caller): "kill \(name(id)) by \(text(caller))"
        }
    }

    private func text(_ message: AttemptMessage) -> String {
        switch message {
        case .command(let command, _, let reference, _): text(command) + text(reference)
        case .proposal(let notification): "Propose \(text(notification))"
        case .suspended(let future, let sent): "Suspension \(future) sent=\(sent)"
        case .ended: "End"
        case .failed(let failure, .retryStored(let backOff)):
            "Error \(failure.code) \(failure.message), then retry" + text(backOff, " behind")
        case .failed(let failure, let next): "Error \(failure.code) \(failure.message), then \(next)"
        }
    }

    private func text(_ reference: CommandReference) -> String {
        switch reference {
        case .none: ""
        case .callee(let callee): " \(name(callee.id))"
        case .invocation(let id): " \(name(id))"
        }
    }

    private func text(_ type: MessageType, _ payload: Bytes) -> String {
        if let notification = try? Notification(type: type, payload: payload) { return text(notification) }
        if let command = try? JournalCommand(type: type, payload: payload) { return text(command) }
        return "\(type) \(payload.hex)"
    }

    private func text(_ notification: Notification) -> String {
        let subject =
            switch notification.id {
            case .completion(let id): "\(notification.type) \(id)"
            case .signal, .namedSignal: "\(notification.id)"
            }
        return "\(subject) \(text(notification.result))"
    }

    private func text(_ command: JournalCommand) -> String {
        let detail =
            switch command {
            case .input(let input): text(input.value)
            case .output(let output): text(output.result)
            case .getLazyState(let get): get.key.lossyString
            case .setState(let set): "\(set.key.lossyString) \(text(set.value))"
            case .clearState(let clear): clear.key.lossyString
            case .getEagerState(let get): get.key.lossyString
            case .getPromise(let get): get.key
            case .peekPromise(let peek): peek.key
            case .completePromise(let complete): "\(complete.key) \(text(complete.completion))"
            case .sleep(let sleep): "until=\(sleep.wakeUpTime)"
            case .call(let call): "\(call.serviceName)/\(call.handlerName) \(text(call.parameter))"
            case .oneWayCall(let call): "\(call.serviceName)/\(call.handlerName) \(text(call.parameter))"
            case .sendSignal(let send): "\(send.signal) \(text(send.result))"
            case .completeAwakeable(let complete): text(complete.completion)
            case .run, .clearAllState, .getLazyStateKeys, .getEagerStateKeys, .attachInvocation, .getInvocationOutput:
                ""
            }
        let completions = command.completionIDs.map { " \($0)" }.joined()
        return "\(command.type)\(completions)" + (detail.isEmpty ? "" : " \(detail)")
    }

    private func text(_ result: Notification.Result) -> String {
        switch result {
        case .void: "void"
        case .value(let value): text(value)
        case .failure(let failure): text(Completion.failure(failure))
        case .invocationID(let id): (try? InvocationID(text: id)).map(name) ?? id
        case .stateKeys(let keys): "keys [" + keys.map(\.lossyString).joined(separator: ", ") + "]"
        }
    }

    private func text(_ completion: Completion) -> String {
        switch completion {
        case .value(let value): text(value)
        case .failure(let failure): "failure \(failure.code) \(failure.message)"
        }
    }

    private func text(_ value: Bytes) -> String {
        guard let text = value.prefix(40).utf8String, !text.unicodeScalars.contains(where: { $0.value < 0x20 }) else {
            return "\(value.count) bytes \(value.prefix(16).hex)"
        }
        return "\"\(text)\"" + (value.count > 40 ? "… \(value.count) bytes" : "")
    }

    private func text(_ answer: Answer) -> String {
        switch answer {
        case .result(let result):
            "result of \(name(result.id)) \(text(result.completion))"
                + (result.expires.map { " expires=\($0)" } ?? "")
        case .submitted(let id, let time, let isNew):
            "\(isNew ? "accepted" : "accepted before") \(name(id))" + (time.map { " start=\($0)" } ?? "")
        case .unknown(let id): "unknown \(name(id))"
        case .notCompleted(let id): "not completed \(name(id))"
        case .signalled: "signalled"
        case .operation(.restarted(let id)): "restarted as \(name(id))"
        case .operation(let outcome): "\(outcome)"
        case .stateMutationAccepted: "state mutation accepted"
        case .failed(let why): "failed: \(why)"
        }
    }
}
