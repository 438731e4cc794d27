import HoldfastWire

/// Ends an attempt that failed, which another attempt may repeat.
public struct ErrorMessage: Message {
    /// The type by which frames announce it.
    public static let type = MessageType.error

    /// What the SDK asks the engine to do about the failure (since version 7).
    public enum Behavior: UInt32, Sendable, Hashable {
        /// Try again, as the retry policy says.
        case retry
        /// Pause the invocation.
        case pause
        /// End the invocation with this error.
        case fail
    }

    /// The code: 500 for most errors of a handler, above 569 for errors of the protocol.
    public var code: UInt32
    /// What happened, for people.
    public var message: String
    /// Where it happened, as the SDK's language tells it.
    public var stackTrace: String
    /// The index of the command that it belongs to, counted over commands only.
    public var relatedCommandIndex: UInt32?
    /// The name of that command.
    public var relatedCommandName: String?
    /// The type of that command.
    public var relatedCommandType: MessageType?
    /// Milliseconds until the next attempt, in place of what the retry policy says.
    public var nextRetryDelayMillis: UInt64?
    /// What to do.
    public var behavior: Behavior

    /// A message with these fields.
    public init(
        code: UInt32, message: String, stackTrace: String = "", relatedCommandIndex: UInt32? = nil,
        relatedCommandName: String? = nil, relatedCommandType: MessageType? = nil,
        nextRetryDelayMillis: UInt64? = nil, behavior: Behavior = .retry
    ) {
        self.code = code
        self.message = message
        self.stackTrace = stackTrace
        self.relatedCommandIndex = relatedCommandIndex
        self.relatedCommandName = relatedCommandName
        self.relatedCommandType = relatedCommandType
        self.nextRetryDelayMillis = nextRetryDelayMillis
        self.behavior = behavior
    }

    /// Reads the fields. A behaviour of a newer version is read as `retry`.
    public init(reading payload: Bytes) throws(WireError) {
        self.init(code: 0, message: "")
        var reader = ProtobufReader(payload)
        while let field = try reader.next() {
            switch field.number {
            case 1: code = try field.u32
            case 2: message = try field.string
            case 3: stackTrace = try field.string
            case 4: relatedCommandIndex = try field.u32
            case 5: relatedCommandName = try field.string
            case 6: relatedCommandType = UInt16(exactly: try field.u32).map(MessageType.init(rawValue:))
            case 8: nextRetryDelayMillis = try field.u64
            case 9: behavior = Behavior(rawValue: try field.u32) ?? .retry
            default: break
            }
        }
    }

    /// Writes the fields.
    public func write(to writer: inout ProtobufWriter) {
        writer.number(1, code)
        writer.string(2, message)
        writer.string(3, stackTrace)
        writer.number(4, optional: relatedCommandIndex)
        writer.string(5, optional: relatedCommandName)
        writer.number(6, optional: relatedCommandType.map { UInt32($0.rawValue) })
        writer.number(8, optional: nextRetryDelayMillis)
        writer.number(9, behavior.rawValue)
    }
}
