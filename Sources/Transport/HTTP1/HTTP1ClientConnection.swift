import HoldfastWire

/// A client's HTTP/1.1 connection: one exchange at a time.
final class HTTP1ClientConnection: ChannelHandler, PooledConnection {
    private let channel: Channel
    private let pool: ConnectionPool
    private let parser: HTTP1Parser
    private var exchange: ClientExchange?
    private var framing = Framing.none
    private var response = Response.none
    private var keepsAlive = true
    private var inputCount: UInt64 = 0
    /// Since when the connection waits for an exchange.
    private(set) var idleSince: UInt64

    private enum Framing {
        /// The request is written to its end.
        case none
        case chunked
        case length
    }

    private enum Response { case none, head, body }

    /// Request bytes in the socket's buffer above which no more are taken from the exchange.
    private static let outputMark = 131_072
    /// Response bytes that wait for their reader before the socket is not read any more.
    private static let bodyHighWaterMark = 262_144

    init(_ channel: Channel, pool: ConnectionPool) {
        self.channel = channel
        self.pool = pool
        parser = HTTP1Parser(
            .response, limits: .init(headBytes: pool.options.maxResponseHeaderBytes, lines: 1000))
        idleSince = pool.loop.now
    }

    func begin(_ exchange: ClientExchange) {
        self.exchange = exchange
        exchange.attach(to: self, inputCount: inputCount, now: pool.loop.now)
        keepsAlive = true
        response = .head
        parser.answersHEAD = exchange.head.method == "HEAD"
        writeHead(exchange)
        channel.scheduleFlush()
    }

    /// Names in lower case; `host` and then the framing come last, as the reference server sends them.
    private func writeHead(_ exchange: ClientExchange) {
        let head = exchange.head
        HTTP1Writer.requestLine(head.method, head.path, to: &channel.output)
        for line in head.headers where !HTTP1Writer.isConnectionHeader(line.name) {
            if line.name.isSameHeaderName(as: "host") { continue }
            HTTP1Writer.line(line.name.lowercased(), line.value, to: &channel.output)
        }
        HTTP1Writer.line("host", head.authority ?? exchange.origin.authority, to: &channel.output)
        if head.headers["content-length"] != nil {
            framing = .length
        } else if exchange.hasBody {
            framing = .chunked
            channel.output.append("transfer-encoding: chunked\r\n")
        } else {
            framing = .none
            if !["GET", "HEAD", "DELETE", "OPTIONS"].contains(head.method) {
                channel.output.append("content-length: 0\r\n")
            }
        }
        channel.output.append("\r\n")
    }

    // MARK: - The socket

    func channelSecured(applicationProtocol: String?) {}

    func received(_ bytes: RawSpan) {
        inputCount += 1
        var offset = 0
        while offset < bytes.byteCount, channel.isOpen {
            guard exchange != nil else {
                // Nothing was asked, so nothing that comes can be an answer.
                return end(.http1(reason: "it sent a response that nobody asked for"))
            }
            let progress = parser.parse(bytes.extracting(droppingFirst: offset))
            offset += progress.consumed
            perform(progress)
        }
    }

    private func perform(_ progress: HTTP1Parser.Progress) {
        if let head = progress.head { received(head) }
        for chunk in progress.chunks { bodyReceived(chunk) }
        if progress.isComplete { messageEnded() }
        if let failure = progress.failure { failed(failure) }
    }

    private func received(_ head: HTTP1Head) {
        // One answer per question: a second one could be meant for somebody else.
        guard case .head = response else { return end(.http1(reason: "it sent a response that nobody asked for")) }
        guard head.status >= 200 else { return }  // 100 Continue, 103 Early Hints: the answer follows.
        response = .body
        // A body without a length ends with the connection.
        keepsAlive =
            head.keepsAlive
            && (head.isChunked || head.contentLength != nil || parser.answersHEAD
                || head.status == 204 || head.status == 304)
        exchange?.received(HTTPResponseHead(status: head.status, headers: head.headers), version: head.version)
    }

    private func bodyReceived(_ chunk: Bytes) {
        guard let exchange else { return }
        exchange.bodyReceived(chunk)
        if exchange.waitingBodyCount > HTTP1ClientConnection.bodyHighWaterMark { channel.pauseReading() }
    }

    private func messageEnded() {
        guard case .body = response else { return }
        response = .none
        exchange?.responseEnded()
    }

    private func failed(_ failure: HTTP1Parser.Failure) {
        switch failure {
        case .malformed(let reason): end(.http1(reason: reason))
        case .headTooLarge, .targetTooLong: end(.headTooLarge(limit: pool.options.maxResponseHeaderBytes))
        }
    }

    func channelClosed(_ error: TransportError?) {
        // The end of the connection is the end of a body without a length.
        if error == nil, case .body = response { perform(parser.finish()) }
        forget(error ?? .connectionClosed)
    }

    func close(_ error: TransportError) { end(error) }

    private func end(_ error: TransportError) {
        channel.close()
        forget(error)
    }

    private func forget(_ error: TransportError) {
        let failed = Swift.exchange(&exchange, with: nil)
        pool.ended(self)
        if let failed { failed.closed(failed.reason(of: error, inputCount: inputCount, now: pool.loop.now)) }
    }

    // MARK: - Output

    func fillOutput() {
        guard let exchange else { return }
        let output = min(exchange.outgoing.count, HTTP1ClientConnection.outputMark)
        switch framing {
        case .none: return
        case .length: exchange.outgoing.move(output, to: &channel.output)
        case .chunked where output > 0:
            channel.output.append(hexadecimal: output)
            channel.output.append("\r\n")
            exchange.outgoing.move(output, to: &channel.output)
            channel.output.append("\r\n")
        case .chunked: break
        }
        if exchange.outgoing.isEmpty, exchange.outgoing.isEnded {
            if case .chunked = framing { HTTP1Writer.lastChunk(to: &channel.output) }
            framing = .none
        }
        if exchange.outputTaken() { pool.loop.requestTurn() }
    }

    func outputDrained() {}
}

extension HTTP1ClientConnection: ClientExchangeCarrier {
    func exchangeHasOutput(_ exchange: ClientExchange) { channel.scheduleFlush() }

    func exchangeCancelled(_ exchange: ClientExchange) {
        guard exchange === self.exchange else { return }
        self.exchange = nil
        channel.close()
        pool.ended(self)
    }

    /// The response is complete: the connection goes back to the pool if the request is, too.
    func exchangeDelivered(_ exchange: ClientExchange) {
        guard exchange === self.exchange else { return }
        self.exchange = nil
        guard keepsAlive, channel.isOpen, case .none = framing else {
            channel.close()
            return pool.ended(self)
        }
        idleSince = pool.loop.now
        channel.resumeReading()
        pool.becameIdle(self)
    }

    func exchange(_ exchange: ClientExchange, consumed count: Int) {
        guard exchange === self.exchange else { return }
        if exchange.waitingBodyCount <= HTTP1ClientConnection.bodyHighWaterMark { channel.resumeReading() }
    }
}
