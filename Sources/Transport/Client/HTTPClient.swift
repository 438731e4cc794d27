/// Sends requests over connections that it keeps and shares. One per loop, used and released on that loop only.
public final class HTTPClient {
    private let loop: EventLoop
    private let options: HTTPClientOptions
    private var pools: [ConnectionPool.Key: ConnectionPool] = [:]
    private var ticker: LoopTimer?
    private var isClosed = false

    /// A client without connections.
    public init(loop: EventLoop, options: HTTPClientOptions = HTTPClientOptions()) {
        self.loop = loop
        self.options = options
    }

    deinit { close() }

    /// Sends a request. Failures, too, come through the delegate.
    ///
    /// - Parameter hasBody: Whether `ClientExchange.write` and `end` follow. Without a body the request is complete.
    /// - Returns: The exchange, to which the body may be written at once.
    public func open(
        _ head: HTTPRequestHead, to origin: HTTPOrigin, version: HTTPVersionPolicy, hasBody: Bool,
        delegate: any ClientExchangeDelegate
    ) -> ClientExchange {
        let exchange = ClientExchange(head, to: origin, policy: version, hasBody: hasBody, delegate: delegate)
        if isClosed {
            let late = LoopBound(exchange)
            loop.post { late.value.failed(.closed) }
        } else {
            pool(for: ConnectionPool.Key(origin: origin, policy: version)).add(exchange)
        }
        return exchange
    }

    /// Closes all connections. Exchanges in progress fail with `TransportError.Code.closed`.
    public func close() {
        isClosed = true
        ticker?.cancel()
        ticker = nil
        for pool in pools.values { pool.close() }
        pools = [:]
    }

    private func pool(for key: ConnectionPool.Key) -> ConnectionPool {
        if let pool = pools[key] { return pool }
        let pool = ConnectionPool(key, loop: loop, options: options)
        pools[key] = pool
        if ticker == nil {
            let interval = tickMilliseconds
            ticker = loop.schedule(after: interval, repeating: interval) { [weak self] in self?.tick() }
        }
        return pool
    }

    /// How often time limits are looked at: often enough for the shortest of them.
    private var tickMilliseconds: UInt64 {
        let times = [options.http2IdleTimeout, options.http1IdleTimeout, options.pingInterval, options.pingTimeout]
        return max(10, min(1000, (times.filter { $0 > 0 }.min() ?? 1000) / 4))
    }

    private func tick() {
        for (key, pool) in pools {
            pool.tick(now: loop.now)
            if pool.isUnused { pools[key] = nil }
        }
        guard pools.isEmpty else { return }
        ticker?.cancel()
        ticker = nil
    }
}
