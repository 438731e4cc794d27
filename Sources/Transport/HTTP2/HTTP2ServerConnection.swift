import HoldfastWire

/// A client's HTTP/2 connection: an exchange per stream.
final class HTTP2ServerConnection: ServerConnection, ChannelHandler {
    private let channel: Channel
    private unowned let worker: ServerWorker
    private var session: HTTP2Session?
    private var streams: [Int32: Stream] = [:]
    private var controlFrames = FrameBudget()
    private var drainPhase = DrainPhase.none
    /// When a stream was last opened or closed.
    private var lastUse: UInt64

    /// What is known about a stream that is open in some direction.
    private final class Stream {
        var exchange: ServerExchange?
        var outgoing = OutgoingBody()
        var isInputEnded = false
        /// When output last left, or began to wait.
        var lastMove: UInt64 = 0
        init(isInputEnded: Bool) { self.isInputEnded = isInputEnded }

        func append(_ bytes: Bytes, now: UInt64) -> Bool {
            if outgoing.isEmpty { lastMove = now }
            return outgoing.append(bytes)
        }

        func isStalled(now: UInt64, limit: UInt64) -> Bool { !outgoing.isEmpty && now &- lastMove > limit }
    }

    private enum DrainPhase { case none, announced, goneAway, goneAwayIdle }

    init(_ channel: Channel, worker: ServerWorker) {
        self.channel = channel
        self.worker = worker
        lastUse = worker.loop.now
        let options = worker.options
        session = try? HTTP2Session(
            .server,
            settings: .init(
                maxConcurrentStreams: options.maxConcurrentStreams, maxHeaderListBytes: options.maxHeaderListBytes,
                streamWindowBytes: options.streamWindowBytes, connectionWindowBytes: options.connectionWindowBytes,
                headerLimit: options.maxHeaderListBytes), owner: self)
    }

    /// Begins as the continuation of an HTTP/1.1 connection.
    /// - Returns: false when the client's settings are not such.
    func canTakeOver(settings: [UInt8], isHEAD: Bool) -> Bool {
        session?.upgrade(settings: settings, isHEAD: isHEAD) == true
    }

    /// The request that asked for HTTP/2 is answered as stream 1.
    func takeOver(method: String, path: String, authority: String?, headers: HTTPHeaders) {
        var block = HTTP2HeaderBlock()
        block.method = method
        block.path = path
        block.authority = authority
        block.headers = headers
        begin(block, stream: 1, endsStream: true)
    }

    // MARK: - The socket

    func channelSecured(applicationProtocol: String?) {}

    func received(_ bytes: RawSpan) {
        guard let session else { return end() }
        if session.receive(bytes) != nil { channel.closeAfterOutput() }
        channel.scheduleFlush()
    }

    func fillOutput() {
        guard let session else { return }
        if session.fill(&channel.output) != nil { return end() }
        if session.isOver { channel.closeAfterOutput(isIdle: drainPhase == .goneAwayIdle) }
    }

    func outputDrained() {}

    func channelClosed(_ error: TransportError?) {
        worker.remove(self)
        let left = streams
        streams = [:]
        for stream in left.values { stream.exchange?.peerLeft() }
        // Not the session: this may be called while it is writing.
    }

    func tick(now: UInt64) {
        let options = worker.options
        switch drainPhase {
        case .announced:
            drainPhase = .goneAway
            session?.goAway()
            channel.scheduleFlush()
        case .none where streams.isEmpty && now &- lastUse > options.idleTimeout:
            session?.terminate(code: HTTP2ErrorCode.noError)
            channel.scheduleFlush()
        case .none, .goneAway, .goneAwayIdle: break
        }
        for (id, stream) in streams where stream.isStalled(now: now, limit: options.idleTimeout) {
            // The client takes part in the connection, and does not read this answer.
            session?.reset(stream: id, code: HTTP2ErrorCode.cancel)
            channel.scheduleFlush()
        }
        let quiet = now &- channel.lastActivity
        guard quiet > options.idleTimeout else { return }
        if channel.isOutputBlocked || streams.isEmpty { return end() }
        for (id, stream) in streams where !stream.isInputEnded && stream.exchange?.isCollectingBody == true {
            // Other requests on this connection may be waiting for their answers.
            session?.reset(stream: id, code: HTTP2ErrorCode.cancel)
            channel.scheduleFlush()
        }
    }

    func drain() {
        guard drainPhase == .none else { return }
        if streams.isEmpty {
            drainPhase = .goneAwayIdle
            session?.terminate(code: HTTP2ErrorCode.noError)
        } else {
            drainPhase = .announced
            session?.announceGoAway()
        }
        channel.scheduleFlush()
    }

    func cut() { end() }

    private func end() {
        guard channel.isOpen else { return channel.close() }
        channel.close()
        channelClosed(nil)
    }
}

extension HTTP2ServerConnection: HTTP2SessionOwner {
    func session(received block: HTTP2HeaderBlock, stream id: Int32, endsStream: Bool) {
        if let stream = streams[id] {
            if endsStream { inputEnded(stream) }  // Trailers: their lines are dropped.
            return
        }
        begin(block, stream: id, endsStream: endsStream)
    }

    private func begin(_ block: HTTP2HeaderBlock, stream id: Int32, endsStream: Bool) {
        lastUse = worker.loop.now
        let stream = Stream(isInputEnded: endsStream)
        streams[id] = stream
        let length = block.headers["content-length"].flatMap { Int($0) }
        let exchange = ServerExchange(
            HTTPRequestHead(
                method: block.method, path: block.path, headers: block.headers, version: .http2,
                authority: block.authority ?? block.headers["host"]),
            carrier: self, loop: worker.loop, streamID: id, hasBody: !endsStream, declaredBodyLength: length)
        stream.exchange = exchange
        let options = worker.options
        if block.isTooLarge {
            exchange.respond(HTTPResponseHead(status: 431), body: [])
        } else if block.hasBrokenPath {
            exchange.respond(HTTPResponseHead(status: 400), body: [])
        } else if options.rejectDeclaredLength, let length, length > options.maxBodyBytes {
            exchange.respond(.lengthLimitExceeded, body: HTTPResponseHead.lengthLimitExceededText)
        } else {
            worker.service.received(exchange)
        }
    }

    func session(received data: Bytes, stream id: Int32) {
        if let exchange = streams[id]?.exchange {
            exchange.bodyReceived(data)
        } else {
            session?.consumed(data.count, stream: id)
        }
    }

    func sessionInputEnded(stream id: Int32) { if let stream = streams[id] { inputEnded(stream) } }

    private func inputEnded(_ stream: Stream) {
        stream.isInputEnded = true
        stream.exchange?.bodyEnded(.success(()))
    }

    func sessionOutputEnded(stream id: Int32) {
        guard let stream = streams[id], !stream.isInputEnded else { return }
        // The answer is complete, so the rest of the request is of no use (RFC 9113 §8.1).
        session?.reset(stream: id, code: HTTP2ErrorCode.noError)
    }

    func sessionClosed(stream id: Int32, code: UInt32) {
        guard let stream = streams.removeValue(forKey: id) else { return }
        lastUse = worker.loop.now
        guard let exchange = stream.exchange else { return }
        let waiting = exchange.waitingBodyCount
        if waiting > 0 { session?.consumed(waiting, stream: id) }
        exchange.peerLeft()
    }

    func sessionReceivedControlFrame() {
        guard !controlFrames.spend(limit: worker.options.maxControlFrames, now: worker.loop.now) else { return }
        session?.terminate(code: HTTP2ErrorCode.enhanceYourCalm)
    }

    func sessionReceivedSettings() {}
    func sessionReceivedPingAnswer() {}
    func sessionReceivedGoAway(code: UInt32) {}

    func sessionBody(stream id: Int32) -> (count: Int, isEnded: Bool)? {
        streams[id].map { ($0.outgoing.count, $0.outgoing.isEnded) }
    }

    func sessionMoveBody(_ count: Int, stream id: Int32, to output: inout OutputBuffer) {
        guard let stream = streams[id] else { return }
        stream.outgoing.move(count, to: &output)
        stream.lastMove = worker.loop.now
        if stream.outgoing.becameWritable(), let exchange = stream.exchange {
            exchange.onWritable?()
            worker.loop.requestTurn()
        }
    }
}

extension HTTP2ServerConnection: ServerExchangeCarrier {
    var peerAddress: String? { channel.isOpen ? channel.peerAddress : nil }

    func exchange(_ exchange: ServerExchange, respond head: HTTPResponseHead, body: Bytes) {
        guard let stream = streams[exchange.streamID] else { return }
        let hasBody = head.mayHaveBody && exchange.request.method != "HEAD" && !body.isEmpty
        if hasBody { _ = stream.append(body, now: worker.loop.now) }
        stream.outgoing.end()
        submit(head, length: head.mayHaveBody ? body.count : nil, hasBody: hasBody, exchange)
        stream.exchange = nil
    }

    func exchange(_ exchange: ServerExchange, start head: HTTPResponseHead) {
        guard let stream = streams[exchange.streamID] else { return }
        let hasBody = head.mayHaveBody && exchange.request.method != "HEAD"
        if !hasBody { stream.outgoing.end() }
        submit(head, length: nil, hasBody: hasBody, exchange)
    }

    func exchange(_ exchange: ServerExchange, write bytes: Bytes) -> Bool {
        guard let stream = streams[exchange.streamID] else { return false }
        guard !stream.outgoing.isEnded else { return true }  // HEAD, 204 and 304 have no body.
        let isBelowMark = stream.append(bytes, now: worker.loop.now)
        session?.bodyIsReady(stream: exchange.streamID)
        channel.scheduleFlush()
        return isBelowMark
    }

    func exchangeFinish(_ exchange: ServerExchange) {
        guard let stream = streams[exchange.streamID] else { return }
        stream.outgoing.end()
        stream.exchange = nil
        session?.bodyIsReady(stream: exchange.streamID)
        channel.scheduleFlush()
    }

    func exchangeAbort(_ exchange: ServerExchange) {
        streams[exchange.streamID]?.exchange = nil
        session?.reset(stream: exchange.streamID, code: HTTP2ErrorCode.cancel)
        channel.scheduleFlush()
    }

    func exchangeReadsBody(_ exchange: ServerExchange) {
        guard exchange.hasBody, exchange.request.headers.has("100-continue", in: "expect"),
            let stream = streams[exchange.streamID], !stream.isInputEnded, !exchange.isResponseBegun
        else { return }
        session?.askForBody(stream: exchange.streamID)
        channel.scheduleFlush()
    }

    func exchange(_ exchange: ServerExchange, consumed count: Int) {
        session?.consumed(count, stream: exchange.streamID)
        channel.scheduleFlush()
    }

    private func submit(_ head: HTTPResponseHead, length: Int?, hasBody: Bool, _ exchange: ServerExchange) {
        let loop = worker.loop
        let isSubmitted = session?.respond(
            head, date: loop.date.text(now: loop.now), length: length, hasBody: hasBody, stream: exchange.streamID)
        if isSubmitted != true {
            session?.reset(stream: exchange.streamID, code: HTTP2ErrorCode.internalError)
        }
        channel.scheduleFlush()
    }
}

/// How many frames that cost their sender nothing a peer may send within ten seconds.
struct FrameBudget {
    private var windowBegan: UInt64 = 0
    private var count = 0

    /// - Returns: false when the peer has sent too many.
    mutating func spend(limit: Int, now: UInt64) -> Bool {
        if now &- windowBegan > 10_000 {
            windowBegan = now
            count = 0
        }
        count += 1
        return count <= limit
    }
}
