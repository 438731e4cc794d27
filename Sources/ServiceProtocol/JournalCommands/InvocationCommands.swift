import HoldfastWire

/// Sends a signal to an invocation, which may be unknown: then nothing happens.
public struct SendSignalCommand: JournalCommandMessage {
    /// The type by which frames announce it.
    public static let type = MessageType.sendSignal

    /// The text form of the invocation's identifier. Whether it is one is not checked here (`InvocationID`).
    public var targetInvocationID: String
    /// Which signal: a number or a name, never a completion.
    public var signal: Notification.ID
    /// What it says: void, a value, or a failure.
    public var result: Notification.Result
    /// The name that the handler gave to the entry; may be empty.
    public var name: String

    /// A command with these fields.
    public init(
        targetInvocationID: String, signal: Notification.ID, result: Notification.Result, name: String = ""
    ) {
        self.targetInvocationID = targetInvocationID
        self.signal = signal
        self.result = result
        self.name = name
    }

    /// Reads the fields.
    public init(reading payload: Bytes) throws(WireError) {
        var (target, name) = ("", "")
        var signal: Notification.ID?
        var result: Notification.Result?
        var reader = ProtobufReader(payload)
        while let field = try reader.next() {
            switch field.number {
            case 1: target = try field.string
            case 2: signal = .signal(try field.u32)
            case 3: signal = .namedSignal(try field.string)
            case 4: result = .void
            case 5: result = .value(try field.content)
            case 6: result = .failure(try field.failure)
            case 12: name = try field.string
            default: break
            }
        }
        guard let signal else { throw .missing("signal index or signal name") }
        guard let result else { throw .missing("result") }
        self.init(targetInvocationID: target, signal: signal, result: result, name: name)
    }

    /// Writes the fields.
    public func write(to writer: inout ProtobufWriter) {
        writer.string(1, targetInvocationID)
        switch signal {
        case .signal(let index): writer.number(2, optional: index)
        case .namedSignal(let name): writer.string(3, optional: name)
        case .completion: break  // No initialiser of a received message makes one; the receiver refuses it.
        }
        result.write(to: &writer)
        writer.string(12, name)
    }
}

/// Which invocation is meant: by its identifier, or by what makes it unique.
public enum AttachTarget: Sendable, Hashable {
    /// By the text form of its identifier, unchecked.
    case invocationID(String)
    /// By an idempotency key.
    case idempotentRequest(IdempotentRequestTarget)
    /// By a workflow's key.
    case workflow(WorkflowTarget)
}

/// An invocation that is named by its idempotency key.
public struct IdempotentRequestTarget: Sendable, Hashable {
    /// The service, virtual object or workflow.
    public var serviceName: String
    /// The virtual object's or workflow's key.
    public var serviceKey: String?
    /// The handler.
    public var handlerName: String
    /// The idempotency key.
    public var idempotencyKey: String
    /// The scope, since version 7.
    public var scope: String?

    /// A target with these parts.
    public init(
        serviceName: String, serviceKey: String? = nil, handlerName: String, idempotencyKey: String,
        scope: String? = nil
    ) {
        self.serviceName = serviceName
        self.serviceKey = serviceKey
        self.handlerName = handlerName
        self.idempotencyKey = idempotencyKey
        self.scope = scope
    }
}

/// The run of a workflow that is named by its key.
public struct WorkflowTarget: Sendable, Hashable {
    /// The workflow.
    public var workflowName: String
    /// Its key.
    public var workflowKey: String
    /// The scope, since version 7.
    public var scope: String?

    /// A target with these parts.
    public init(workflowName: String, workflowKey: String, scope: String? = nil) {
        self.workflowName = workflowName
        self.workflowKey = workflowKey
        self.scope = scope
    }
}

/// Waits for the result of another invocation.
public struct AttachInvocationCommand: JournalCommandMessage {
    /// The type by which frames announce it.
    public static let type = MessageType.attachInvocation

    /// The invocation.
    public var target: AttachTarget
    /// The identifier of the completion.
    public var resultCompletionID: UInt32
    /// The name that the handler gave to it; may be empty.
    public var name: String

    /// A command with these fields.
    public init(target: AttachTarget, resultCompletionID: UInt32, name: String = "") {
        self.target = target
        self.resultCompletionID = resultCompletionID
        self.name = name
    }

    /// Reads the fields.
    public init(reading payload: Bytes) throws(WireError) {
        (resultCompletionID, name) = try completionIDAndName(of: payload)
        target = try AttachTarget(reading: payload)
    }

    /// Writes the fields.
    public func write(to writer: inout ProtobufWriter) {
        target.write(to: &writer)
        writer.number(11, resultCompletionID)
        writer.string(12, name)
    }
}

/// Looks at the result of another invocation. The engine completes it with void while there is none.
public struct GetInvocationOutputCommand: JournalCommandMessage {
    /// The type by which frames announce it.
    public static let type = MessageType.getInvocationOutput

    /// The invocation.
    public var target: AttachTarget
    /// The identifier of the completion.
    public var resultCompletionID: UInt32
    /// The name that the handler gave to it; may be empty.
    public var name: String

    /// A command with these fields.
    public init(target: AttachTarget, resultCompletionID: UInt32, name: String = "") {
        self.target = target
        self.resultCompletionID = resultCompletionID
        self.name = name
    }

    /// Reads the fields.
    public init(reading payload: Bytes) throws(WireError) {
        (resultCompletionID, name) = try completionIDAndName(of: payload)
        target = try AttachTarget(reading: payload)
    }

    /// Writes the fields.
    public func write(to writer: inout ProtobufWriter) {
        target.write(to: &writer)
        writer.number(11, resultCompletionID)
        writer.string(12, name)
    }
}

extension AttachTarget {
    fileprivate init(reading payload: Bytes) throws(WireError) {
        var target: AttachTarget?
        var reader = ProtobufReader(payload)
        while let field = try reader.next() {
            switch field.number {
            case 1: target = .invocationID(try field.string)
            case 3: target = .idempotentRequest(try IdempotentRequestTarget(reading: field.bytes))
            case 4: target = .workflow(try WorkflowTarget(reading: field.bytes))
            default: break
            }
        }
        guard let target else { throw .missing("target") }
        self = target
    }

    fileprivate func write(to writer: inout ProtobufWriter) {
        switch self {
        case .invocationID(let id): writer.string(1, optional: id)
        case .idempotentRequest(let target):
            writer.message(3) { writer in
                writer.string(1, target.serviceName)
                writer.string(2, optional: target.serviceKey)
                writer.string(3, target.handlerName)
                writer.string(4, target.idempotencyKey)
                writer.string(5, optional: target.scope)
            }
        case .workflow(let target):
            writer.message(4) { writer in
                writer.string(1, target.workflowName)
                writer.string(2, target.workflowKey)
                writer.string(3, optional: target.scope)
            }
        }
    }
}

extension IdempotentRequestTarget {
    fileprivate init(reading payload: Bytes) throws(WireError) {
        self.init(serviceName: "", handlerName: "", idempotencyKey: "")
        var reader = ProtobufReader(payload)
        while let field = try reader.next() {
            switch field.number {
            case 1: serviceName = try field.string
            case 2: serviceKey = try field.string
            case 3: handlerName = try field.string
            case 4: idempotencyKey = try field.string
            case 5: scope = try field.string
            default: break
            }
        }
    }
}

extension WorkflowTarget {
    fileprivate init(reading payload: Bytes) throws(WireError) {
        self.init(workflowName: "", workflowKey: "")
        var reader = ProtobufReader(payload)
        while let field = try reader.next() {
            switch field.number {
            case 1: workflowName = try field.string
            case 2: workflowKey = try field.string
            case 3: scope = try field.string
            default: break
            }
        }
    }
}
