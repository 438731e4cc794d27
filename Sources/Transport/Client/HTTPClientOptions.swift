/// The limits of a client. Sizes are bytes, times milliseconds; 0 switches a time off.
public struct HTTPClientOptions: Sendable {
    /// For name look-up and TCP connect; the TLS handshake gets the same again.
    public var connectTimeout: UInt64 = 10_000
    /// How long an HTTP/2 connection without streams is kept.
    public var http2IdleTimeout: UInt64 = 300_000
    /// How long an HTTP/1.1 connection without a request is kept.
    public var http1IdleTimeout: UInt64 = 90_000
    /// A PING is sent when nothing has been received for this long.
    public var pingInterval: UInt64 = 40_000
    /// Up to this fraction of the interval is added at random, so that connections don't ping at the same time.
    public var pingJitter = 0.2
    /// The connection is closed when a PING is not answered within this time.
    public var pingTimeout: UInt64 = 20_000
    /// Streams per HTTP/2 connection; more connections are opened instead, also when the peer allows fewer.
    public var maxStreamsPerConnection = 128
    /// Streams that are assumed to be allowed before the peer's SETTINGS have arrived.
    public var assumedMaxStreams = 50
    /// Requests after which an HTTP/2 connection takes no more, and another one is opened: many servers end a connection
    /// after a thousand, and hypercorn forgets those that it is at. Not held to when there are many connections.
    public var maxRequestsPerHTTP2Connection = 1000
    /// HTTP/2 connections per origin, those included that only finish what they have begun; further requests wait.
    public var maxHTTP2Connections = 1024
    /// HTTP/1.1 connections per origin; further requests wait for one.
    public var maxHTTP1Connections = 1024
    /// HTTP/2 receive window of a stream: what is buffered for an exchange that does not read.
    public var streamWindowBytes = 2 << 20
    /// HTTP/2 receive window of a connection.
    public var connectionWindowBytes = 5 << 20
    /// The largest frame that the peer may send (MAX_FRAME_SIZE).
    public var maxFrameBytes = 16_384
    /// Names and values of a response's head.
    public var maxResponseHeaderBytes = 1 << 20
    /// Whose certificates are accepted from `https` origins.
    public var trust = TLSTrust.system

    /// The defaults.
    public init() {}
}

/// Whom a client connects to.
public struct HTTPOrigin: Sendable, Hashable {
    /// With TLS (`https`).
    public var secure: Bool
    /// A name, or an address in numbers without brackets.
    public var host: String
    /// The TCP port.
    public var port: Int

    /// An origin.
    public init(secure: Bool, host: String, port: Int) {
        self.secure = secure
        self.host = host
        self.port = port
    }

    /// Host and port as the `host` header writes them: without the scheme's own port, IPv6 in brackets.
    public var authority: String {
        let host = host.contains(":") ? "[\(host)]" : host
        return port == (secure ? 443 : 80) ? host : "\(host):\(port)"
    }
}

/// Which version of HTTP to speak.
public enum HTTPVersionPolicy: Sendable, Hashable {
    /// HTTP/1.1.
    case http1
    /// HTTP/2 without asking; over TLS the server must agree to it.
    case http2PriorKnowledge
    /// What TLS negotiates, HTTP/2 preferred. HTTP/1.1 on cleartext origins.
    case alpn
}
