/// The version of HTTP that a message came in, or is to be sent in.
public enum HTTPVersion: Sendable, Hashable {
    case http1_0
    case http1_1
    case http2
}

/// A request without its body.
public struct HTTPRequestHead: Sendable, Equatable {
    /// The method as received: `GET`, `POST` and so on.
    public var method: String
    /// Path and query as received, percent-encoding included. Never an absolute target: its scheme and host are cut off.
    public var path: String
    /// The header lines, without pseudo headers.
    public var headers: HTTPHeaders
    /// The version that the request was received in. Of no meaning for requests that are sent.
    public var version: HTTPVersion
    /// The host that the client asked for: `host` of HTTP/1.1, `:authority` of HTTP/2, or that of an absolute target.
    /// For requests that are sent: nil = host and port of the origin.
    public var authority: String?

    /// A request's head.
    public init(
        method: String, path: String, headers: HTTPHeaders = [:], version: HTTPVersion = .http1_1,
        authority: String? = nil
    ) {
        self.method = method
        self.path = path
        self.headers = headers
        self.version = version
        self.authority = authority
    }
}

/// A response without its body.
public struct HTTPResponseHead: Sendable, Equatable {
    /// The status code, 200 to 999.
    public var status: Int
    /// The header lines, without pseudo headers.
    public var headers: HTTPHeaders

    /// A response's head.
    public init(status: Int, headers: HTTPHeaders = [:]) {
        self.status = status
        self.headers = headers
    }
}

extension HTTPResponseHead {
    /// Whether a response with this status has a body; 1xx, 204 and 304 have none.
    var mayHaveBody: Bool { status >= 200 && status != 204 && status != 304 }
}
