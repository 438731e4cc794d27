import HoldfastWire

/// Announces a step, whose result the SDK will propose (`ProposeRunCompletionMessage`).
public struct RunCommand: JournalCommandMessage {
    /// The type by which frames announce it.
    public static let type = MessageType.run

    /// The identifier of the completion.
    public var resultCompletionID: UInt32
    /// The name that the handler gave to it; may be empty.
    public var name: String

    /// A command with these fields.
    public init(resultCompletionID: UInt32, name: String = "") {
        self.resultCompletionID = resultCompletionID
        self.name = name
    }

    /// Reads the fields.
    public init(reading payload: Bytes) throws(WireError) {
        (resultCompletionID, name) = try completionIDAndName(of: payload)
    }

    /// Writes the fields.
    public func write(to writer: inout ProtobufWriter) {
        writer.number(11, resultCompletionID)
        writer.string(12, name)
    }
}

/// Sets a timer. The engine completes it with void.
public struct SleepCommand: JournalCommandMessage {
    /// The type by which frames announce it.
    public static let type = MessageType.sleep

    /// When the timer fires, by the SDK's clock.
    public var wakeUpTime: Timestamp
    /// The identifier of the completion.
    public var resultCompletionID: UInt32
    /// The name that the handler gave to it; may be empty.
    public var name: String

    /// A command with these fields.
    public init(wakeUpTime: Timestamp, resultCompletionID: UInt32, name: String = "") {
        self.wakeUpTime = wakeUpTime
        self.resultCompletionID = resultCompletionID
        self.name = name
    }

    /// Reads the fields.
    public init(reading payload: Bytes) throws(WireError) {
        self.init(wakeUpTime: Timestamp(millis: 0), resultCompletionID: 0)
        var reader = ProtobufReader(payload)
        while let field = try reader.next() {
            switch field.number {
            case 1: wakeUpTime.millis = try field.u64
            case 11: resultCompletionID = try field.u32
            case 12: name = try field.string
            default: break
            }
        }
    }

    /// Writes the fields.
    public func write(to writer: inout ProtobufWriter) {
        writer.number(1, wakeUpTime.millis)
        writer.number(11, resultCompletionID)
        writer.string(12, name)
    }
}
