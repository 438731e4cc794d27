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

/// A listener in closures that `EventLoop.post` takes.
///
/// `@unchecked Sendable`: `port` never changes; all else is used on the listener's loop.
struct ListenerBox: @unchecked Sendable {
    let value: Listener
    init(_ value: Listener) { self.value = value }
}

/// A number that several threads count.
final class Counter: Sendable {
    private let value: Atomic<Int>
    init(_ value: Int) { self.value = Atomic(value) }
    /// Adds one; the new number.
    func increment() -> Int { value.add(1, ordering: .acquiringAndReleasing).newValue }
    /// Takes one away; the new number.
    func decrement() -> Int { value.subtract(1, ordering: .acquiringAndReleasing).newValue }
}

/// How many connections a server has, and its listeners while they wait for one to end.
final class ServerLoad: Sendable {
    private let limit: Int
    private let open = Counter(0)
    private let waiting = Mutex<[(EventLoop, ListenerBox)]>([])
    private let next = Counter(0)

    init(limit: Int) { self.limit = max(limit, 1) }

    /// Accepts connections and deals them out. On the listener's loop.
    func start(_ listener: ListenerBox, workers: [ServerWorker]) {
        try? listener.value.start { [self] descriptor in
            if open.increment() >= limit {
                waiting.withLock { $0.append((workers[0].loop, listener)) }
                listener.value.pause()
            }
            workers[next.increment() % workers.count].adopt(descriptor)
        }
    }

    func connectionClosed() {
        guard open.decrement() == limit - 1 else { return }
        let listeners = waiting.withLock { exchange(&$0, with: []) }
        for (loop, listener) in listeners { loop.post { listener.value.resume() } }
    }
}
