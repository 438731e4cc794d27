import Synchronization

/// What a server does with requests. One instance per loop, used on that loop only.
public protocol HTTPService: AnyObject {
    /// A request's head has arrived. The service answers now or later; it keeps the exchange until then.
    func received(_ exchange: ServerExchange)
}

/// An HTTP server: HTTP/1.1 and HTTP/2, with or without TLS, on the same port.
///
/// Connections are handed to the loops of the group in turn, and stay there.
public final class HTTPServer: Sendable {
    private let group: LoopGroup
    private let workers: [ServerWorker]
    private let listeners = Mutex<[ListenerBox]>([])
    private let load: ServerLoad

    /// - Parameter service: Called once per loop, on that loop.
    /// - Throws: `TransportError` when certificate or key cannot be used.
    public init(
        group: LoopGroup, options: HTTPServerOptions = HTTPServerOptions(),
        service: @escaping @Sendable (EventLoop) -> any HTTPService
    ) throws(TransportError) {
        self.group = group
        let load = ServerLoad(limit: options.maxConnections)
        self.load = load
        let tls = try options.tls.map { (options) throws(TransportError) in try TLSContext(server: options) }
        workers = group.loops.map {
            ServerWorker(loop: $0, options: options, tls: tls, load: load, service: service)
        }
    }

    /// Listens on an address: a number, a name, or `::` for IPv4 and IPv6. From any thread, several times if wanted.
    ///
    /// - Parameter port: 0 = any free one.
    /// - Returns: The port.
    /// - Throws: `TransportError`: `addressInUse`, `addressNotAvailable`, `nameNotFound`. Its message names the address.
    @discardableResult
    public func listen(host: String, port: Int) throws(TransportError) -> Int {
        let listener = ListenerBox(try Listener(loop: group.loops[0], host: host, port: port))
        listeners.withLock { $0.append(listener) }
        group.loops[0].post { [workers, load] in load.start(listener, workers: workers) }
        return listener.value.port
    }

    /// Stops accepting, answers what has been asked with `connection: close` or GOAWAY, and closes connections as they
    /// become idle; cuts those that are left after a time. From any thread.
    ///
    /// - Parameter then: Called once, on some loop, when the last connection is closed.
    public func drain(within milliseconds: UInt64, then: @escaping @Sendable () -> Void) {
        let listeners = listeners.withLock { $0 }
        group.loops[0].post { for listener in listeners { listener.value.close() } }
        let waiting = Counter(workers.count)
        for worker in workers {
            worker.loop.post { worker.drain(within: milliseconds) { if waiting.decrement() == 0 { then() } } }
        }
    }
}
