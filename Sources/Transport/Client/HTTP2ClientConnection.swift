import HoldfastWire

/// A client's HTTP/2 connection: an exchange per stream.
///
///     open ──GOAWAY──▶ draining ──last stream ended──▶ closed
final class HTTP2ClientConnection: ChannelHandler, PooledConnection {
    private let channel: Channel
    private let pool: ConnectionPool
    private var session: HTTP2Session?
    private var streams: [Int32: Stream] = [:]
    private var requestCount = 0
    private var state = State.open
    private var ping = Ping.none
    private var hasPeerSettings = false
    private var inputCount: UInt64 = 0
    private var controlFrames = FrameBudget()
    private var lastInput: UInt64
    private var idleSince: UInt64
    /// This connection's own interval, with its random part.
    private let pingInterval: UInt64

    private final class Stream {
        /// nil once the exchange is over for its owner, while the stream still is not.
        var exchange: ClientExchange?
        var hasHead = false
        init(_ exchange: ClientExchange) { self.exchange = exchange }
    }

    private enum State { case open, draining, closed }
    private enum Ping { case none, sent(at: UInt64) }

    init(_ channel: Channel, pool: ConnectionPool) throws(TransportError) {
        self.channel = channel
        self.pool = pool
        let options = pool.options
        lastInput = pool.loop.now
        idleSince = pool.loop.now
        let jitter = Double(options.pingInterval) * min(max(options.pingJitter, 0), 1) * Double.random(in: 0..<1)
        pingInterval = options.pingInterval &+ UInt64(jitter)
        session = try HTTP2Session(
            .client,
            settings: .init(
                refusesPush: true, streamWindowBytes: options.streamWindowBytes,
                connectionWindowBytes: options.connectionWindowBytes,
                maxFrameBytes: options.maxFrameBytes, headerLimit: options.maxResponseHeaderBytes), owner: self)
    }

    func start() {
        channel.handler = self
        channel.scheduleFlush()
    }

    var hasFreeStream: Bool { state == .open && streams.count < streamLimit }

    private var streamLimit: Int {
        let options = pool.options
        let peers = hasPeerSettings ? session?.peerMaxStreams ?? 0 : options.assumedMaxStreams
        return min(peers, options.maxStreamsPerConnection)
    }

    func begin(_ exchange: ClientExchange) {
        let authority = exchange.head.authority ?? exchange.origin.authority
        // A body that was written completely before there was a connection needs no frame of its own when it is empty.
        let hasBody = !(exchange.outgoing.isEnded && exchange.outgoing.isEmpty)
        let id = session?.request(
            exchange.head, scheme: exchange.origin.secure ? "https" : "http", authority: authority, hasBody: hasBody)
        guard let id else {
            becomeDraining()
            // Later, since the owner may be about to get this exchange from `HTTPClient.open`.
            let late = LoopBound(exchange)
            return pool.loop.post { late.value.failed(.refusedStream) }
        }
        exchange.streamID = id
        streams[id] = Stream(exchange)
        exchange.attach(to: self, inputCount: inputCount, now: pool.loop.now)
        requestCount += 1
        if requestCount >= pool.options.maxRequestsPerHTTP2Connection, pool.canReplaceConnections { becomeDraining() }
        channel.scheduleFlush()
    }

    // MARK: - The socket

    func channelSecured(applicationProtocol: String?) {}

    func received(_ bytes: RawSpan) {
        lastInput = pool.loop.now
        ping = .none
        inputCount += 1
        if inputCount == 1, isText(bytes) { return end(.http1OnlyPeer) }
        if let error = session?.receive(bytes) { return end(error) }
        guard state != .closed else { return }
        channel.scheduleFlush()
    }

    /// Whether the peer's first bytes are not the frame SETTINGS, with which HTTP/2 begins (RFC 9113 §3.4), but text:
    /// `HTTP/1.1 400`, or the page that some servers send without a head to one who speaks no HTTP/1.
    private func isText(_ bytes: RawSpan) -> Bool {
        bytes.byteCount > 3 && bytes.withUnsafeBytes { $0[3] >= UInt8(ascii: " ") }
    }

    func fillOutput() {
        guard let session else { return }
        if let error = session.fill(&channel.output) { return end(error) }
        if session.isOver, channel.output.isEmpty {
            end(.http2(reason: "the connection was ended with a GOAWAY that says how"))
        }
    }

    func outputDrained() {}

    func channelClosed(_ error: TransportError?) { forget(error ?? .connectionClosed) }

    func close(_ error: TransportError) { end(error) }

    private func end(_ error: TransportError) {
        channel.close()
        forget(error)
    }

    private func forget(_ error: TransportError) {
        guard state != .closed else { return }
        state = .closed
        pool.ended(self)
        let left = streams
        streams = [:]
        for case let exchange? in left.sorted(by: { $0.key < $1.key }).map(\.value.exchange) {
            exchange.failed(exchange.reason(of: error, inputCount: inputCount, now: pool.loop.now))
        }
        if !left.isEmpty { pool.loop.requestTurn() }
    }

    func tick(now: UInt64) {
        let options = pool.options
        if case .sent(let since) = ping, options.pingTimeout > 0, now &- since > options.pingTimeout {
            return end(.silent(milliseconds: options.pingTimeout))
        }
        if streams.isEmpty, state == .draining { return end(.closed) }
        if streams.isEmpty, options.http2IdleTimeout > 0, now &- idleSince > options.http2IdleTimeout {
            becomeDraining()
            session?.terminate(code: HTTP2ErrorCode.noError)
            return channel.scheduleFlush()
        }
        if options.pingInterval > 0, now &- lastInput > pingInterval { sendPing() }
    }

    /// Asks the peer whether it is there, if it was not asked already.
    private func sendPing() {
        guard case .none = ping else { return }
        ping = .sent(at: pool.loop.now)
        session?.ping()
        channel.scheduleFlush()
    }

    /// Takes no further exchanges; those in progress go on.
    private func becomeDraining() {
        guard state == .open else { return }
        state = .draining
        if streams.isEmpty { closeSoon() }
    }

    /// Closes after what is on the C stack has returned, and after what it wrote has been sent.
    private func closeSoon() {
        session?.terminate(code: HTTP2ErrorCode.noError)
        channel.scheduleFlush()
    }
}

extension HTTP2ClientConnection: HTTP2SessionOwner {
    func session(received block: HTTP2HeaderBlock, stream id: Int32, endsStream: Bool) {
        guard let stream = streams[id] else { return }
        if block.isTooLarge {
            session?.reset(stream: id, code: HTTP2ErrorCode.enhanceYourCalm)
            let exchange = Swift.exchange(&stream.exchange, with: nil)
            exchange?.failed(.headTooLarge(limit: pool.options.maxResponseHeaderBytes))
            return
        }
        if !stream.hasHead, let status = block.status, status >= 200 {
            stream.hasHead = true
            stream.exchange?.received(HTTPResponseHead(status: status, headers: block.headers), version: .http2)
        }
        if endsStream { sessionInputEnded(stream: id) }
    }

    func session(received data: Bytes, stream id: Int32) {
        if let exchange = streams[id]?.exchange {
            exchange.bodyReceived(data)
        } else {
            session?.consumed(data.count, stream: id)
        }
    }

    func sessionInputEnded(stream id: Int32) { streams[id]?.exchange?.responseEnded() }

    func sessionOutputEnded(stream: Int32) {}

    func sessionClosed(stream id: Int32, code: UInt32) {
        guard let stream = streams.removeValue(forKey: id) else { return }
        if streams.isEmpty { idleSince = pool.loop.now }
        if let exchange = stream.exchange {
            let waiting = exchange.waitingBodyCount
            // A paused reader still gets the rest of a response that is complete.
            if waiting > 0, code != HTTP2ErrorCode.noError { session?.consumed(waiting, stream: id) }
            exchange.closed(code == HTTP2ErrorCode.refusedStream ? .refusedStream : .streamReset(code: code))
        }
        if state == .draining, streams.isEmpty { closeSoon() }
        if state == .open { pool.hasRoom() }
        pool.loop.requestTurn()
    }

    func sessionReceivedControlFrame() {
        // As generous as a server: an endpoint may reset many streams.
        guard !controlFrames.spend(limit: 10_000, now: pool.loop.now) else { return }
        session?.terminate(code: HTTP2ErrorCode.enhanceYourCalm)
    }

    func sessionReceivedSettings() {
        hasPeerSettings = true
        if state == .open { pool.hasRoom() }
    }

    func sessionReceivedPingAnswer() { ping = .none }

    func sessionReceivedGoAway(code: UInt32) {
        becomeDraining()
        // Some servers are done with the connection as a whole (hypercorn): what they have begun would wait for ever.
        if !streams.isEmpty { sendPing() }
    }

    func sessionBody(stream id: Int32) -> (count: Int, isEnded: Bool)? {
        guard let stream = streams[id] else { return nil }
        return stream.exchange.map { ($0.outgoing.count, $0.outgoing.isEnded) } ?? (0, false)
    }

    func sessionMoveBody(_ count: Int, stream id: Int32, to output: inout OutputBuffer) {
        guard let exchange = streams[id]?.exchange else { return }
        exchange.outgoing.move(count, to: &output)
        if exchange.outputTaken() { pool.loop.requestTurn() }
    }
}

extension HTTP2ClientConnection: ClientExchangeCarrier {
    func exchangeHasOutput(_ exchange: ClientExchange) {
        session?.bodyIsReady(stream: exchange.streamID)
        channel.scheduleFlush()
    }

    func exchangeCancelled(_ exchange: ClientExchange) {
        guard let stream = streams[exchange.streamID], stream.exchange === exchange else { return }
        stream.exchange = nil
        session?.reset(stream: exchange.streamID, code: HTTP2ErrorCode.cancel)
        channel.scheduleFlush()
    }

    func exchangeDelivered(_ exchange: ClientExchange) {
        guard let stream = streams[exchange.streamID], stream.exchange === exchange else { return }
        // The response is complete. What is left of the request is of no use to the peer, but what is written already
        // and ended may still be on its way, and must not be cut.
        guard !exchange.outgoing.isEnded else { return }
        stream.exchange = nil
        session?.reset(stream: exchange.streamID, code: HTTP2ErrorCode.cancel)
        channel.scheduleFlush()
    }

    func exchange(_ exchange: ClientExchange, consumed count: Int) {
        session?.consumed(count, stream: exchange.streamID)
        channel.scheduleFlush()
    }
}
