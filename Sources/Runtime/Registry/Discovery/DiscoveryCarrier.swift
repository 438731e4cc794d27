import HoldfastWire

/// Who carries requests to endpoints, and knows the time: HTTP in a server, scripts in tests.
protocol DiscoveryCarrier: AnyObject {
    /// Sends a request and gathers the whole response. `done` is called once, unless the exchange is cancelled.
    func exchange(
        _ request: EndpointRequest, done: @escaping (Result<DiscoveryResponse, DiscoveryFault>) -> Void
    ) -> any DiscoveryExchange

    /// Calls `body` after so many milliseconds; the result prevents that.
    func schedule(after milliseconds: UInt64, _ body: @escaping () -> Void) -> () -> Void
}

/// An exchange that is under way.
protocol DiscoveryExchange: AnyObject {
    /// Nobody wants the response any more.
    func cancel()
}

/// A complete response.
struct DiscoveryResponse: Sendable {
    var status: Int
    /// Names in lower case.
    var headers: [(name: String, value: String)]
    var body: Bytes
    var httpVersion: DeploymentHTTPVersion

    func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
}

/// Why there is no complete response.
struct DiscoveryFault: Error, Sendable {
    enum Kind: Sendable {
        /// There was no connection, or it was lost before the request was worked on: another try may help.
        case unreachable
        /// The exchange broke in a way that repeats itself.
        case broken
        /// HTTP/2 was spoken to a server that knows HTTP/1.1 only.
        case http1OnlyPeer
        /// The response began, and its body did not come to its end.
        case body
    }

    var kind: Kind
    var reason: String
}
