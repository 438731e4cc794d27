/// The connections of a client to one origin, and the exchanges that wait for one.
///
/// An exchange goes to an HTTP/2 connection that has a free stream, or to an idle HTTP/1.1 connection; else it waits,
/// in order, and as many connections are opened as the waiting ones need.
final class ConnectionPool {
    /// What connections can be shared by.
    struct Key: Hashable {
        let origin: HTTPOrigin
        let policy: HTTPVersionPolicy
    }

    let key: Key
    let loop: EventLoop
    let options: HTTPClientOptions
    private var http2: [HTTP2ClientConnection] = []
    private var http1Idle: [HTTP1ClientConnection] = []
    private var http1Busy: [ObjectIdentifier: HTTP1ClientConnection] = [:]
    private var opening: [ObjectIdentifier: ConnectionOpening] = [:]
    private var waiting: [ClientExchange] = []
    /// What the TLS connections share; nil in cleartext. Reading the system's authorities takes milliseconds.
    private lazy var tls: Result<TLSContext, TransportError>? = key.origin.secure ? makeTLS() : nil
    /// What TLS negotiated last, from which the number of connections to open is guessed.
    private var lastNegotiated: HTTPVersion?

    init(_ key: Key, loop: EventLoop, options: HTTPClientOptions) {
        self.key = key
        self.loop = loop
        self.options = options
    }

    /// Whether an exchange can share its connection with others.
    private var sharesConnections: Bool {
        switch key.policy {
        case .http1: false
        case .http2PriorKnowledge: true
        case .alpn: key.origin.secure && lastNegotiated != .http1_1
        }
    }

    var isUnused: Bool {
        http2.isEmpty && http1Idle.isEmpty && http1Busy.isEmpty && opening.isEmpty && waiting.isEmpty
    }

    func add(_ exchange: ClientExchange) {
        waiting.append(exchange)
        exchange.attach(to: self)
        assign()
    }

    func tick(now: UInt64) {
        for connection in http2 { connection.tick(now: now) }
        guard options.http1IdleTimeout > 0 else { return }
        let expired = http1Idle.filter { now &- $0.idleSince > options.http1IdleTimeout }
        http1Idle.removeAll { now &- $0.idleSince > options.http1IdleTimeout }
        for connection in expired { connection.close(.closed) }
    }

    func close() {
        let exchanges = waiting
        waiting = []
        for exchange in exchanges { exchange.failed(.closed) }
        for attempt in opening.values { attempt.cancel() }
        opening = [:]
        let connections: [any PooledConnection] = http2 + http1Idle + Array(http1Busy.values)
        http2 = []
        http1Idle = []
        http1Busy = [:]
        for connection in connections { connection.close(.closed) }
    }

    private func makeTLS() -> Result<TLSContext, TransportError> {
        Result { () throws(TransportError) in try TLSContext(client: options.trust) }
    }

    // MARK: - Assignment

    /// Gives waiting exchanges to connections that can take them, and opens connections for the rest.
    private func assign() {
        var next = 0
        while next < waiting.count {
            let exchange = waiting[next]
            if let connection = http2.first(where: { $0.hasFreeStream }) {
                next += 1
                connection.begin(exchange)
            } else if let connection = http1Idle.popLast() {
                next += 1
                http1Busy[ObjectIdentifier(connection)] = connection
                connection.begin(exchange)
            } else {
                break
            }
        }
        waiting.removeFirst(next)
        openWhatIsNeeded()
    }

    private func openWhatIsNeeded() {
        let needed: Int
        if sharesConnections {
            let perConnection = max(1, min(options.assumedMaxStreams, options.maxStreamsPerConnection))
            let wanted = (waiting.count + perConnection - 1) / perConnection
            needed = min(wanted, max(options.maxHTTP2Connections - http2.count, 0))
        } else {
            let room = options.maxHTTP1Connections - http1Busy.count - http1Idle.count
            needed = min(waiting.count, max(room, 0))
        }
        while opening.count < needed {
            let attempt = ConnectionOpening(key, loop: loop, options: options, tls: tls)
            opening[ObjectIdentifier(attempt)] = attempt
            attempt.start { [weak self, unowned attempt] in self?.opened(attempt, $0) }
        }
    }

    private func opened(_ attempt: ConnectionOpening, _ result: Result<OpenedConnection, TransportError>) {
        opening[ObjectIdentifier(attempt)] = nil
        switch result {
        case .success(let opened):
            lastNegotiated = opened.version
            if opened.version == .http2 { addHTTP2(opened.channel) } else { addHTTP1(opened.channel) }
        case .failure(let error): openingFailed(error)
        }
    }

    private func addHTTP2(_ channel: Channel) {
        do throws(TransportError) {
            let connection = try HTTP2ClientConnection(channel, pool: self)
            http2.append(connection)
            connection.start()
            assign()
        } catch {
            channel.close()
            openingFailed(error)
        }
    }

    private func addHTTP1(_ channel: Channel) {
        let connection = HTTP1ClientConnection(channel, pool: self)
        channel.handler = connection
        http1Idle.append(connection)
        assign()
    }

    /// Fails the exchanges that waited for this connection, and not those that others are on the way for.
    private func openingFailed(_ error: TransportError) {
        let others = opening.count
        let perConnection = sharesConnections ? min(options.assumedMaxStreams, options.maxStreamsPerConnection) : 1
        let affected = others == 0 ? waiting.count : max(0, waiting.count - others * perConnection)
        let exchanges = waiting.prefix(affected)
        waiting.removeFirst(affected)
        for exchange in exchanges { exchange.failed(error) }
        openWhatIsNeeded()
    }

    // MARK: - From connections

    /// Whether there is room for a connection that takes the place of another while that one finishes.
    var canReplaceConnections: Bool { http2.count < options.maxHTTP2Connections / 16 }

    /// A stream has ended, or the peer allows more.
    func hasRoom() { if !waiting.isEmpty { assign() } }

    func becameIdle(_ connection: HTTP1ClientConnection) {
        guard http1Busy.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
        http1Idle.append(connection)
        hasRoom()
    }

    func ended(_ connection: HTTP1ClientConnection) {
        http1Busy[ObjectIdentifier(connection)] = nil
        http1Idle.removeAll { $0 === connection }
        hasRoom()
    }

    func ended(_ connection: HTTP2ClientConnection) {
        http2.removeAll { $0 === connection }
        hasRoom()
    }
}

extension ConnectionPool: ClientExchangeCarrier {
    // An exchange that waits keeps its own output until a connection asks for it.
    func exchangeHasOutput(_ exchange: ClientExchange) {}
    func exchangeCancelled(_ exchange: ClientExchange) { waiting.removeAll { $0 === exchange } }
    func exchangeDelivered(_ exchange: ClientExchange) {}
    func exchange(_ exchange: ClientExchange, consumed count: Int) {}
}
