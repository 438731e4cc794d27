import HoldfastServiceProtocol
import HoldfastWire

extension FieldList {
    init(_ failure: Failure) {
        add("code", failure.code)
        add("message", failure.message)
        add("metadata", headers: failure.metadata.map { Header(key: $0.key, value: $0.value) })
    }

    /// The fields of the root; a tree over the flat form, read from behind.
    init(_ future: Future) {
        var children: [Child] = []
        for node in future.nodes.reversed() {
            switch node {
            case .leaf(let id): children.append(.leaf(id))
            case .combinator(let combinator, let childCount):
                let own = Array(children.suffix(childCount).reversed())
                children.removeLast(childCount)
                children.append(.node(FieldList(combinator, own)))
            }
        }
        if case .node(let root) = children.last { self = root }
    }

    private enum Child {
        case leaf(Notification.ID)
        case node(FieldList)
    }

    private init(_ combinator: Future.Combinator, _ children: [Child]) {
        func list(_ pick: (Child) -> JSON?) -> [JSON] { children.compactMap(pick) }
        add("waiting_completions", list: list { if case .leaf(.completion(let id)) = $0 { JSON(id) } else { nil } })
        add("waiting_signals", list: list { if case .leaf(.signal(let id)) = $0 { JSON(id) } else { nil } })
        add(
            "waiting_named_signals",
            list: list { if case .leaf(.namedSignal(let name)) = $0 { .string(name) } else { nil } })
        add("nested_futures", list: list { if case .node(let fields) = $0 { fields.json } else { nil } })
        add("combinator_type", combinator.rawValue)
    }

    mutating func add(_ message: StartMessage) {
        add("id", message.id.bytes[...])
        add("debug_id", message.debugID)
        add("known_entries", message.knownEntries)
        add(
            "state_map",
            list: message.stateMap.map { entry in
                var inner = FieldList()
                inner.add("key", entry.key)
                inner.add("value", entry.value)
                return inner.json
            })
        add("partial_state", message.isStatePartial ? 1 : 0 as UInt32)
        add("key", message.key)
        add("retry_count_since_last_stored_entry", message.retryCount)
        add("duration_since_last_stored_entry", message.millisSinceLastEntry)
        add("random_seed", message.randomSeed)
        add("scope", optional: message.scope)
        add("limit_key", optional: message.limitKey)
        add("idempotency_key", optional: message.idempotencyKey)
    }

    mutating func add(_ message: ErrorMessage) {
        add("code", message.code)
        add("message", message.message)
        add("stacktrace", message.stackTrace)
        add("related_command_index", optional: message.relatedCommandIndex)
        add("related_command_name", optional: message.relatedCommandName)
        add("related_command_type", optional: message.relatedCommandType?.rawValue)
        add("next_retry_delay", optional: message.nextRetryDelayMillis)
        add("behavior", message.behavior.rawValue)
    }

    mutating func add(_ notification: Notification) {
        switch notification.id {
        case .completion(let id): add("completion_id", optional: id)
        case .signal(let index): add("signal_idx", optional: index)
        case .namedSignal(let name): add("signal_name", optional: name)
        }
        add(notification.result)
    }

    private mutating func add(_ result: Notification.Result) {
        switch result {
        case .void: add("void", nested: [:])
        case .value(let value): add("value", value: value)
        case .failure(let failure): add("failure", nested: FieldList(failure).json)
        case .invocationID(let id): add("invocation_id", optional: id)
        case .stateKeys(let keys): add("state_keys", nested: Self.keys(keys))
        }
    }

    private static func keys(_ keys: [Bytes]) -> JSON {
        var fields = FieldList()
        fields.add("keys", list: keys.map(spell))
        return fields.json
    }

    private mutating func add(_ completion: Completion, _ value: String, _ failure: String) {
        switch completion {
        case .value(let content): add(value, value: content)
        case .failure(let content): add(failure, nested: FieldList(content).json)
        }
    }

    private mutating func add(_ target: AttachTarget) {
        var inner = FieldList()
        switch target {
        case .invocationID(let id): add("invocation_id", optional: id)
        case .idempotentRequest(let target):
            inner.add("service_name", target.serviceName)
            inner.add("service_key", optional: target.serviceKey)
            inner.add("handler_name", target.handlerName)
            inner.add("idempotency_key", target.idempotencyKey)
            inner.add("scope", optional: target.scope)
            add("idempotent_request_target", nested: inner.json)
        case .workflow(let target):
            inner.add("workflow_name", target.workflowName)
            inner.add("workflow_key", target.workflowKey)
            inner.add("scope", optional: target.scope)
            add("workflow_target", nested: inner.json)
        }
    }
}

extension FieldList {
    mutating func add(_ command: JournalCommand) {
        if case .sendSignal = command { add("entry_name", command.name) } else { add("name", command.name) }
        switch command {
        case .input(let command):
            add("headers", headers: command.headers)
            add("value", value: command.value)
        case .output(let command): add(command.result, "value", "failure")
        case .call(let command): add(command)
        case .oneWayCall(let command): add(command)
        case .sendSignal(let command):
            add("target_invocation_id", command.targetInvocationID)
            switch command.signal {
            case .signal(let index): add("signal_idx", optional: index)
            case .namedSignal(let name): add("signal_name", optional: name)
            case .completion: break
            }
            add(command.result)
        case .run(let command): add("result_completion_id", command.resultCompletionID)
        case .sleep(let command):
            add("wake_up_time", command.wakeUpTime.millis)
            add("result_completion_id", command.resultCompletionID)
        case .attachInvocation(let command):
            add(command.target)
            add("result_completion_id", command.resultCompletionID)
        case .getInvocationOutput(let command):
            add(command.target)
            add("result_completion_id", command.resultCompletionID)
        case .completeAwakeable(let command):
            add("awakeable_id", command.awakeableID)
            add(command.completion, "value", "failure")
        default: addStateOrPromise(command)
        }
    }

    private mutating func addStateOrPromise(_ command: JournalCommand) {
        switch command {
        case .getLazyState(let command):
            add("key", command.key)
            add("result_completion_id", command.resultCompletionID)
        case .setState(let command):
            add("key", command.key)
            add("value", value: command.value)
        case .clearState(let command): add("key", command.key)
        case .getLazyStateKeys(let command): add("result_completion_id", command.resultCompletionID)
        case .getEagerState(let command):
            add("key", command.key)
            if let value = command.value { add("value", value: value) } else { add("void", nested: [:]) }
        case .getEagerStateKeys(let command): add("value", nested: Self.keys(command.keys))
        case .getPromise(let command):
            add("key", command.key)
            add("result_completion_id", command.resultCompletionID)
        case .peekPromise(let command):
            add("key", command.key)
            add("result_completion_id", command.resultCompletionID)
        case .completePromise(let command):
            add("key", command.key)
            add(command.completion, "completion_value", "completion_failure")
            add("result_completion_id", command.resultCompletionID)
        default: break
        }
    }

    private mutating func add(_ command: CallCommand) {
        add("service_name", command.serviceName)
        add("handler_name", command.handlerName)
        add("parameter", command.parameter)
        add("headers", headers: command.headers)
        add("key", command.key)
        add("idempotency_key", optional: command.idempotencyKey)
        add("scope", optional: command.scope)
        add("limit_key", optional: command.limitKey)
        add("invocation_id_notification_idx", command.invocationIDCompletionID)
        add("result_completion_id", command.resultCompletionID)
    }

    private mutating func add(_ command: OneWayCallCommand) {
        add("service_name", command.serviceName)
        add("handler_name", command.handlerName)
        add("parameter", command.parameter)
        add("invoke_time", command.invokeTime.millis)
        add("headers", headers: command.headers)
        add("key", command.key)
        add("idempotency_key", optional: command.idempotencyKey)
        add("scope", optional: command.scope)
        add("limit_key", optional: command.limitKey)
        add("invocation_id_notification_idx", command.invocationIDCompletionID)
    }
}
