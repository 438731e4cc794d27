/// Sends requests over connections that it keeps and shares. One per loop, used on that loop only.
public final class HTTPClient {
    let loop: EventLoop
    let options: HTTPClientOptions

    /// A client without connections.
    public init(loop: EventLoop, options: HTTPClientOptions = HTTPClientOptions()) {
        self.loop = loop
        self.options = options
    }

    /// Sends a request. Failures, too, come through the delegate.
    ///
    /// - Parameter hasBody: Whether `ClientExchange.write` and `end` follow. Without a body the request is complete.
    /// - Returns: The exchange, to which the body may be written at once.
    public func open(
        _ head: HTTPRequestHead, to origin: HTTPOrigin, version: HTTPVersionPolicy, hasBody: Bool,
        delegate: any ClientExchangeDelegate
    ) -> ClientExchange {
        ClientExchange(head, to: origin, policy: version, hasBody: hasBody, delegate: delegate)
    }

    /// Closes all connections. Exchanges in progress fail with `TransportError.Code.closed`.
    public func close() {}
}
