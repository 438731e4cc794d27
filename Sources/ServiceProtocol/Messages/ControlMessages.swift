import HoldfastWire

/// Ends the invocation; the last output command is its result.
public struct EndMessage: Message {
    /// The type by which frames announce it.
    public static let type = MessageType.end

    /// The message, which has no fields.
    public init() {}

    /// Checks that the payload is a message.
    public init(reading payload: Bytes) throws(WireError) { try skipFields(of: payload) }

    /// Writes nothing.
    public func write(to writer: inout ProtobufWriter) {}
}

/// Tells an SDK that asked for it that a command is durable.
public struct CommandAckMessage: Message {
    /// The type by which frames announce it.
    public static let type = MessageType.commandAck

    /// The index of the command, counted over commands only.
    public var commandIndex: UInt32

    /// An acknowledgement of the command with this index.
    public init(commandIndex: UInt32) { self.commandIndex = commandIndex }

    /// Reads the fields.
    public init(reading payload: Bytes) throws(WireError) { commandIndex = try onlyNumber(of: payload) }

    /// Writes the fields.
    public func write(to writer: inout ProtobufWriter) { writer.number(1, commandIndex) }
}

/// Offers the result of a step, which becomes the step's completion once it is durable.
public struct ProposeRunCompletionMessage: Message {
    /// The type by which frames announce it.
    public static let type = MessageType.proposeRunCompletion

    /// The completion identifier of the run command.
    public var resultCompletionID: UInt32
    /// The result; nil when the message has none, which is a protocol violation that the engine refuses.
    public var result: Completion?

    /// An offer of a result.
    public init(resultCompletionID: UInt32, result: Completion?) {
        self.resultCompletionID = resultCompletionID
        self.result = result
    }

    /// Reads the fields.
    public init(reading payload: Bytes) throws(WireError) {
        self.init(resultCompletionID: 0, result: nil)
        var reader = ProtobufReader(payload)
        while let field = try reader.next() {
            switch field.number {
            case 1: resultCompletionID = try field.u32
            case 14: result = .value(try field.bytes)
            case 15: result = .failure(try field.failure)
            default: break
            }
        }
    }

    /// Writes the fields. The value is plain bytes here, not a nested message.
    public func write(to writer: inout ProtobufWriter) {
        writer.number(1, resultCompletionID)
        switch result {
        case .value(let value): writer.bytes(14, optional: value)
        case .failure(let failure): writer.failure(15, failure)
        case nil: break
        }
    }
}

/// Tells an SDK that asked for it that the result of a step is durable. Since version 7.
public struct ProposeRunCompletionAckMessage: Message {
    /// The type by which frames announce it.
    public static let type = MessageType.proposeRunCompletionAck

    /// The completion identifier of the run command.
    public var completionID: UInt32

    /// An acknowledgement of the result for this identifier.
    public init(completionID: UInt32) { self.completionID = completionID }

    /// Reads the fields.
    public init(reading payload: Bytes) throws(WireError) { completionID = try onlyNumber(of: payload) }

    /// Writes the fields.
    public func write(to writer: inout ProtobufWriter) { writer.number(1, completionID) }
}

private func skipFields(of payload: Bytes) throws(WireError) {
    var reader = ProtobufReader(payload)
    while try reader.next() != nil {}
}

private func onlyNumber(of payload: Bytes) throws(WireError) -> UInt32 {
    var number: UInt32 = 0
    var reader = ProtobufReader(payload)
    while let field = try reader.next() {
        if field.number == 1 { number = try field.u32 }
    }
    return number
}
