import HoldfastWire

/// A peer broke the rules of the service protocol. To the engine this is a failed attempt.
public struct ProtocolError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kind of violation; the raw value is the code in documents and in introspection.
    public enum Code: String, Sendable, Hashable {
        /// A message, or a frame of one, is larger than the configured limit.
        case messageTooLarge = "RT0003"
        /// A message that cannot be decoded, or that must not be sent.
        case protocolViolation = "RT0012"
        /// An awaited future is nested too deeply. The invocation is paused, since another attempt would not help.
        case futureTooDeep = "RT0025"
    }

    /// The kind of violation.
    public let code: Code
    /// What happened.
    public let message: String

    /// An error with a code and a message.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The code and the message.
    public var description: String { "[\(code.rawValue)] \(message)" }
}

extension ProtocolError {
    /// A message that is not allowed here, or that this program does not know.
    public static func unexpectedMessage(_ type: MessageType) -> ProtocolError {
        ProtocolError(.protocolViolation, "received unexpected message: \(type)")
    }

    static func undecodable(_ type: MessageType, _ error: WireError) -> ProtocolError {
        ProtocolError(.protocolViolation, "cannot decode message \(type): \(error.what)")
    }

    static func frameTooLarge(_ header: FrameHeader, limit: Int) -> ProtocolError {
        ProtocolError(
            .messageTooLarge,
            "message \(header.type) has \(header.length) bytes; the limit is \(limit) bytes (message-size-limit)")
    }

    static func futureTooDeep(limit: Int) -> ProtocolError {
        ProtocolError(.futureTooDeep, "the awaited future is nested more than \(limit) levels deep")
    }

    static func futureTooLarge(limit: Int) -> ProtocolError {
        ProtocolError(.protocolViolation, "the awaited future has more than \(limit) nodes")
    }

    static func emptyFuture(_ type: MessageType) -> ProtocolError {
        ProtocolError(.protocolViolation, "message \(type) names nothing to wait for")
    }
}

extension WireError {
    static let noResult = WireError(what: "it carries neither a value nor a failure")

    static func missing(_ field: String) -> WireError { WireError(what: "it has no \(field)") }
}
