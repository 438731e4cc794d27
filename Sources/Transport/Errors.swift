/// What went wrong between this process and a peer. Every message of this layer can be read in this file.
public struct TransportError: Error, Sendable, Equatable {
    /// What kind of failure it is, for code that decides what to do next.
    public enum Code: String, Sendable {
        /// Nobody listens at the address.
        case connectionRefused
        /// The host's name has no address.
        case nameNotFound
        /// The address cannot be reached from here.
        case unreachable
        /// The connection, or its TLS handshake, was not there in time.
        case connectTimeout
        /// The connection ended before the exchange did.
        case connectionClosed
        /// A connection that was used before ended as the request went out: most likely the peer had closed it already.
        case stale
        /// The peer ended this exchange, and no other.
        case streamReset
        /// The request was not worked on, so it can be repeated elsewhere without harm.
        case refused
        /// The peer broke the rules of HTTP.
        case protocolError
        /// The TLS handshake failed, or a certificate was not accepted.
        case tls
        /// HTTP/2 was spoken to a server that only knows HTTP/1.1.
        case http1OnlyPeer
        /// Another program listens at the address.
        case addressInUse
        /// The address cannot be listened at.
        case addressNotAvailable
        /// Something is larger than a limit allows.
        case tooLarge
        /// The peer was silent for too long.
        case timeout
        /// This side has been closed.
        case closed
        /// The operating system refused something that this layer needs.
        case system
    }

    /// The kind of failure.
    public let code: Code
    /// What happened, why, and what to do.
    public let message: String

    /// An error with a text of the caller's.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}

extension TransportError: CustomStringConvertible {
    /// The message.
    public var description: String { message }
}

extension TransportError {
    static func eventLoop(reason: String) -> Self {
        Self(
            .system,
            "Cannot set up an event loop or a socket in it: \(reason). Raise the limit of open files (ulimit -n).")
    }

    static func addressInUse(_ address: String) -> Self {
        Self(
            .addressInUse,
            "Cannot listen on \(address): another program uses the port. Stop it, or choose another port.")
    }

    static func cannotListen(_ address: String, reason: String) -> Self {
        Self(.addressNotAvailable, "Cannot listen on \(address): \(reason). Choose an address of this machine.")
    }

    static func nameNotFound(_ host: String, reason: String) -> Self {
        Self(.nameNotFound, "The name '\(host)' has no address: \(reason). Check its spelling and the name server.")
    }

    static func connectionRefused(_ address: String) -> Self {
        Self(.connectionRefused, "Nobody listens on \(address). Start the server there, or correct the address.")
    }

    static func unreachable(_ address: String, reason: String) -> Self {
        Self(.unreachable, "Cannot connect to \(address): \(reason). Check the network and the address.")
    }

    static func connectTimeout(_ address: String, milliseconds: UInt64) -> Self {
        Self(
            .connectTimeout,
            "\(address) did not accept the connection in \(milliseconds) ms. Check the network, or whether the server hangs."
        )
    }

    static func handshakeTimeout(_ address: String, milliseconds: UInt64) -> Self {
        Self(
            .connectTimeout,
            "\(address) did not finish the TLS handshake in \(milliseconds) ms. Check whether it speaks TLS.")
    }

    static func connectionLost(reason: String) -> Self {
        Self(.connectionClosed, "The connection was lost: \(reason).")
    }

    static let connectionClosed = Self(
        .connectionClosed, "The peer closed the connection before the exchange was complete.")

    /// What the end of a connection is to an exchange that has just begun, and has heard nothing.
    static func stale(_ end: Self) -> Self {
        Self(.stale, end.message + " It had been used before, and brought nothing since the request.")
    }

    static let truncated = Self(
        .connectionClosed,
        "The peer closed the connection without ending TLS, so that what was received may be cut off.")

    static let closed = Self(.closed, "The connection was closed by this side.")

    static let inputWhileClosing = Self(
        .closed, "The connection was closed: the peer went on sending after it had been given its last answer.")

    static func streamReset(code: UInt32) -> Self {
        Self(.streamReset, "The peer ended the exchange: HTTP/2 error \(HTTP2ErrorCode.name(code)).")
    }

    static let refusedStream = Self(
        .refused, "The peer did not work on the request (HTTP/2 REFUSED_STREAM, or GOAWAY). It can be repeated.")

    static func http1(reason: String) -> Self {
        Self(.protocolError, "The peer's message is not HTTP/1.1: \(reason).")
    }

    static func http2(reason: String) -> Self {
        Self(.protocolError, "The peer broke the rules of HTTP/2: \(reason).")
    }

    static let http1OnlyPeer = Self(
        .http1OnlyPeer,
        "The server speaks HTTP/1.1 only, and HTTP/2 was spoken to it. Register it as an HTTP/1.1 server.")

    static func headTooLarge(limit: Int) -> Self {
        Self(.tooLarge, "The head of the peer's message is larger than \(limit) bytes, or has too many lines.")
    }

    static func silent(milliseconds: UInt64) -> Self {
        Self(.timeout, "The peer did not answer a ping in \(milliseconds) ms. The connection was closed.")
    }

    static func idle(milliseconds: UInt64) -> Self {
        Self(.timeout, "The connection was not used for \(milliseconds) ms and was closed.")
    }

    static func tls(_ reason: String) -> Self {
        Self(.tls, "TLS failed: \(reason).")
    }

    static func tlsFile(_ path: String, role: String, reason: String) -> Self {
        Self(.tls, "Cannot use '\(path)' as \(role): \(reason). It must be a readable PEM file.")
    }

    static func noHTTP2(_ address: String) -> Self {
        Self(.tls, "\(address) did not agree on HTTP/2 in the TLS handshake (ALPN). Register it as an HTTP/1.1 server.")
    }
}

/// Why a request's body did not come to its end.
public enum BodyError: Error, Sendable, Equatable {
    /// It is longer than the limit.
    case tooLarge
    /// The peer left, or sent what is no body.
    case aborted
}
