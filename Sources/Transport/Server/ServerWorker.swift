import HoldfastWire

/// A connection of a server, whatever it speaks.
protocol ServerConnection: AnyObject {
    /// Looks for time limits that have passed. About once per second.
    func tick(now: UInt64)
    /// Ends once nothing is in progress.
    func drain()
    /// Ends at once.
    func cut()
}

/// The part of a server that belongs to one loop: its service and its connections.
///
/// `@unchecked Sendable`: `adopt` may be called on any thread and uses only the mailbox; all else happens on the loop.
final class ServerWorker: @unchecked Sendable {
    let loop: EventLoop
    let options: HTTPServerOptions
    private let tls: TLSContext?
    private let load: ServerLoad
    private let makeService: @Sendable (EventLoop) -> any HTTPService
    private(set) lazy var service: any HTTPService = makeService(loop)
    private lazy var arrivals = Mailbox<Int32>(loop: loop) { [unowned self] in
        for descriptor in $0 { begin(descriptor) }
    }
    private var connections: [ObjectIdentifier: any ServerConnection] = [:]
    private var ticker: LoopTimer?
    private var drained: (() -> Void)?
    private(set) var isDraining = false

    private static let tickMilliseconds: UInt64 = 500

    init(
        loop: EventLoop, options: HTTPServerOptions, tls: TLSContext?, load: ServerLoad,
        service: @escaping @Sendable (EventLoop) -> any HTTPService
    ) {
        self.loop = loop
        self.options = options
        self.tls = tls
        self.load = load
        makeService = service
        _ = arrivals  // Made here, since several threads may use it later.
        loop.post { [self] in _ = self.service }
    }

    /// Takes over a connected descriptor. From any thread.
    func adopt(_ descriptor: Int32) { if loop.isCurrent { begin(descriptor) } else { arrivals.send(descriptor) } }

    func add(_ connection: any ServerConnection) {
        connections[ObjectIdentifier(connection)] = connection
        guard ticker == nil else { return }
        ticker = loop.schedule(after: ServerWorker.tickMilliseconds, repeating: ServerWorker.tickMilliseconds) {
            [weak self] in self?.tick()
        }
    }

    /// The connection goes on as another object, which knows the protocol.
    func replace(_ old: any ServerConnection, by new: any ServerConnection) {
        connections[ObjectIdentifier(old)] = nil
        add(new)
    }

    func remove(_ connection: any ServerConnection) {
        guard connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
        load.connectionClosed()
        guard connections.isEmpty else { return }
        ticker?.cancel()
        ticker = nil
        tellIfDrained()
    }

    func drain(within milliseconds: UInt64, then: @escaping () -> Void) {
        isDraining = true
        drained = then
        for connection in Array(connections.values) { connection.drain() }
        loop.schedule(after: milliseconds) { [weak self] in self?.cutAll() }
        tellIfDrained()
    }

    private func begin(_ descriptor: Int32) {
        guard !isDraining else {
            systemClose(descriptor)
            return load.connectionClosed()
        }
        guard let channel = makeChannel(descriptor) else { return load.connectionClosed() }
        let greeting = ServerGreeting(channel, worker: self)
        add(greeting)
        channel.start(greeting)
    }

    private func makeChannel(_ descriptor: Int32) -> Channel? {
        guard let tls else { return try? Channel(loop: loop, descriptor: descriptor) }
        guard let session = try? TLSSession(server: tls) else {
            systemClose(descriptor)
            return nil
        }
        return try? Channel(loop: loop, descriptor: descriptor, tls: session)
    }

    private func tick() { for connection in Array(connections.values) { connection.tick(now: loop.now) } }

    private func cutAll() {
        for connection in Array(connections.values) {
            connection.cut()
            remove(connection)
        }
    }

    private func tellIfDrained() {
        guard isDraining, connections.isEmpty, let drained else { return }
        self.drained = nil
        drained()
    }
}
