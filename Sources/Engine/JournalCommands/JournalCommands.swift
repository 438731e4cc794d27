import HoldfastServiceProtocol
import HoldfastWire

/// What each journal command does (semantics §4): its effect, then the command itself, then what it produces at once.
///
/// The invoker has checked the preconditions. What slips through (a store written by hand, a handler whose kind was
/// changed by force) gets the lenient answers of the specification, and no trap.
extension Transition {
    mutating func apply(
        _ command: JournalCommand, _ payload: Bytes, _ reference: CommandReference,
        to record: inout InvocationRecord, _ id: InvocationID
    ) throws(StorageError) {
        let callee: JournalTable.Callee? =
            if case .callee(let callee) = reference {
                JournalTable.Callee(
                    id: callee.id, kind: callee.target.kind, completionRetention: callee.completionRetention,
                    journalRetention: callee.journalRetention)
            } else {
                nil
            }
        let index = record.journalLength
        append(command.type, payload, callee: callee, to: &record, id)
        record.commandCount &+= 1

        switch command {
        case .input, .getEagerState, .getEagerStateKeys, .run: break
        case .output: record.outputIndex = index
        case .setState, .clearState, .clearAllState: try writeState(command, record)
        case .getLazyState(let get): try getState(get, &record, id)
        case .getLazyStateKeys(let get): try getStateKeys(get, &record, id)
        case .getPromise(let get): try getPromise(get, &record, id)
        case .peekPromise(let peek): try peekPromise(peek, &record, id)
        case .completePromise(let complete): try completePromise(complete, &record, id)
        case .sleep(let sleep): self.sleep(sleep, record, id)
        case .call(let call): self.call(call, reference, &record, id)
        case .oneWayCall(let call): oneWayCall(call, reference, &record, id)
        case .sendSignal(let signal):
            guard case .invocation(let target) = reference else { return }
            send(.signal(target, .signal(signal.signal, signal.result)), to: target)
        case .completeAwakeable(let completion):
            guard case .invocation(let target) = reference,
                case .signal(_, let signal)? = try? AwakeableID(text: completion.awakeableID)
            else { return }  // Awakeables of protocol 3 and older: nothing here waits for one.
            send(.signal(target, .signal(.signal(signal), Notification.Result(completion.completion))), to: target)
        case .attachInvocation(let attach):
            guard case .invocation(let target) = reference else { return }
            let caller = caller(id, record, attach.resultCompletionID, .attachInvocationCompletion)
            send(.attach(target, caller, waiting: true), to: target)
        case .getInvocationOutput(let get):
            guard case .invocation(let target) = reference else { return }
            let caller = caller(id, record, get.resultCompletionID, .getInvocationOutputCompletion)
            send(.attach(target, caller, waiting: false), to: target)
        }
    }

    private mutating func notifyNow(
        _ type: MessageType, _ completionID: UInt32, _ result: Notification.Result,
        _ record: inout InvocationRecord, _ id: InvocationID
    ) {
        let notification = Notification(type: type, id: .completion(completionID), result: result)
        append(type, notification.payload, to: &record, id)
    }

    private func caller(
        _ id: InvocationID, _ record: InvocationRecord, _ completionID: UInt32, _ type: MessageType
    ) -> CallerReference {
        CallerReference(id: id, incarnation: record.incarnation, completionID: completionID, type: type)
    }

    // MARK: - State

    private func writeState(_ command: JournalCommand, _ record: InvocationRecord) throws(StorageError) {
        guard record.target.kind.canWriteState else { return }
        let object = record.target.object
        switch command {
        case .setState(let set): states.put(set.value, for: set.key, in: object, store)
        case .clearState(let clear): states.clear(clear.key, in: object, store)
        default: try states.clearAll(in: object, store)
        }
    }

    private mutating func getState(
        _ get: GetLazyStateCommand, _ record: inout InvocationRecord, _ id: InvocationID
    ) throws(StorageError) {
        let value = record.target.kind.isKeyed ? try states.value(of: get.key, in: record.target.object, store) : nil
        notifyNow(.getLazyStateCompletion, get.resultCompletionID, value.map { .value($0) } ?? .void, &record, id)
    }

    private mutating func getStateKeys(
        _ get: GetLazyStateKeysCommand, _ record: inout InvocationRecord, _ id: InvocationID
    ) throws(StorageError) {
        var keys: [Bytes] = []
        if record.target.kind.isKeyed {
            try states.entries(of: record.target.object, store) { key, _ in
                keys.append(key)
                return true
            }
        }
        notifyNow(.getLazyStateKeysCompletion, get.resultCompletionID, .stateKeys(keys), &record, id)
    }

    // MARK: - Promises

    private mutating func getPromise(
        _ get: GetPromiseCommand, _ record: inout InvocationRecord, _ id: InvocationID
    ) throws(StorageError) {
        guard record.target.kind.isWorkflow else {
            return notifyNow(.getPromiseCompletion, get.resultCompletionID, .value([]), &record, id)
        }
        let object = record.target.object
        if let result = try promises.result(get.key, of: object, store) {
            notifyNow(.getPromiseCompletion, get.resultCompletionID, Notification.Result(result), &record, id)
        } else {
            let listener = caller(id, record, get.resultCompletionID, .getPromiseCompletion)
            promises.wait(listener, for: get.key, of: object, sequence: draw(), store)
        }
    }

    private mutating func peekPromise(
        _ peek: PeekPromiseCommand, _ record: inout InvocationRecord, _ id: InvocationID
    ) throws(StorageError) {
        let isWorkflow = record.target.kind.isWorkflow
        let result = isWorkflow ? try promises.result(peek.key, of: record.target.object, store) : nil
        notifyNow(
            .peekPromiseCompletion, peek.resultCompletionID, result.map { Notification.Result($0) } ?? .void, &record,
            id)
    }

    private mutating func completePromise(
        _ complete: CompletePromiseCommand, _ record: inout InvocationRecord, _ id: InvocationID
    ) throws(StorageError) {
        let object = record.target.object
        guard record.target.kind.isWorkflow, try promises.result(complete.key, of: object, store) == nil else {
            return notifyNow(
                .completePromiseCompletion, complete.resultCompletionID, .failure(.promiseAlreadyCompleted), &record, id
            )
        }
        promises.complete(complete.key, of: object, with: complete.completion, store)
        for listener in try promises.takeListeners(complete.key, of: object, store) {
            send(.complete(listener, Notification.Result(complete.completion)), to: listener.id)
        }
        notifyNow(.completePromiseCompletion, complete.resultCompletionID, .void, &record, id)
    }

    // MARK: - Time and other handlers

    private mutating func sleep(_ sleep: SleepCommand, _ record: InvocationRecord, _ id: InvocationID) {
        let timer = TimerKey(
            due: sleep.wakeUpTime, kind: .sleep, id: id, incarnation: record.incarnation,
            completionID: sleep.resultCompletionID)
        timers.put(timer, store)
        release(.setTimer(timer))
    }

    private mutating func call(
        _ call: CallCommand, _ reference: CommandReference, _ record: inout InvocationRecord, _ id: InvocationID
    ) {
        guard case .callee(let callee) = reference else { return }
        notifyNow(
            .callInvocationIDCompletion, call.invocationIDCompletionID, .invocationID(callee.id.description), &record,
            id)
        let waiting = caller(id, record, call.resultCompletionID, .callCompletion)
        let input = InputCommand(headers: call.headers, value: call.parameter)
        let request = request(callee, input, idempotencyKey: call.idempotencyKey, limitKey: call.limitKey, record, id)
        send(.invoke(request, .invocation(waiting)), to: callee.id)
    }

    private mutating func oneWayCall(
        _ call: OneWayCallCommand, _ reference: CommandReference, _ record: inout InvocationRecord, _ id: InvocationID
    ) {
        guard case .callee(let callee) = reference else { return }
        notifyNow(
            .callInvocationIDCompletion, call.invocationIDCompletionID, .invocationID(callee.id.description), &record,
            id)
        let input = InputCommand(headers: call.headers, value: call.parameter)
        var request = request(
            callee, input, idempotencyKey: call.idempotencyKey, limitKey: call.limitKey, record, id)
        if call.invokeTime.millis != 0 { request.executionTime = call.invokeTime }
        send(.invoke(request, .none), to: callee.id)
    }

    private func request(
        _ callee: ResolvedCallee, _ input: InputCommand, idempotencyKey: String?, limitKey: String?,
        _ record: InvocationRecord, _ id: InvocationID
    ) -> InvokeRequest {
        // What identifies a workflow's run is its key; another one is ignored (semantics §3).
        let isRun = callee.target.kind == .workflowRun
        return InvokeRequest(
            id: callee.id, target: callee.target, source: .invocation(id, record.target),
            input: input.payload, idempotencyKey: isRun ? nil : idempotencyKey, limitKey: limitKey,
            completionRetention: callee.completionRetention, journalRetention: callee.journalRetention)
    }
}
