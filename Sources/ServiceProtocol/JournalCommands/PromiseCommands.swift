import HoldfastWire

/// Waits for a durable promise of the workflow. The engine completes it with the promise's value or failure.
public struct GetPromiseCommand: JournalCommandMessage {
    /// The type by which frames announce it.
    public static let type = MessageType.getPromise

    /// The name of the promise.
    public var key: String
    /// The identifier of the completion.
    public var resultCompletionID: UInt32
    /// The name that the handler gave to it; may be empty.
    public var name: String

    /// A command with these fields.
    public init(key: String, resultCompletionID: UInt32, name: String = "") {
        self.key = key
        self.resultCompletionID = resultCompletionID
        self.name = name
    }

    /// Reads the fields.
    public init(reading payload: Bytes) throws(WireError) {
        (key, resultCompletionID, name) = try promiseFields(of: payload)
    }

    /// Writes the fields.
    public func write(to writer: inout ProtobufWriter) {
        writer.string(1, key)
        writer.number(11, resultCompletionID)
        writer.string(12, name)
    }
}

/// Looks at a durable promise of the workflow. The engine completes it with void while the promise is open.
public struct PeekPromiseCommand: JournalCommandMessage {
    /// The type by which frames announce it.
    public static let type = MessageType.peekPromise

    /// The name of the promise.
    public var key: String
    /// The identifier of the completion.
    public var resultCompletionID: UInt32
    /// The name that the handler gave to it; may be empty.
    public var name: String

    /// A command with these fields.
    public init(key: String, resultCompletionID: UInt32, name: String = "") {
        self.key = key
        self.resultCompletionID = resultCompletionID
        self.name = name
    }

    /// Reads the fields.
    public init(reading payload: Bytes) throws(WireError) {
        (key, resultCompletionID, name) = try promiseFields(of: payload)
    }

    /// Writes the fields.
    public func write(to writer: inout ProtobufWriter) {
        writer.string(1, key)
        writer.number(11, resultCompletionID)
        writer.string(12, name)
    }
}

/// Completes a durable promise of the workflow. The engine completes it with void, or a failure if that came too late.
public struct CompletePromiseCommand: JournalCommandMessage {
    /// The type by which frames announce it.
    public static let type = MessageType.completePromise

    /// The name of the promise.
    public var key: String
    /// What the promise is completed with.
    public var completion: Completion
    /// The identifier of the completion.
    public var resultCompletionID: UInt32
    /// The name that the handler gave to it; may be empty.
    public var name: String

    /// A command with these fields.
    public init(key: String, completion: Completion, resultCompletionID: UInt32, name: String = "") {
        self.key = key
        self.completion = completion
        self.resultCompletionID = resultCompletionID
        self.name = name
    }

    /// Reads the fields.
    public init(reading payload: Bytes) throws(WireError) {
        let (key, resultCompletionID, name) = try promiseFields(of: payload)
        guard let completion = try lastCompletion(of: payload, valueField: 2, failureField: 3) else { throw .noResult }
        self.init(key: key, completion: completion, resultCompletionID: resultCompletionID, name: name)
    }

    /// Writes the fields.
    public func write(to writer: inout ProtobufWriter) {
        writer.string(1, key)
        switch completion {
        case .value(let value): writer.value(2, value)
        case .failure(let failure): writer.failure(3, failure)
        }
        writer.number(11, resultCompletionID)
        writer.string(12, name)
    }
}

/// Completes an awakeable of this or another invocation.
public struct CompleteAwakeableCommand: JournalCommandMessage {
    /// The type by which frames announce it.
    public static let type = MessageType.completeAwakeable

    /// The text form of the awakeable's identifier. Whether it is one is not checked here (`AwakeableID`).
    public var awakeableID: String
    /// What the awakeable is completed with.
    public var completion: Completion
    /// The name that the handler gave to it; may be empty.
    public var name: String

    /// A command with these fields.
    public init(awakeableID: String, completion: Completion, name: String = "") {
        self.awakeableID = awakeableID
        self.completion = completion
        self.name = name
    }

    /// Reads the fields.
    public init(reading payload: Bytes) throws(WireError) {
        let (awakeableID, _, name) = try promiseFields(of: payload)
        guard let completion = try lastCompletion(of: payload, valueField: 2, failureField: 3) else { throw .noResult }
        self.init(awakeableID: awakeableID, completion: completion, name: name)
    }

    /// Writes the fields.
    public func write(to writer: inout ProtobufWriter) {
        writer.string(1, awakeableID)
        switch completion {
        case .value(let value): writer.value(2, value)
        case .failure(let failure): writer.failure(3, failure)
        }
        writer.string(12, name)
    }
}

/// What the commands of this file have in common: a text, a completion identifier, a name.
private func promiseFields(of payload: Bytes) throws(WireError) -> (key: String, completionID: UInt32, name: String) {
    var (key, completionID, name) = ("", 0 as UInt32, "")
    var reader = ProtobufReader(payload)
    while let field = try reader.next() {
        switch field.number {
        case 1: key = try field.string
        case 11: completionID = try field.u32
        case 12: name = try field.string
        default: break
        }
    }
    return (key, completionID, name)
}

/// The value or failure of a message, of which the last one counts.
private func lastCompletion(
    of payload: Bytes, valueField: UInt32, failureField: UInt32
) throws(WireError) -> Completion? {
    var completion: Completion?
    var reader = ProtobufReader(payload)
    while let field = try reader.next() {
        switch field.number {
        case valueField: completion = .value(try field.content)
        case failureField: completion = .failure(try field.failure)
        default: break
        }
    }
    return completion
}
