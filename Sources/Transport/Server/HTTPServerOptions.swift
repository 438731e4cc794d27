/// The limits of a server. Sizes are bytes, times milliseconds.
public struct HTTPServerOptions: Sendable {
    /// Names and values of a head's lines in HTTP/1.1; above it 431.
    public var maxHeaderBytes = 1 << 20
    /// Lines of a head in HTTP/1.1; above it 431.
    public var maxHeaderCount = 100
    /// The same in HTTP/2, as RFC 9113 counts (MAX_HEADER_LIST_SIZE: each line 32 bytes more); above it 431.
    public var maxHeaderListBytes = 16_384
    /// The request target; above it 414. HTTP/1.1.
    public var maxTargetBytes = 65_534
    /// What a declared `content-length` may be, if `rejectDeclaredLength` is set.
    public var maxBodyBytes = 32 << 20
    /// Answers 413 `length limit exceeded` (text/plain) without asking the service when the declared length is above
    /// `maxBodyBytes`. Bodies without a declared length are bounded by `ServerExchange.collectBody`.
    public var rejectDeclaredLength = false
    /// Requests that one HTTP/2 connection may have in progress (MAX_CONCURRENT_STREAMS).
    public var maxConcurrentStreams = 200
    /// HTTP/2 receive window of a stream: what the process buffers for a body that its reader does not take.
    public var streamWindowBytes = 262_144
    /// HTTP/2 receive window of a connection.
    public var connectionWindowBytes = 1 << 20
    /// How long a connection may be idle between requests, a body that is being collected may stall, and a peer may
    /// read nothing of what is written to it.
    public var idleTimeout: UInt64 = 120_000
    /// How long the head of a request may take from its first byte, and the first bytes of a connection.
    public var headerTimeout: UInt64 = 30_000
    /// Open connections, over all loops. Further ones wait in the system's queue.
    public var maxConnections = 65_536
    /// How many streams the peer may reset, and how many SETTINGS and PING frames it may send, within ten seconds
    /// before the connection is cut (ENHANCE_YOUR_CALM).
    public var maxControlFrames = 2000
    /// With it, the server speaks TLS only.
    public var tls: TLSServerOptions?

    /// The defaults.
    public init() {}
}
