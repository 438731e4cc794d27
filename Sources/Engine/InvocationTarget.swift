/// What kind of handler an invocation calls: it decides about locking, identity and what the handler may do.
///
/// Stored with the invocation as it was when the invocation was created (semantics §1.5).
public enum TargetKind: UInt8, Sendable, CaseIterable {
    /// A handler of a plain service: unlimited concurrency, no state.
    case service = 0
    /// A handler that owns its virtual object while it runs: one at a time per key.
    case objectExclusive = 1
    /// A handler that reads a virtual object beside whatever else runs.
    case objectShared = 2
    /// The `run` handler of a workflow: once per key.
    case workflowRun = 3
    /// Any other handler of a workflow.
    case workflowShared = 4

    /// Whether there is a key, hence state.
    public var isKeyed: Bool { self != .service }
    /// Whether the handler may change the key's state.
    public var canWriteState: Bool { self == .objectExclusive || self == .workflowRun }
    /// Whether others may write the key's state while the handler runs, or could right before it began.
    ///
    /// For an exclusive handler nobody can: all that was written is older than the commit that starts it. A workflow's
    /// `run` has no lock, and operators may change its state at any time.
    public var isStateShared: Bool { isKeyed && self != .objectExclusive }
    /// Whether the handler belongs to a workflow, hence may use durable promises.
    public var isWorkflow: Bool { self == .workflowRun || self == .workflowShared }
}

/// The handler that an invocation calls, and the key it is called for.
public struct InvocationTarget: Sendable, Hashable, CustomStringConvertible {
    /// Name of the service, virtual object or workflow.
    public var service: String
    /// Key of the virtual object or workflow; empty for plain services, and for keyed ones it may be empty, too.
    public var key: String
    /// Name of the handler.
    public var handler: String
    /// What kind of handler it is.
    public var kind: TargetKind
    /// The scope that isolates the key from equal keys of other scopes.
    public var scope: String?

    /// Makes a target.
    public init(service: String, key: String = "", handler: String, kind: TargetKind, scope: String? = nil) {
        self.service = service
        self.key = key
        self.handler = handler
        self.kind = kind
        self.scope = scope
    }

    /// The key space that the target's state, lock and promises live in.
    public var object: ObjectID { ObjectID(scope: scope, service: service, key: key) }

    /// `Service/handler` or `Object/key/handler`, as logs and SQL print it.
    public var description: String { kind.isKeyed ? "\(service)/\(key)/\(handler)" : "\(service)/\(handler)" }
}

/// Identity of a virtual object or workflow: owner of state, lock, inbox and promises.
public struct ObjectID: Sendable, Hashable {
    /// The scope, if the object lives in one.
    public var scope: String?
    /// Name of the service.
    public var service: String
    /// The key.
    public var key: String

    /// Makes an identity.
    public init(scope: String?, service: String, key: String) {
        self.scope = scope
        self.service = service
        self.key = key
    }
}
