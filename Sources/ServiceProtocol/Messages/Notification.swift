import HoldfastWire

/// What an invocation learns from outside its code: the completion of a command, or a signal.
///
/// All notifications have one layout, so that those of a newer version can be stored and forwarded too.
public struct Notification: Sendable, Hashable {
    /// What a notification answers.
    public enum ID: Sendable, Hashable {
        /// A completion identifier, which the SDK chose for a command.
        case completion(UInt32)
        /// A signal with a number: 1 cancels, awakeables count from 17.
        case signal(UInt32)
        /// A signal with a name.
        case namedSignal(String)
    }

    /// What it says.
    public enum Result: Sendable, Hashable {
        /// It happened, or there is nothing.
        case void
        /// A value.
        case value(Bytes)
        /// A failure.
        case failure(Failure)
        /// The identifier of an invocation that was started, in its text form.
        case invocationID(String)
        /// The keys of a state.
        case stateKeys([Bytes])
    }

    /// The message's type.
    public var type: MessageType
    /// What it answers.
    public var id: ID
    /// What it says.
    public var result: Result

    /// A notification with these parts.
    public init(type: MessageType, id: ID, result: Result) {
        self.type = type
        self.id = id
        self.result = result
    }

    /// A signal with a number or a name.
    public static func signal(_ id: ID, _ result: Result) -> Notification {
        Notification(type: .signal, id: id, result: result)
    }

    /// The completion of a command.
    public static func completion(_ type: MessageType, _ id: UInt32, _ result: Result) -> Notification {
        Notification(type: type, id: .completion(id), result: result)
    }

    /// Decodes a payload.
    ///
    /// - Throws: RT0012 for a type that is no notification, for what cannot be decoded, and for a missing identifier or
    ///   result. Which results a type allows is not checked: only the engine writes notifications.
    public init(type: MessageType, payload: Bytes) throws(ProtocolError) {
        guard type.isNotification else { throw .unexpectedMessage(type) }
        do { try self.init(type, reading: payload) } catch { throw .undecodable(type, error) }
    }

    private init(_ type: MessageType, reading payload: Bytes) throws(WireError) {
        var id: ID?
        var result: Result?
        var reader = ProtobufReader(payload)
        while let field = try reader.next() {
            switch field.number {
            case 1: id = .completion(try field.u32)
            case 2: id = .signal(try field.u32)
            case 3: id = .namedSignal(try field.string)
            case 4: result = .void
            case 5: result = .value(try field.content)
            case 6: result = .failure(try field.failure)
            case 16: result = .invocationID(try field.string)
            case 17: result = .stateKeys(try field.stateKeys)
            default: break
            }
        }
        guard let id else { throw .missing("completion id, signal index or signal name") }
        guard let result else { throw .missing("result") }
        self.init(type: type, id: id, result: result)
    }

    /// Appends the payload to a buffer. Results are written explicitly, empty ones too: SDKs insist on one.
    public func encode(into buffer: inout [UInt8]) { ProtobufWriter.append(to: &buffer) { write(to: &$0) } }

    /// The payload, without a frame.
    public var payload: Bytes {
        var buffer: [UInt8] = []
        encode(into: &buffer)
        return buffer[...]
    }

    /// Writes the fields.
    public func write(to writer: inout ProtobufWriter) {
        switch id {
        case .completion(let id): writer.number(1, optional: id)
        case .signal(let index): writer.number(2, optional: index)
        case .namedSignal(let name): writer.string(3, optional: name)
        }
        result.write(to: &writer)
    }
}

extension Notification.Result {
    /// What a completion says.
    public init(_ completion: Completion) {
        switch completion {
        case .value(let value): self = .value(value)
        case .failure(let failure): self = .failure(failure)
        }
    }

    /// What it means to a future: everything but a failure is a success.
    public var outcome: Future.Outcome {
        if case .failure = self { .failure } else { .success }
    }

    /// Writes the result under the field numbers of notifications, which `SendSignal` shares.
    func write(to writer: inout ProtobufWriter) {
        switch self {
        case .void: writer.empty(4)
        case .value(let value): writer.value(5, value)
        case .failure(let failure): writer.failure(6, failure)
        case .invocationID(let id): writer.string(16, optional: id)
        case .stateKeys(let keys): writer.stateKeys(17, keys)
        }
    }
}

extension Notification.ID: CustomStringConvertible {
    /// `completion 4`, `signal 17`, or `signal "name"`.
    public var description: String {
        switch self {
        case .completion(let id): "completion \(id)"
        case .signal(let index): "signal \(index)"
        case .namedSignal(let name): "signal \"\(name)\""
        }
    }
}
