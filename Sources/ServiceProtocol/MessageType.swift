/// The type of a message, as its frame's header carries it. Values that are not in `all` are unknown types.
public struct MessageType: RawRepresentable, Hashable, Sendable {
    /// The number on the wire.
    public let rawValue: UInt16

    /// The type with this number, known or not.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Who may send a message.
    public enum Sender: Sendable, Hashable {
        /// Only the engine.
        case engine
        /// Only the SDK.
        case sdk
        /// The SDK when it is new, the engine when it replays it.
        case either
    }

    /// What is known of a type.
    public struct Row: Sendable, Hashable {
        /// The type.
        public let type: MessageType
        /// Its name, without the suffix `Message`.
        public let name: String
        /// Who sends it.
        public let sender: Sender
        /// The first version that has it.
        public let since: ProtocolVersion

        fileprivate init(
            _ type: MessageType, _ name: String, _ sender: Sender, since: ProtocolVersion = .v5
        ) {
            self.type = type
            self.name = name
            self.sender = sender
            self.since = since
        }
    }

    /// Every known type, in order of its number.
    public static let all: [Row] = [
        Row(start, "Start", .engine),
        Row(suspension, "Suspension", .sdk),
        Row(error, "Error", .sdk),
        Row(end, "End", .sdk),
        Row(commandAck, "CommandAck", .engine),
        Row(proposeRunCompletion, "ProposeRunCompletion", .sdk),
        Row(awaitingOn, "AwaitingOn", .sdk, since: .v7),
        Row(proposeRunCompletionAck, "ProposeRunCompletionAck", .engine, since: .v7),
        Row(input, "Input", .engine),
        Row(output, "Output", .either),
        Row(getLazyState, "GetLazyState", .either),
        Row(setState, "SetState", .either),
        Row(clearState, "ClearState", .either),
        Row(clearAllState, "ClearAllState", .either),
        Row(getLazyStateKeys, "GetLazyStateKeys", .either),
        Row(getEagerState, "GetEagerState", .either),
        Row(getEagerStateKeys, "GetEagerStateKeys", .either),
        Row(getPromise, "GetPromise", .either),
        Row(peekPromise, "PeekPromise", .either),
        Row(completePromise, "CompletePromise", .either),
        Row(sleep, "Sleep", .either),
        Row(call, "Call", .either),
        Row(oneWayCall, "OneWayCall", .either),
        Row(sendSignal, "SendSignal", .either),
        Row(run, "Run", .either),
        Row(attachInvocation, "AttachInvocation", .either),
        Row(getInvocationOutput, "GetInvocationOutput", .either),
        Row(completeAwakeable, "CompleteAwakeable", .either),
        Row(getLazyStateCompletion, "GetLazyStateCompletion", .engine),
        Row(getLazyStateKeysCompletion, "GetLazyStateKeysCompletion", .engine),
        Row(getPromiseCompletion, "GetPromiseCompletion", .engine),
        Row(peekPromiseCompletion, "PeekPromiseCompletion", .engine),
        Row(completePromiseCompletion, "CompletePromiseCompletion", .engine),
        Row(sleepCompletion, "SleepCompletion", .engine),
        Row(callCompletion, "CallCompletion", .engine),
        Row(callInvocationIDCompletion, "CallInvocationIdCompletion", .engine),
        Row(runCompletion, "RunCompletion", .engine),
        Row(attachInvocationCompletion, "AttachInvocationCompletion", .engine),
        Row(getInvocationOutputCompletion, "GetInvocationOutputCompletion", .engine),
        Row(signal, "SignalNotification", .engine),
    ]

    private static let rows = Dictionary(uniqueKeysWithValues: all.map { ($0.type, $0) })

    /// What is known of this type; nil for an unknown one.
    public var row: Row? { Self.rows[self] }

    /// Whether messages of this type are journal commands.
    public var isCommand: Bool { rawValue & 0xFC00 == 0x0400 && row != nil }

    /// Whether messages of this type are notifications, by their number alone.
    public var isNotification: Bool { rawValue >= 0x8000 && rawValue < 0xFC00 }

    /// The type of the notification that completes a command of this type; nil for commands that need none.
    ///
    /// Calls and one-way calls also get a `callInvocationIDCompletion`.
    public var completion: MessageType? {
        guard isCommand, self != .oneWayCall else { return nil }
        let completion = MessageType(rawValue: 0x8000 | rawValue & 0x00FF)
        return completion.row == nil ? nil : completion
    }
}

extension MessageType {
    /// Begins an attempt.
    public static let start = MessageType(rawValue: 0x0000)
    /// Ends an attempt that waits.
    public static let suspension = MessageType(rawValue: 0x0001)
    /// Ends an attempt that failed.
    public static let error = MessageType(rawValue: 0x0002)
    /// Ends the invocation.
    public static let end = MessageType(rawValue: 0x0003)
    /// Tells that a command is durable, where that was asked for.
    public static let commandAck = MessageType(rawValue: 0x0004)
    /// Offers the result of a step.
    public static let proposeRunCompletion = MessageType(rawValue: 0x0005)
    /// Tells what a connected handler waits for.
    public static let awaitingOn = MessageType(rawValue: 0x0006)
    /// Tells that a step's result is durable.
    public static let proposeRunCompletionAck = MessageType(rawValue: 0x0007)

    /// The handler's input; the first entry of every journal.
    public static let input = MessageType(rawValue: 0x0400)
    /// The handler's result.
    public static let output = MessageType(rawValue: 0x0401)
    /// Reads a state that the start message did not have.
    public static let getLazyState = MessageType(rawValue: 0x0402)
    /// Writes a state.
    public static let setState = MessageType(rawValue: 0x0403)
    /// Deletes a state.
    public static let clearState = MessageType(rawValue: 0x0404)
    /// Deletes every state of the object.
    public static let clearAllState = MessageType(rawValue: 0x0405)
    /// Lists the keys of the object's state.
    public static let getLazyStateKeys = MessageType(rawValue: 0x0406)
    /// Records a read that the start message answered.
    public static let getEagerState = MessageType(rawValue: 0x0407)
    /// Records a listing of keys that the start message answered.
    public static let getEagerStateKeys = MessageType(rawValue: 0x0408)
    /// Waits for a durable promise.
    public static let getPromise = MessageType(rawValue: 0x0409)
    /// Looks at a durable promise.
    public static let peekPromise = MessageType(rawValue: 0x040A)
    /// Completes a durable promise.
    public static let completePromise = MessageType(rawValue: 0x040B)
    /// Sets a timer.
    public static let sleep = MessageType(rawValue: 0x040C)
    /// Calls a handler, whose result comes back.
    public static let call = MessageType(rawValue: 0x040D)
    /// Calls a handler, now or later, whose result nobody gets.
    public static let oneWayCall = MessageType(rawValue: 0x040E)
    /// Sends a signal to an invocation.
    public static let sendSignal = MessageType(rawValue: 0x0410)
    /// Announces a step, whose result the SDK will propose.
    public static let run = MessageType(rawValue: 0x0411)
    /// Waits for the result of another invocation.
    public static let attachInvocation = MessageType(rawValue: 0x0412)
    /// Looks at the result of another invocation.
    public static let getInvocationOutput = MessageType(rawValue: 0x0413)
    /// Completes an awakeable.
    public static let completeAwakeable = MessageType(rawValue: 0x0414)

    /// Completes `getLazyState`.
    public static let getLazyStateCompletion = MessageType(rawValue: 0x8002)
    /// Completes `getLazyStateKeys`.
    public static let getLazyStateKeysCompletion = MessageType(rawValue: 0x8006)
    /// Completes `getPromise`.
    public static let getPromiseCompletion = MessageType(rawValue: 0x8009)
    /// Completes `peekPromise`.
    public static let peekPromiseCompletion = MessageType(rawValue: 0x800A)
    /// Completes `completePromise`.
    public static let completePromiseCompletion = MessageType(rawValue: 0x800B)
    /// Completes `sleep`.
    public static let sleepCompletion = MessageType(rawValue: 0x800C)
    /// Completes `call`.
    public static let callCompletion = MessageType(rawValue: 0x800D)
    /// Tells the identifier of what a call or a one-way call has started.
    public static let callInvocationIDCompletion = MessageType(rawValue: 0x800E)
    /// Completes `run`.
    public static let runCompletion = MessageType(rawValue: 0x8011)
    /// Completes `attachInvocation`.
    public static let attachInvocationCompletion = MessageType(rawValue: 0x8012)
    /// Completes `getInvocationOutput`.
    public static let getInvocationOutputCompletion = MessageType(rawValue: 0x8013)
    /// A signal has arrived.
    public static let signal = MessageType(rawValue: 0xFBFF)
}

extension MessageType: CustomStringConvertible {
    /// The name, or the number of an unknown type.
    public var description: String {
        if let row { return row.name }
        let digits = String(rawValue, radix: 16, uppercase: true)
        return "0x" + String(repeating: "0", count: 4 - digits.count) + digits
    }
}
