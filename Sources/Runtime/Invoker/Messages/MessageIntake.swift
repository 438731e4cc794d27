import HoldfastEngine
import HoldfastServiceProtocol
import HoldfastWire

/// Turns what an SDK sends into what the partition hears: cuts the stream into messages, checks what each may be,
/// and resolves what it names.
///
/// Nothing is sent on behind the first message that ends the attempt or breaks a rule; what came before it counts.
struct MessageIntake {
    /// What the messages that were read leave behind.
    enum Outcome: Equatable {
        /// The attempt goes on.
        case open
        /// The last message was End.
        case ended
        /// The last message was a Suspension.
        case suspended
        /// The last message was Error.
        case failed(AttemptError)
        /// The SDK broke a rule, and does not know it.
        case violated(AttemptError)
    }

    /// What the messages of one chunk are checked and resolved with.
    struct Surroundings {
        var resolver: CalleeResolver
        var now: Timestamp
        /// Bound of the journal's indexes that were written to the attempt.
        var entriesSent: UInt32
        var futureDepthLimit: Int
    }

    private let kind: TargetKind
    private let version: ProtocolVersion
    private var reader: FrameReader
    /// Index of the next command, among the commands.
    private(set) var commandIndex: UInt32
    /// What the SDK last said that it waits for.
    private(set) var awaitingOn: Future?
    private var awaitingOnPayload: Bytes = []
    /// The steps whose results are to be answered by an acknowledgement, and not by the whole result.
    private var acknowledgedSteps: [UInt32] = []
    /// The largest message so far.
    private(set) var largest: (type: MessageType, size: Int) = (.end, 0)

    /// Bytes of a message that has not arrived completely.
    var bufferedCount: Int { reader.bufferedCount }

    init(kind: TargetKind, version: ProtocolVersion, commandCount: UInt32, messageSizeLimit: Int) {
        self.kind = kind
        self.version = version
        reader = FrameReader(limit: messageSizeLimit)
        commandIndex = commandCount
    }

    /// Reads a chunk, and appends what it says.
    mutating func read(
        _ chunk: Bytes, _ surroundings: Surroundings, random: inout FastRandom, into messages: inout [AttemptMessage]
    ) -> Outcome {
        reader.append(chunk)
        do throws(AttemptError) {
            while let frame = try checked({ () throws(ProtocolError) in try reader.next() }) {
                if frame.payload.count > largest.size { largest = (frame.type, frame.payload.count) }
                let outcome = try read(frame, surroundings, random: &random, into: &messages)
                if outcome != .open { return outcome }
            }
            return .open
        } catch {
            return .violated(error)
        }
    }

    /// Whether the completion of this step is to be an acknowledgement; asked once for each.
    mutating func takesAcknowledgement(ofStep completionID: UInt32) -> Bool {
        guard let index = acknowledgedSteps.firstIndex(of: completionID) else { return false }
        acknowledgedSteps.remove(at: index)
        return true
    }

    // MARK: - Messages

    private mutating func read(
        _ frame: Frame, _ surroundings: Surroundings, random: inout FastRandom, into messages: inout [AttemptMessage]
    ) throws(AttemptError) -> Outcome {
        switch frame.type {
        case .end:
            messages.append(.ended)
            return .ended
        case .suspension:
            let suspension = try checked { () throws(ProtocolError) in
                try SuspensionMessage(
                    decoding: frame.payload, version: version, maximumDepth: surroundings.futureDepthLimit)
            }
            messages.append(.suspended(suspension.awaitingOn, entriesSent: surroundings.entriesSent))
            return .suspended
        case .error: return .failed(AttemptError(try decoded(ErrorMessage.self, frame.payload)))
        case .awaitingOn: try note(frame.payload, depthLimit: surroundings.futureDepthLimit)
        case .proposeRunCompletion: messages.append(try proposal(in: frame))
        case let type where type.isCommand && type != .input:
            let command = try checked { () throws(ProtocolError) in
                try JournalCommand(type: type, payload: frame.payload)
            }
            let reference = try reference(of: command, surroundings, random: &random)
            messages.append(
                .command(
                    command, payload: frame.payload, reference: reference, acknowledge: frame.requestsAck))
            commandIndex &+= 1
        default: throw AttemptError.unexpectedMessage(frame.type)
        }
        return .open
    }

    /// It comes before most waits, often unchanged: equal bytes are not decoded again.
    private mutating func note(_ payload: Bytes, depthLimit: Int) throws(AttemptError) {
        guard awaitingOn == nil || payload != awaitingOnPayload else { return }
        awaitingOn = try checked { () throws(ProtocolError) in
            try AwaitingOnMessage(decoding: payload, maximumDepth: depthLimit).awaitingOn
        }
        awaitingOnPayload = payload
    }

    private mutating func proposal(in frame: Frame) throws(AttemptError) -> AttemptMessage {
        let message = try decoded(ProposeRunCompletionMessage.self, frame.payload)
        guard let result = message.result else { throw AttemptError.proposalWithoutResult }
        if frame.requestsAck, version >= .v7 { acknowledgedSteps.append(message.resultCompletionID) }
        return .proposal(.completion(.runCompletion, message.resultCompletionID, Notification.Result(result)))
    }

    private func decoded<M: Message>(_ message: M.Type, _ payload: Bytes) throws(AttemptError) -> M {
        try checked { () throws(ProtocolError) in try M(decoding: payload) }
    }

    // MARK: - Commands

    private func reference(
        of command: JournalCommand, _ surroundings: Surroundings, random: inout FastRandom
    ) throws(AttemptError) -> CommandReference {
        do {
            switch command {
            case .call(let call):
                return .callee(
                    try surroundings.resolver.callee(of: .init(call), now: surroundings.now, random: &random))
            case .oneWayCall(let call):
                return .callee(
                    try surroundings.resolver.callee(of: .init(call), now: surroundings.now, random: &random))
            case .attachInvocation(let attach): return .invocation(try CalleeResolver.id(of: attach.target))
            case .getInvocationOutput(let output): return .invocation(try CalleeResolver.id(of: output.target))
            case .getLazyState, .getLazyStateKeys, .getEagerState, .getEagerStateKeys: try kind.requireStateAccess()
            case .setState, .clearState, .clearAllState: try kind.requireStateWrites()
            case .getPromise, .peekPromise, .completePromise: try kind.requirePromises()
            case .sendSignal, .completeAwakeable, .input, .output, .sleep, .run: break
            }
        } catch {
            throw .precondition(error, command: command.type, index: commandIndex)
        }
        return try receiver(of: command)
    }

    /// The invocation that a signal goes to; and that state keys are texts, which is what every other SDK can read.
    private func receiver(of command: JournalCommand) throws(AttemptError) -> CommandReference {
        switch command {
        case .sendSignal(let signal):
            do { return .invocation(try InvocationID(text: signal.targetInvocationID)) } catch {
                throw .undecodable(#"BadFieldError("target_invocation_id", \#(error.caseName))"#)
            }
        case .completeAwakeable(let awakeable):
            do { return .invocation(try AwakeableID(text: awakeable.awakeableID).invocationID) } catch {
                throw .undecodable("InvalidAwakeableId(\(quoted(awakeable.awakeableID)), \(error.caseName))")
            }
        case .setState(let command): try requireText(command.key)
        case .clearState(let command): try requireText(command.key)
        case .getLazyState(let command): try requireText(command.key)
        case .getEagerState(let command): try requireText(command.key)
        default: break
        }
        return .none
    }

    private func requireText(_ key: Bytes) throws(AttemptError) {
        guard key.isUTF8 else { throw .undecodable("the state key \(key.hex) (hexadecimal) is not valid UTF-8") }
    }
}

/// What the SDK sent wrongly is a failed attempt.
private func checked<Value>(_ read: () throws(ProtocolError) -> Value) throws(AttemptError) -> Value {
    do { return try read() } catch { throw AttemptError(error) }
}

extension CalleeResolver.Request {
    init(_ call: CallCommand) {
        self.init(
            service: call.serviceName, handler: call.handlerName, key: call.key, idempotencyKey: call.idempotencyKey,
            scope: call.scope, limitKey: call.limitKey)
    }

    init(_ call: OneWayCallCommand) {
        self.init(
            service: call.serviceName, handler: call.handlerName, key: call.key, idempotencyKey: call.idempotencyKey,
            scope: call.scope, limitKey: call.limitKey)
    }
}

extension Bytes {
    /// Whether the bytes are valid UTF-8. State keys nearly always are ASCII, which is seen at a glance.
    fileprivate var isUTF8: Bool { allSatisfy { $0 < 0x80 } || utf8String != nil }
}

extension IdentifierError {
    /// The kind of fault by the name that tools know.
    fileprivate var caseName: String {
        switch self {
        case .length: "Length"
        case .format: "Format"
        case .otherType: "TypeMismatch"
        case .codecVersion: "Version"
        case .digits: "Codec"
        default: "UnrecognizedType(\(quoted(message)))"
        }
    }
}

private func quoted(_ text: String) -> String { JSON.string(text).text }
