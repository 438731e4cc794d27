import HoldfastEngine
import HoldfastWire

/// Services and handlers as the admin API prints them, with the settings in force (admin §5.1).
enum ServiceJSON {
    static func make(_ service: ServiceSchema, of deployment: Deployment, defaults: InvocationDefaults) -> JSON {
        let mode = deployment.protocolMode
        var settings = service.settings
        // A workflow's own retention may be set on its run handler, which is where it counts.
        settings.workflowCompletionRetention =
            service.runHandler?.settings.workflowCompletionRetention ?? settings.workflowCompletionRetention
        let resolved = defaults.resolve(settings, mode: mode)
        var members = JSONMembers()
        members["name"] = .string(service.name)
        members["ty"] = .string(service.kind.rawValue)
        members["handlers"] = .array(service.sortedHandlers.map { handler($0, of: service, mode: mode, defaults) })
        members["documentation"] = service.documentation.map(JSON.string)
        members["metadata"] = metadata(service.metadata)
        members["deployment_id"] = .string(service.deployment.description)
        members["revision"] = JSON(service.revision)
        members["public"] = .bool(service.isPublic)
        members["idempotency_retention"] = duration(resolved.idempotencyRetention)
        if service.kind == .workflow {
            members["workflow_completion_retention"] = duration(resolved.workflowCompletionRetention)
        }
        members["journal_retention"] = resolved.journalRetention.map(duration)
        members["inactivity_timeout"] = duration(resolved.inactivityTimeout)
        members["abort_timeout"] = duration(resolved.abortTimeout)
        members["enable_lazy_state"] = .bool(resolved.isLazyState)
        members["retry_policy"] = retryPolicy(resolved.retryPolicy)
        members["info"] = notes(SettingNotes.ofService(settings, service.kind, mode, defaults))
        return .object(members.list)
    }

    static func handler(
        _ handler: HandlerSchema, of service: ServiceSchema, mode: ProtocolMode, _ defaults: InvocationDefaults
    ) -> JSON {
        let own = handler.settings
        let resolved = defaults.resolve(own.over(service.settings), mode: mode)
        var members = JSONMembers()
        members["name"] = .string(handler.name)
        members["ty"] = handler.kind.handlerType.map(JSON.string)
        members["documentation"] = handler.documentation.map(JSON.string)
        members["metadata"] = metadata(handler.metadata)
        members["idempotency_retention"] = own.idempotencyRetention.map { _ in duration(resolved.idempotencyRetention) }
        members["journal_retention"] = own.journalRetention.map { _ in duration(resolved.journalRetention ?? 0) }
        if mode == .bidirectional { members["inactivity_timeout"] = own.inactivityTimeout.map(duration) }
        members["abort_timeout"] = own.abortTimeout.map(duration)
        members["enable_lazy_state"] = own.enableLazyState.map(JSON.bool)
        members["public"] = .bool(handler.isPublic(in: service))
        members["input_description"] = .string(ContentDescription.of(handler.input))
        members["output_description"] = .string(ContentDescription.of(handler.output))
        members["input_json_schema"] = schema(handler.input.jsonSchema, handler.input.contentType)
        members["output_json_schema"] = schema(handler.output.jsonSchema, handler.output.contentType)
        members["retry_policy"] = retryPolicy(of: own, maxAttempts: resolved.retryPolicy.maxAttempts)
        members["info"] = notes(SettingNotes.ofHandler(own, handler.kind, mode, defaults))
        return .object(members.list)
    }

    /// A schema is published only beside a content type.
    static func schema(_ text: String?, _ contentType: String?) -> JSON? {
        guard contentType != nil else { return nil }
        return text.flatMap { try? JSON(parsing: $0) }
    }

    static func duration(_ millis: UInt64) -> JSON { .string(formatDuration(.milliseconds(millis))) }

    private static func retryPolicy(_ policy: RetryPolicy) -> JSON {
        [
            "initial_interval": duration(policy.initialInterval),
            "exponentiation_factor": factor(Float(policy.factor)),
            "max_attempts": policy.maxAttempts.map { JSON($0) } ?? .null,
            "max_interval": policy.maxInterval.map(duration) ?? .null,
            "on_max_attempts": .string(policy.onMaxAttempts.rawValue),
        ]
    }

    /// What a handler overrides; `max_attempts` is always there, and null if it is inherited.
    private static func retryPolicy(of settings: HandlerSettings, maxAttempts: UInt32?) -> JSON {
        var members = JSONMembers()
        members["initial_interval"] = settings.retryInitialInterval.map(duration)
        members["exponentiation_factor"] = settings.retryFactor.map(factor)
        members["max_attempts"] = settings.retryMaxAttempts.flatMap { _ in maxAttempts.map { JSON($0) } } ?? .null
        members["max_interval"] = settings.retryMaxInterval.map(duration)
        members["on_max_attempts"] = settings.retryOnMaxAttempts.map { .string($0.rawValue) }
        return .object(members.list)
    }

    /// Factors have single precision, and print with no more digits than that: `1.1`.
    private static func factor(_ factor: Float) -> JSON { .number(Double(factor.description) ?? Double(factor)) }

    private static func metadata(_ pairs: [(key: String, value: String)]) -> JSON? {
        pairs.isEmpty ? nil : .object(pairs.map { JSON.Member($0.key, .string($0.value)) })
    }

    private static func notes(_ notes: [SettingNote]) -> JSON? {
        notes.isEmpty ? nil : .array(notes.map { ["code": .string($0.code), "message": .string($0.message)] })
    }
}

extension TargetKind {
    /// The type that operators see; none for handlers of plain services.
    fileprivate var handlerType: String? {
        switch self {
        case .service: nil
        case .objectExclusive: "Exclusive"
        case .objectShared, .workflowShared: "Shared"
        case .workflowRun: "Workflow"
        }
    }
}

/// Members of an object in the order in which they are set; setting nil adds nothing.
struct JSONMembers {
    private(set) var list: [JSON.Member] = []

    subscript(name: String) -> JSON? {
        get { list.first { $0.key == name }?.value }
        set {
            list.removeAll { $0.key == name }
            if let newValue { list.append(JSON.Member(name, newValue)) }
        }
    }
}
