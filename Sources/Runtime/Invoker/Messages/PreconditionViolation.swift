import HoldfastEngine

/// A command that may not be issued here, or not with these arguments (protocol §9, semantics §4.1).
struct PreconditionViolation: Error, Equatable {
    let text: String
    let documentedCode: String

    private init(_ text: String, _ documentedCode: String) {
        self.text = text
        self.documentedCode = documentedCode
    }

    static let noStateAccess = Self("unsupported entry type, this service type doesn't have state access", "RT0017")
    static let noStateWrites = Self("unsupported entry type, this handler type cannot write state", "RT0017")
    static let onlyWorkflows = Self("unsupported entry type, only Workflow services support it", "RT0017")

    static func handlerNotFound(service: String, handler: String) -> Self {
        Self("the service handler \(service)/\(handler) was not found", "RT0018")
    }

    static func keyOfService(_ service: String) -> Self {
        Self(
            "a key was provided, but the callee '\(service)' is a Service. Only VirtualObjects or Workflows accept a key",
            "RT0017")
    }

    static let emptyIdempotencyKey = Self("the idempotency key provided in the request is empty", "RT0017")

    static let scopesDisabled = Self(
        "scoped invocations require flow control experimental feature to be enabled", "RT0024")
    static let limitKeyWithoutScope = Self(
        "limit key was provided without a scope. Limit keys take effect only when used in combination with scope",
        "RT0024")
    static let scopedObject = Self(
        "scoped virtual objects are not enabled ('experimental-enable-scoped-virtual-objects')", "RT0017")

    static func invalidScope(_ fault: String) -> Self { Self("invalid scope: \(fault)", "RT0024") }
    /// Of a command that only names an invocation, and calls none.
    static func invalidScope(ofTarget fault: String) -> Self { Self("invalid scope: \(fault)", "RT0017") }
    static func invalidLimitKey(_ fault: String) -> Self { Self("invalid limit key: \(fault)", "RT0024") }

    static func invalidInvocationID(_ text: String, _ fault: String) -> Self {
        Self("invalid invocation id \(text): \(fault)", "RT0017")
    }
}

extension TargetKind {
    /// Whether a handler of this kind may read state.
    func requireStateAccess() throws(PreconditionViolation) {
        guard isKeyed else { throw .noStateAccess }
    }

    /// Whether a handler of this kind may change state.
    func requireStateWrites() throws(PreconditionViolation) {
        try requireStateAccess()
        guard canWriteState else { throw .noStateWrites }
    }

    /// Whether a handler of this kind may use durable promises.
    func requirePromises() throws(PreconditionViolation) {
        guard isWorkflow else { throw .onlyWorkflows }
    }
}
