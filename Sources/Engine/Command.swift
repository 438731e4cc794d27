import HoldfastServiceProtocol
import HoldfastWire

/// Anything that happens to a partition: the only input of the state machine besides the time and the store.
public enum Command: Sendable {
    // From clients.

    /// A call or a send. Its answer is `.submitted` for sends, the result for calls.
    case invoke(InvokeRequest, Caller)
    /// Wait for an invocation's result. Answers: `.result`, `.unknown`.
    case attach(InvocationID, RequestID)
    /// Ask for an invocation's result without waiting. Answers: `.result`, `.notCompleted`, `.unknown`.
    case output(InvocationID, RequestID)
    /// A signal: an awakeable's result, or cancellation. Answer: `.signalled`, once it is durable.
    case signal(InvocationID, Notification, RequestID?)
    /// The client that asked is gone: its answer is not wanted any more.
    case forget(InvocationID, RequestID)

    // From operators. Answer: `.operation`.

    /// Cancels an invocation: ends what has not started, else hands it the cancel signal.
    case cancel(InvocationID, RequestID?)
    /// Ends an invocation now, whatever it does, and the calls that it waits for.
    case kill(InvocationID, RequestID?)
    /// Forgets a completed invocation.
    case purge(InvocationID, RequestID?)
    /// Forgets a completed invocation's journal, and keeps its result.
    case purgeJournal(InvocationID, RequestID?)
    /// Stops a running or suspended invocation until somebody resumes it.
    case pause(InvocationID, RequestID?)
    /// Starts a paused or suspended invocation, or the next attempt of one that backs off.
    case resume(InvocationID, DeploymentChange, RequestID?)
    /// Runs a completed invocation again under a new id, keeping the journal up to an entry.
    case restart(RestartRequest, RequestID?)
    /// Replaces the state of a key, after what its inbox holds. Answer: `.stateMutationAccepted`.
    case mutateState(StateMutation, RequestID?)

    // From the invoker.

    /// What an attempt said, in order.
    case attempt(AttemptReport)
    /// The back-off of an invocation is over, or its start had to wait: it wants a fresh `.startAttempt`.
    case startAttempt(InvocationID, epoch: UInt32)
    /// A start that the invoker has no room for, filed under the deployment that it would run on; with the back-off that
    /// is behind it, if it is not the first of its series.
    case deferStart(InvocationID, epoch: UInt32, for: DeploymentID, behind: BackOff?)
    /// There is room for `limit` of the deferred starts of a deployment behind `after`. Action: `.startDeferred`.
    case takeUpStarts(for: DeploymentID, after: UInt64, limit: Int)

    /// Services were registered: ends back-offs that may have waited for that, `limit` of those behind `after`.
    case endBackOffs(after: InvocationID?, limit: Int)

    // From timers.

    /// The due time of a stored timer has come.
    case timerFired(TimerKey)
    /// Look for what has outlived its retention: at most `limit` records.
    case cleanUp(limit: Int)

    // From other partitions.

    /// A message of another partition's outbox.
    case receive(PartitionMessage, from: PartitionIndex, sequence: UInt64)
    /// Another partition has durably received this outbox up to and including `sequence`.
    case acknowledged(by: PartitionIndex, upTo: UInt64)
}

/// Index of a partition, below the number of partitions of the store.
public typealias PartitionIndex = UInt16

/// Names a client's or operator's request to this process; never stored, since it dies with its connection.
public struct RequestID: Sendable, Hashable {
    /// The event loop that waits for the answer.
    public var loop: UInt16
    /// Unique within the loop.
    public var serial: UInt64

    /// Makes a request id.
    public init(loop: UInt16, serial: UInt64) {
        self.loop = loop
        self.serial = serial
    }
}

/// Who waits for an invocation's result.
public enum Caller: Sendable, Hashable {
    /// Nobody.
    case none
    /// A client that wants to know that the invocation was accepted, and no more.
    case sender(RequestID)
    /// A client that waits for the result.
    case client(RequestID)
    /// A command of another invocation.
    case invocation(CallerReference)
}

/// A command of an invocation that waits for a completion.
public struct CallerReference: Sendable, Hashable {
    /// The invocation that issued the command.
    public var id: InvocationID
    /// The life of it that did: ids can be used again after a purge.
    public var incarnation: UInt64
    /// The completion that the command waits for.
    public var completionID: UInt32
    /// The notification that carries the completion.
    public var type: MessageType

    /// Makes a reference.
    public init(id: InvocationID, incarnation: UInt64, completionID: UInt32, type: MessageType) {
        self.id = id
        self.incarnation = incarnation
        self.completionID = completionID
        self.type = type
    }
}

/// Where an invocation came from, as operators see it.
public enum InvocationSource: Sendable, Hashable {
    /// A client of the ingress.
    case ingress(RequestID?)
    /// Another invocation.
    case invocation(InvocationID, InvocationTarget)
    /// A subscription.
    case subscription(String)
    /// An operator, who restarted a former invocation.
    case restartedFrom(InvocationID)
    /// The engine itself.
    case engine
}

/// A request to run a handler.
public struct InvokeRequest: Sendable {
    /// Id of the invocation to be; a known id makes the request a duplicate.
    public var id: InvocationID
    /// What to call.
    public var target: InvocationTarget
    /// Where it comes from.
    public var source: InvocationSource
    /// The encoded Input command: headers and argument.
    public var input: Bytes
    /// The key under which the id was computed, if there is one.
    public var idempotencyKey: String?
    /// Names the counters that limit the invocation's concurrency.
    public var limitKey: String?
    /// Not to be started before; nil: at once.
    public var executionTime: Timestamp?
    /// How long the result is kept, in milliseconds.
    public var completionRetention: UInt64
    /// How long the journal is kept, in milliseconds; never longer than the result.
    public var journalRetention: UInt64

    /// Makes a request.
    public init(
        id: InvocationID, target: InvocationTarget, source: InvocationSource, input: Bytes,
        idempotencyKey: String? = nil, limitKey: String? = nil, executionTime: Timestamp? = nil,
        completionRetention: UInt64, journalRetention: UInt64
    ) {
        self.id = id
        self.target = target
        self.source = source
        self.input = input
        self.idempotencyKey = idempotencyKey
        self.limitKey = limitKey
        self.executionTime = executionTime
        self.completionRetention = completionRetention
        self.journalRetention = min(journalRetention, completionRetention)
    }
}

/// The deployment that an invocation stays on, and the protocol version it speaks there.
public struct PinnedDeployment: Sendable, Hashable {
    /// The deployment.
    public var deployment: DeploymentID
    /// The negotiated version of the service protocol.
    public var version: ProtocolVersion

    /// Makes a pin.
    public init(deployment: DeploymentID, version: ProtocolVersion) {
        self.deployment = deployment
        self.version = version
    }
}

/// Which deployment a resumed or restarted invocation goes on with.
///
/// Resolved against the registry by the caller: `versions` are those of the deployment.
public enum DeploymentChange: Sendable, Hashable {
    /// The pinned one, if any.
    case keep
    /// The deployment of the service's latest revision.
    case latest(DeploymentID, versions: ClosedRange<Int>)
    /// A deployment named by the operator.
    case specific(DeploymentID, versions: ClosedRange<Int>)
    /// The service has no deployment any more.
    case latestMissing
    /// The deployment that the operator named is not registered.
    case specificMissing
}

/// Restart of a completed invocation under a new id (semantics §8.6).
public struct RestartRequest: Sendable {
    /// The completed invocation.
    public var id: InvocationID
    /// Id of the new one: the same partition key, a fresh ULID.
    public var newID: InvocationID
    /// Index of the last journal entry to keep; 0 keeps the input only.
    public var from: UInt32
    /// The deployment to go on with.
    public var deployment: DeploymentChange

    /// Makes a request.
    public init(id: InvocationID, newID: InvocationID, from: UInt32, deployment: DeploymentChange) {
        self.id = id
        self.newID = newID
        self.from = from
        self.deployment = deployment
    }
}

/// An operator's replacement of the whole state of a key.
public struct StateMutation: Sendable {
    /// Whose state.
    public var object: ObjectID
    /// Whether the key belongs to a workflow: then there is no lock to wait for.
    public var isWorkflow: Bool
    /// The version (admin §5.3) that the state must have when the mutation is applied; nil: any.
    public var expectedVersion: String?
    /// The new state; keys that it lacks are deleted.
    public var entries: [(key: Bytes, value: Bytes)]

    /// Makes a mutation.
    public init(object: ObjectID, isWorkflow: Bool, expectedVersion: String?, entries: [(key: Bytes, value: Bytes)]) {
        self.object = object
        self.isWorkflow = isWorkflow
        self.expectedVersion = expectedVersion
        self.entries = entries
    }
}

/// What an attempt said, in the order in which it said it.
public struct AttemptReport: Sendable {
    /// The invocation.
    public var id: InvocationID
    /// The epoch under which the attempt was started; reports of former epochs are dropped.
    public var epoch: UInt32
    /// The life of the invocation that the attempt was started for; reports of former ones are dropped.
    public var incarnation: UInt64
    /// The deployment and version that the attempt runs on: pinned with its first command or proposal.
    public var deployment: PinnedDeployment
    /// The messages.
    public var messages: [AttemptMessage]

    /// Makes a report.
    public init(
        id: InvocationID, epoch: UInt32, incarnation: UInt64, deployment: PinnedDeployment,
        messages: [AttemptMessage]
    ) {
        self.id = id
        self.epoch = epoch
        self.incarnation = incarnation
        self.deployment = deployment
        self.messages = messages
    }
}

/// One message of an attempt. The invoker has checked the preconditions (protocol §9) and resolved callees.
public enum AttemptMessage: Sendable {
    /// A journal command, with the bytes as received.
    ///
    /// `callee` is set for Call and OneWayCall, and for nothing else; `target` for commands that name an invocation
    /// (SendSignal, CompleteAwakeable, AttachInvocation, GetInvocationOutput).
    case command(JournalCommand, payload: Bytes, reference: CommandReference, acknowledge: Bool)
    /// The result of a step: becomes the Run completion with these bytes.
    case proposal(Notification)
    /// The attempt waits, and nothing that it was sent resolves what it waits for.
    ///
    /// Journal entries below `entriesSent` were written to the attempt's stream: named signals among them were seen.
    case suspended(Future, entriesSent: UInt32)
    /// The handler has ended.
    case ended
    /// The attempt failed, and what comes next by the retry policy.
    case failed(AttemptFailure, next: AfterFailure)
}

/// What a journal command refers to outside its invocation, resolved by the invoker.
public enum CommandReference: Sendable {
    /// Nothing.
    case none
    /// The invocation that a Call or OneWayCall creates.
    case callee(ResolvedCallee)
    /// The invocation that a signal, attach or output command names.
    case invocation(InvocationID)
}

/// The callee of a Call or OneWayCall, resolved against the registry and the identifier rules.
public struct ResolvedCallee: Sendable {
    /// Id of the invocation to be.
    public var id: InvocationID
    /// What is called.
    public var target: InvocationTarget
    /// How long its result is kept, in milliseconds.
    public var completionRetention: UInt64
    /// How long its journal is kept, in milliseconds.
    public var journalRetention: UInt64

    /// Makes a callee.
    public init(id: InvocationID, target: InvocationTarget, completionRetention: UInt64, journalRetention: UInt64) {
        self.id = id
        self.target = target
        self.completionRetention = completionRetention
        self.journalRetention = journalRetention
    }
}

/// What follows a failed attempt.
public enum AfterFailure: Sendable {
    /// Another attempt, after the invoker's back-off.
    case retry
    /// Another attempt, after a back-off that the invoker has no room for.
    case retryStored(BackOff)
    /// The invocation pauses.
    case pause
    /// The invocation ends with the attempt's error.
    case end
}

/// Why an attempt failed, as operators read it.
public struct AttemptFailure: Sendable, Hashable {
    /// The error's number: the SDK's, else 500.
    public var code: UInt32
    /// What happened.
    public var message: String
    /// The SDK's stack trace, if it sent one.
    public var stacktrace: String?
    /// The documented code (`RT0007`), docs/errors.md.
    public var documentedCode: String?
    /// Index of the command that failed, among the commands.
    public var commandIndex: UInt32?
    /// The name that the user gave to that command.
    public var commandName: String?
    /// The kind of that command: `Run`, `Call` …
    public var commandType: String?

    /// Makes a failure.
    public init(
        code: UInt32, message: String, stacktrace: String? = nil, documentedCode: String? = nil,
        commandIndex: UInt32? = nil, commandName: String? = nil, commandType: String? = nil
    ) {
        self.code = code
        self.message = message
        self.stacktrace = stacktrace
        self.documentedCode = documentedCode
        self.commandIndex = commandIndex
        self.commandName = commandName
        self.commandType = commandType
    }
}

extension Command {
    /// The request that waits for an answer to this command, if one does.
    public var request: RequestID? {
        switch self {
        case .invoke(_, .sender(let request)), .invoke(_, .client(let request)): request
        case .invoke: nil
        case .attach(_, let request), .output(_, let request): request
        case .signal(_, _, let request): request
        case .cancel(_, let request), .kill(_, let request), .purge(_, let request), .purgeJournal(_, let request),
            .pause(_, let request), .resume(_, _, let request), .restart(_, let request), .mutateState(_, let request):
            request
        case .forget, .attempt, .startAttempt, .deferStart, .takeUpStarts, .endBackOffs, .timerFired, .cleanUp,
            .receive, .acknowledged:
            nil
        }
    }
}
