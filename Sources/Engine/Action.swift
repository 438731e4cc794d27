import HoldfastServiceProtocol
import HoldfastWire

/// What the outside world must do next. It leaves the partition only when the commit that caused it is durable
/// (rule 1), in the order in which `apply` returned it.
public enum Action: Sendable {
    /// Open an attempt. It supersedes attempts of former epochs, which are aborted; an epoch that already has its
    /// attempt, or backs off, gets no second one.
    case startAttempt(AttemptStart)
    /// Open these attempts, which had to wait in the store; those behind `last` wait still; nil: there are none.
    case startDeferred([AttemptStart], for: DeploymentID, last: UInt64?)
    /// Close the attempt's stream, if it is open; no message of it counts any more.
    case abortAttempt(InvocationID)
    /// The failure was recorded: start again with `Command.startAttempt` when the back-off is over.
    case retryLater(InvocationID, epoch: UInt32)
    /// The failure was recorded, and the back-off waits in the store: forget the invocation. If the back-off was ended
    /// meanwhile, say so with `Command.startAttempt`.
    case backOffStored(InvocationID, epoch: UInt32)
    /// End the back-off now, if there is one in memory.
    case retryNow(InvocationID)
    /// A new journal entry that an open attempt of this epoch has to hear of: a notification.
    case forward(InvocationID, epoch: UInt32, index: UInt32, type: MessageType, payload: Bytes)
    /// A command that asked for it is durable.
    case acknowledgeCommand(InvocationID, epoch: UInt32, commandIndex: UInt32)
    /// The invocation suspended or ended: the invoker may forget it, and asks an attempt that is open to end.
    case release(InvocationID)
    /// The invocation paused: the invoker may forget it, and asks an attempt that is open to end. Results of the steps
    /// that it is in still count, until the invocation goes on.
    case pauseAttempt(InvocationID)
    /// Answer a client or an operator.
    case answer(RequestID, Answer)
    /// Send a message to another partition; it is in the outbox until acknowledged.
    case send(PartitionMessage, to: PartitionIndex, sequence: UInt64)
    /// Tell a partition that its messages up to `sequence` are durable here.
    case acknowledge(PartitionIndex, upTo: UInt64)
    /// The clean-up stopped at its limit: there is more to forget.
    case cleanUpMore
    /// The ending of back-offs stopped at its limit: there may be more behind this one.
    case endBackOffsMore(after: InvocationID)
    /// A timer was stored: remember it, if it is near.
    case setTimer(TimerKey)
}

/// What an attempt starts with. The journal's entries below `journalLength` are replayed; later ones are forwarded.
public struct AttemptStart: Sendable {
    /// The invocation.
    public var id: InvocationID
    /// The epoch under which the attempt reports.
    public var epoch: UInt32
    /// The life of the invocation, which the attempt's reports repeat: epochs begin anew with each life.
    public var incarnation: UInt64 = 0
    /// The handler.
    public var target: InvocationTarget
    /// Where it must run; nil: on the latest revision's deployment.
    public var pinned: PinnedDeployment?
    /// How many journal entries are durable and to be replayed; at least 1.
    public var journalLength: UInt32
    /// How many of them are commands.
    public var commandCount: UInt32
    /// Payload of entry 0 if it was just written and is the only one: saves the read.
    public var input: Bytes?
    /// Last change of the invocation.
    public var modified: Timestamp
    /// Key of an idempotent request.
    public var idempotencyKey: String?
    /// Limit key, if any.
    public var limitKey: String?
    /// Whether this begins a new series: the retry counter starts again.
    public var isNewSeries: Bool
    /// The seed of the invocation's random numbers; nil: that of its id.
    public var randomSeed: UInt64?
    /// Where the tries of the series stood in the store; nil: they were counted nowhere but in memory.
    public var backOff: BackOff?
}

/// The answer to a request of a client or operator.
public enum Answer: Sendable {
    /// The invocation's result.
    case result(InvocationResult)
    /// A send was accepted: as a new invocation, or because it had been accepted before.
    case submitted(InvocationID, executionTime: Timestamp?, isNew: Bool)
    /// There is no such invocation.
    case unknown(InvocationID)
    /// It has not completed yet.
    case notCompleted(InvocationID)
    /// The signal is durable, or was dropped because nobody can receive it.
    case signalled
    /// What became of an operator's command.
    case operation(OperationOutcome)
    /// The mutation is durable, and applied or queued.
    case stateMutationAccepted
    /// The store refused: the request had no effect.
    case failed(String)
}

/// An invocation's result, as its clients get it.
public struct InvocationResult: Sendable, Hashable {
    /// The invocation.
    public var id: InvocationID
    /// What it called; whoever attached by an id does not know it.
    public var target: InvocationTarget
    /// What it ended with.
    public var completion: Completion
    /// When the result will be forgotten; nil for clients that waited for it.
    public var expires: Timestamp?
    /// The stack trace of the attempt that failed for good. It is told to those that waited, and not kept.
    public var stacktrace: String?

    /// Makes a result.
    public init(
        id: InvocationID, target: InvocationTarget, completion: Completion, expires: Timestamp? = nil,
        stacktrace: String? = nil
    ) {
        self.id = id
        self.target = target
        self.completion = completion
        self.expires = expires
        self.stacktrace = stacktrace
    }
}

/// What became of an operator's command; statuses and texts are in admin §6.
public enum OperationOutcome: Sendable, Hashable {
    /// Done.
    case done
    /// Accepted: the invocation will see it.
    case accepted
    /// Nothing to do: it is so already.
    case unchanged
    /// There is no such invocation.
    case unknown
    /// It has completed.
    case completed
    /// It has not completed.
    case notCompleted
    /// It is scheduled or waits in an inbox.
    case notStarted
    /// It is running, and that would have to end first.
    case running
    /// The journal is gone.
    case journalGone
    /// Workflows, and journals of old protocol versions, can't be restarted so.
    case unsupported(String)
    /// More entries would have to be copied than one command may write.
    case prefixTooLong(limit: UInt32)
    /// The entry to restart from does not exist, or a command up to it has no completion.
    case incompletePrefix
    /// The deployment can't be changed now.
    case deploymentFixed
    /// The deployment does not exist.
    case deploymentMissing
    /// The deployment does not speak the pinned protocol version.
    case deploymentIncompatible
    /// Restarted under this id.
    case restarted(InvocationID)
}

/// What one partition tells another: durable in the sender's outbox until the receiver has it.
public enum PartitionMessage: Sendable {
    /// Create an invocation, or join one.
    case invoke(InvokeRequest, Caller)
    /// The result that a command waits for.
    case complete(CallerReference, Notification.Result)
    /// A signal.
    case signal(InvocationID, Notification)
    /// Wait for an invocation's result, or ask for it.
    case attach(InvocationID, CallerReference, waiting: Bool)
    /// End a callee of a killed invocation, if the killed one's command still waits for it.
    case kill(InvocationID, by: CallerReference)
}

/// A stored timer, in the order in which timers fire.
public struct TimerKey: Sendable, Hashable, Comparable {
    /// What the timer does.
    public enum Kind: UInt8, Sendable {
        /// Completes a Sleep command.
        case sleep = 0
        /// Starts a scheduled invocation.
        case start = 1
        /// Ends a back-off.
        case retry = 2
    }

    /// When it is due.
    public var due: Timestamp
    /// What it does.
    public var kind: Kind
    /// For which invocation.
    public var id: InvocationID
    /// For which life of it.
    public var incarnation: UInt64
    /// The Sleep's completion; 0 for other kinds.
    public var completionID: UInt32

    /// Makes a timer.
    public init(due: Timestamp, kind: Kind, id: InvocationID, incarnation: UInt64, completionID: UInt32 = 0) {
        self.due = due
        self.kind = kind
        self.id = id
        self.incarnation = incarnation
        self.completionID = completionID
    }

    /// By due time, then as the keys in the store.
    public static func < (left: Self, right: Self) -> Bool {
        (left.due, left.kind.rawValue, left.id.partitionKey, left.id.uuid, left.incarnation, left.completionID)
            < (
                right.due, right.kind.rawValue, right.id.partitionKey, right.id.uuid, right.incarnation,
                right.completionID
            )
    }
}
