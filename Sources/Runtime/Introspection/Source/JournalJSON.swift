import HoldfastEngine
import HoldfastServiceProtocol
import HoldfastWire

/// Journal entries as JSON text, whole or without payloads (sql §4.2 and §4.3).
struct JournalJSON {
    private let entry: JournalTable.Entry
    private let isWhole: Bool
    private var json = JSONBuilder()

    /// The text, or null for an entry that this version cannot decode.
    static func value(_ entry: JournalTable.Entry, isWhole: Bool) -> SQLValue {
        var writer = JournalJSON(entry: entry, isWhole: isWhole)
        guard writer.write() else { return .null }
        return .utf8(writer.json.bytes[...])
    }

    private init(entry: JournalTable.Entry, isWhole: Bool) {
        self.entry = entry
        self.isWhole = isWhole
    }

    private mutating func write() -> Bool {
        if entry.type.isCommand {
            guard let command = try? JournalCommand(type: entry.type, payload: entry.payload) else { return false }
            variant("Command") { writer in
                writer.variant(writer.entry.type.description) { $0.object { $0.write(command) } }
            }
            return true
        }
        guard let notification = try? Notification(type: entry.type, payload: entry.payload) else { return false }
        variant("Notification") { writer in
            if writer.isWhole { writer.write(whole: notification) } else { writer.write(light: notification) }
        }
        return true
    }

    // MARK: - Commands

    private mutating func write(_ command: JournalCommand) {
        switch command {
        case .input(let input):
            if isWhole {
                headers(input.headers)
                payload("payload", input.value)
            }
        case .output(let output): result("result", .init(output.result))
        case .getLazyState(let get): keyed(get.key, get.resultCompletionID)
        case .setState(let set):
            json.member("key", set.key.lossyString)
            if isWhole { payload("value", set.value) }
        case .clearState(let clear): json.member("key", clear.key.lossyString)
        case .clearAllState: break
        case .getLazyStateKeys(let get): json.member("completion_id", get.resultCompletionID)
        case .getEagerState(let get):
            json.member("key", get.key.lossyString)
            result("result", get.value.map(Notification.Result.value) ?? .void)
        case .getEagerStateKeys(let get): if isWhole { stateKeys(get.keys) }
        case .getPromise(let get): keyed(Bytes(utf8: get.key), get.resultCompletionID)
        case .peekPromise(let peek): keyed(Bytes(utf8: peek.key), peek.resultCompletionID)
        case .completePromise(let complete):
            json.member("key", complete.key)
            if isWhole { result("value", .init(complete.completion)) }
            json.member("completion_id", complete.resultCompletionID)
        case .sleep(let sleep):
            json.member("wake_up_time", sleep.wakeUpTime.millis)
            json.member("completion_id", sleep.resultCompletionID)
        case .call(let call): write(call)
        case .oneWayCall(let call): write(call)
        case .sendSignal(let send):
            json.member("target_invocation_id", send.targetInvocationID)
            json.key("signal_id")
            signalID(send.signal, index: "Index", name: "Name")
            result("result", send.result)
        case .run(let run): json.member("completion_id", run.resultCompletionID)
        case .attachInvocation(let attach): write(attach.target, attach.resultCompletionID)
        case .getInvocationOutput(let get): write(get.target, get.resultCompletionID)
        case .completeAwakeable(let complete):
            json.member("id", complete.awakeableID)
            result("result", .init(complete.completion))
        }
        name(of: command)
    }

    /// Whole entries name every command, light ones only those that people name.
    private mutating func name(of command: JournalCommand) {
        switch command {
        case _ where isWhole: json.member("name", command.name)
        case .sleep, .run, .call, .oneWayCall: if !command.name.isEmpty { json.member("name", command.name) }
        default: break
        }
    }

    private mutating func keyed(_ key: Bytes, _ completionID: UInt32) {
        json.member("key", key.lossyString)
        json.member("completion_id", completionID)
    }

    private mutating func write(_ call: CallCommand) {
        let target = InvocationTarget(
            service: call.serviceName, key: call.key, handler: call.handlerName,
            kind: entry.callee?.kind ?? .service, scope: call.scope)
        request(target, call.parameter, call.headers, call.idempotencyKey, call.limitKey)
        json.member("invocation_id_completion_id", call.invocationIDCompletionID)
        json.member("result_completion_id", call.resultCompletionID)
    }

    private mutating func write(_ call: OneWayCallCommand) {
        let target = InvocationTarget(
            service: call.serviceName, key: call.key, handler: call.handlerName,
            kind: entry.callee?.kind ?? .service, scope: call.scope)
        request(target, call.parameter, call.headers, call.idempotencyKey, call.limitKey)
        json.member("invoke_time", call.invokeTime.millis)
        json.member("invocation_id_completion_id", call.invocationIDCompletionID)
    }

    private mutating func request(
        _ target: InvocationTarget, _ parameter: Bytes, _ headers: [Header], _ idempotencyKey: String?,
        _ limitKey: String?
    ) {
        guard isWhole else { return callee(target) }
        json.key("request")
        object { writer in
            writer.callee(target)
            writer.json.key("span_context")
            writer.json.json(Self.noSpan)
            writer.payload("parameter", parameter)
            writer.headers(headers)
            writer.json.member("idempotency_key", optional: idempotencyKey)
            writer.duration("completion_retention_duration", writer.entry.callee?.completionRetention ?? 0)
            writer.duration("journal_retention_duration", writer.entry.callee?.journalRetention ?? 0)
            if let limitKey { writer.json.member("limit_key", limitKey) }
        }
    }

    /// Traces are not kept in journals.
    private static let noSpan = """
        {"span_context":{"trace_id":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0],"span_id":[0,0,0,0,0,0,0,0],"trace_flags":0,\
        "is_remote":false,"trace_state":""},"cause":null}
        """

    private mutating func callee(_ target: InvocationTarget) {
        json.member("invocation_id", entry.callee?.id.description ?? "")
        json.key("invocation_target")
        let (variantName, handlerType): (String, String?) =
            switch target.kind {
            case .service: ("Service", nil)
            case .objectExclusive: ("VirtualObject", "Exclusive")
            case .objectShared: ("VirtualObject", "Shared")
            case .workflowRun: ("Workflow", "Workflow")
            case .workflowShared: ("Workflow", "Shared")
            }
        variant(variantName) { writer in
            writer.object { writer in
                writer.json.member("name", target.service)
                if target.kind.isKeyed { writer.json.member("key", target.key) }
                writer.json.member("handler", target.handler)
                if let handlerType { writer.json.member("handler_ty", handlerType) }
                writer.json.member("scope", optional: target.scope)
            }
        }
    }

    private mutating func write(_ target: AttachTarget, _ completionID: UInt32) {
        json.key("target")
        switch target {
        case .invocationID(let id): variant("InvocationId") { $0.json.string(id) }
        case .idempotentRequest(let request):
            let key =
                request.serviceKey.map(PartitionKey.ofKey)
                ?? PartitionKey.service(
                    request.serviceName, bucket: PartitionKey.bucket(idempotencyKey: request.idempotencyKey))
            variant("IdempotentRequest") { writer in
                writer.object { writer in
                    writer.json.member("service_name", request.serviceName)
                    writer.json.member("service_key", optional: request.serviceKey)
                    writer.json.member("service_handler", request.handlerName)
                    writer.json.member("idempotency_key", request.idempotencyKey)
                    writer.json.member("scope", optional: request.scope)
                    writer.json.member("partition_key", request.scope.map(PartitionKey.ofScope) ?? key)
                }
            }
        case .workflow(let workflow):
            let key = workflow.scope.map(PartitionKey.ofScope) ?? PartitionKey.ofKey(workflow.workflowKey)
            variant("Workflow") { writer in
                writer.object { writer in
                    writer.json.member("service_name", workflow.workflowName)
                    writer.json.member("key", workflow.workflowKey)
                    writer.json.member("partition_key", key)
                    writer.json.member("scope", optional: workflow.scope)
                }
            }
        }
        json.member("completion_id", completionID)
    }

    // MARK: - Notifications

    private mutating func write(whole notification: Notification) {
        guard case .completion(let id) = notification.id else {
            return variant("Signal") { writer in
                writer.object { writer in
                    writer.json.key("id")
                    writer.signalID(notification.id, index: "Index", name: "Name")
                    writer.result("result", notification.result)
                }
            }
        }
        variant("Completion") { writer in
            writer.variant(writer.entry.type.notificationName) { writer in
                writer.object { writer in
                    writer.json.member("completion_id", id)
                    switch notification.result {
                    case .invocationID(let id): writer.json.member("invocation_id", id)
                    case .stateKeys(let keys): writer.stateKeys(keys)
                    case .void where notification.type == .sleepCompletion: break
                    case .void, .value, .failure: writer.result("result", notification.result)
                    }
                }
            }
        }
    }

    private mutating func write(light notification: Notification) {
        object { writer in
            writer.json.key("ty")
            if case .completion = notification.id {
                writer.variant("Completion") { $0.json.string($0.entry.type.notificationName) }
            } else {
                writer.json.string("Signal")
            }
            writer.json.key("id")
            writer.signalID(notification.id, index: "SignalIndex", name: "SignalName")
            writer.result("result", notification.result)
        }
    }

    private mutating func signalID(_ id: Notification.ID, index: String, name: String) {
        switch id {
        case .completion(let id): variant("CompletionId") { $0.json.number(id) }
        case .signal(let number): variant(index) { $0.json.number(number) }
        case .namedSignal(let text): variant(name) { $0.json.string(text) }
        }
    }

    // MARK: - Parts

    /// What something came to: whole entries have the value, light ones only say which kind it is.
    private mutating func result(_ name: String, _ result: Notification.Result) {
        json.key(name)
        switch result {
        case .void: json.string("Void")
        case .invocationID(let id): isWhole ? json.string(id) : json.string("InvocationId")
        case .stateKeys(let keys): isWhole ? stateKeyList(keys) : json.string("StateKeys")
        case .value(let value):
            isWhole ? variant("Success") { $0.json.numbers(value) } : json.string("Success")
        case .failure(let failure):
            isWhole ? variant("Failure") { $0.write(failure) } : json.string("Failure")
        }
    }

    private mutating func write(_ failure: Failure) {
        object { writer in
            writer.json.member("code", failure.code)
            writer.json.member("message", failure.message)
            guard !failure.metadata.isEmpty else { return }
            writer.json.key("metadata")
            writer.json.array { array in
                for entry in failure.metadata {
                    array.object { object in
                        object.member("key", entry.key)
                        object.member("value", entry.value)
                    }
                }
            }
        }
    }

    private mutating func headers(_ headers: [Header]) {
        json.key("headers")
        json.array { array in
            for header in headers {
                array.object { object in
                    object.member("name", header.key)
                    object.member("value", header.value)
                }
            }
        }
    }

    private mutating func stateKeys(_ keys: [Bytes]) {
        json.key("state_keys")
        stateKeyList(keys)
    }

    private mutating func stateKeyList(_ keys: [Bytes]) {
        json.array { array in
            for key in keys { array.string(key.lossyString) }
        }
    }

    private mutating func payload(_ name: String, _ payload: Bytes) {
        json.key(name)
        json.numbers(payload)
    }

    private mutating func duration(_ name: String, _ milliseconds: UInt64) {
        json.key(name)
        json.object { object in
            object.member("secs", milliseconds / 1000)
            object.member("nanos", milliseconds % 1000 * 1_000_000)
        }
    }

    private mutating func variant(_ name: String, _ body: (inout JournalJSON) -> Void) {
        object { writer in
            writer.json.key(name)
            body(&writer)
        }
    }

    private mutating func object(_ body: (inout JournalJSON) -> Void) {
        json.open("{")
        body(&self)
        json.close("}")
    }
}

extension MessageType {
    /// The name of a notification in introspection: that of the command it completes, or `Signal`.
    var notificationName: String {
        if self == .signal { return "Signal" }
        let name = description
        return name.hasSuffix("Completion") ? String(name.dropLast("Completion".count)) : name
    }

    /// `Command: Run` or `Notification: Run`.
    var entryType: String {
        isNotification ? "Notification: \(notificationName)" : "Command: \(description)"
    }
}
