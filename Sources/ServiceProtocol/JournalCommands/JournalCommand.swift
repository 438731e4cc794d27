import HoldfastWire

/// A step of a handler, as the journal keeps it.
public enum JournalCommand: Sendable, Hashable {
    /// The handler's input; always the first, and always the engine's.
    case input(InputCommand)
    /// The handler's result.
    case output(OutputCommand)
    /// Reads a state that the start message did not have.
    case getLazyState(GetLazyStateCommand)
    /// Writes a state.
    case setState(SetStateCommand)
    /// Deletes a state.
    case clearState(ClearStateCommand)
    /// Deletes every state of the object.
    case clearAllState(ClearAllStateCommand)
    /// Lists the keys of the object's state.
    case getLazyStateKeys(GetLazyStateKeysCommand)
    /// Records a read that the start message answered.
    case getEagerState(GetEagerStateCommand)
    /// Records a listing of keys that the start message answered.
    case getEagerStateKeys(GetEagerStateKeysCommand)
    /// Waits for a durable promise.
    case getPromise(GetPromiseCommand)
    /// Looks at a durable promise.
    case peekPromise(PeekPromiseCommand)
    /// Completes a durable promise.
    case completePromise(CompletePromiseCommand)
    /// Sets a timer.
    case sleep(SleepCommand)
    /// Calls a handler, whose result comes back.
    case call(CallCommand)
    /// Calls a handler, now or later, whose result nobody gets.
    case oneWayCall(OneWayCallCommand)
    /// Sends a signal to an invocation.
    case sendSignal(SendSignalCommand)
    /// Announces a step.
    case run(RunCommand)
    /// Waits for the result of another invocation.
    case attachInvocation(AttachInvocationCommand)
    /// Looks at the result of another invocation.
    case getInvocationOutput(GetInvocationOutputCommand)
    /// Completes an awakeable.
    case completeAwakeable(CompleteAwakeableCommand)

    /// Decodes the payload of a command's frame.
    ///
    /// - Throws: RT0012 for a type that is no command, and for what cannot be decoded.
    public init(type: MessageType, payload: Bytes) throws(ProtocolError) {
        switch type {
        case .input: self = .input(try .init(decoding: payload))
        case .output: self = .output(try .init(decoding: payload))
        case .getLazyState: self = .getLazyState(try .init(decoding: payload))
        case .setState: self = .setState(try .init(decoding: payload))
        case .clearState: self = .clearState(try .init(decoding: payload))
        case .clearAllState: self = .clearAllState(try .init(decoding: payload))
        case .getLazyStateKeys: self = .getLazyStateKeys(try .init(decoding: payload))
        case .getEagerState: self = .getEagerState(try .init(decoding: payload))
        case .getEagerStateKeys: self = .getEagerStateKeys(try .init(decoding: payload))
        case .getPromise: self = .getPromise(try .init(decoding: payload))
        case .peekPromise: self = .peekPromise(try .init(decoding: payload))
        case .completePromise: self = .completePromise(try .init(decoding: payload))
        case .sleep: self = .sleep(try .init(decoding: payload))
        case .call: self = .call(try .init(decoding: payload))
        case .oneWayCall: self = .oneWayCall(try .init(decoding: payload))
        case .sendSignal: self = .sendSignal(try .init(decoding: payload))
        case .run: self = .run(try .init(decoding: payload))
        case .attachInvocation: self = .attachInvocation(try .init(decoding: payload))
        case .getInvocationOutput: self = .getInvocationOutput(try .init(decoding: payload))
        case .completeAwakeable: self = .completeAwakeable(try .init(decoding: payload))
        default: throw .unexpectedMessage(type)
        }
    }

    /// The command as the protocol that all commands share.
    public var message: any JournalCommandMessage {
        switch self {
        case .input(let command): command
        case .output(let command): command
        case .getLazyState(let command): command
        case .setState(let command): command
        case .clearState(let command): command
        case .clearAllState(let command): command
        case .getLazyStateKeys(let command): command
        case .getEagerState(let command): command
        case .getEagerStateKeys(let command): command
        case .getPromise(let command): command
        case .peekPromise(let command): command
        case .completePromise(let command): command
        case .sleep(let command): command
        case .call(let command): command
        case .oneWayCall(let command): command
        case .sendSignal(let command): command
        case .run(let command): command
        case .attachInvocation(let command): command
        case .getInvocationOutput(let command): command
        case .completeAwakeable(let command): command
        }
    }

    /// The type of its message.
    public var type: MessageType {
        switch self {
        case .input: .input
        case .output: .output
        case .getLazyState: .getLazyState
        case .setState: .setState
        case .clearState: .clearState
        case .clearAllState: .clearAllState
        case .getLazyStateKeys: .getLazyStateKeys
        case .getEagerState: .getEagerState
        case .getEagerStateKeys: .getEagerStateKeys
        case .getPromise: .getPromise
        case .peekPromise: .peekPromise
        case .completePromise: .completePromise
        case .sleep: .sleep
        case .call: .call
        case .oneWayCall: .oneWayCall
        case .sendSignal: .sendSignal
        case .run: .run
        case .attachInvocation: .attachInvocation
        case .getInvocationOutput: .getInvocationOutput
        case .completeAwakeable: .completeAwakeable
        }
    }

    /// The name that the handler gave to it; empty for most.
    public var name: String { message.name }

    /// The identifiers under which notifications will answer it, in the order in which they were taken.
    public var completionIDs: [UInt32] {
        switch self {
        case .getLazyState(let command): [command.resultCompletionID]
        case .getLazyStateKeys(let command): [command.resultCompletionID]
        case .getPromise(let command): [command.resultCompletionID]
        case .peekPromise(let command): [command.resultCompletionID]
        case .completePromise(let command): [command.resultCompletionID]
        case .sleep(let command): [command.resultCompletionID]
        case .call(let command): [command.invocationIDCompletionID, command.resultCompletionID]
        case .oneWayCall(let command): [command.invocationIDCompletionID]
        case .run(let command): [command.resultCompletionID]
        case .attachInvocation(let command): [command.resultCompletionID]
        case .getInvocationOutput(let command): [command.resultCompletionID]
        case .input, .output, .setState, .clearState, .clearAllState, .getEagerState, .getEagerStateKeys, .sendSignal,
            .completeAwakeable:
            []
        }
    }

    /// Appends the payload to a buffer.
    public func encode(into buffer: inout [UInt8]) { message.encode(into: &buffer) }

    /// The payload, without a frame.
    public var payload: Bytes { message.payload }
}

/// The message of a journal command.
public protocol JournalCommandMessage: Message {
    /// The name that the handler gave to it; empty for most.
    var name: String { get }
}
