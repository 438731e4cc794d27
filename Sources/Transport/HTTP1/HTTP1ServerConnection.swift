import HoldfastWire

/// A client's HTTP/1 connection: one exchange at a time, in the order of the requests.
///
/// Pipelined requests wait as unread bytes until the exchange before them is over, so they cost one read buffer at most.
final class HTTP1ServerConnection: ServerConnection, ChannelHandler {
    private let channel: Channel
    private unowned let worker: ServerWorker
    private let parser: HTTP1Parser
    private var exchange: ServerExchange?
    private var request = Request.none
    private var response = Response.none
    /// Whether the connection may be used for another request.
    private var keepsAlive = true
    private var isVersion10 = false
    private var answersHEAD = false
    /// The client waits for `100 Continue` before it sends its body.
    private var awaitsContinue = false
    /// Bytes of later requests.
    private var unread: [UInt8] = []
    private var isParsing = false
    private var isWriterPaused = false
    private var headBegan: UInt64?
    /// Goes on with the connection as HTTP/2.
    private var successor: HTTP2ServerConnection?

    private enum Request {
        /// Between requests, or in the middle of a head.
        case none
        case receiving(bodyLeft: Int?)
        /// The response is finished; what is left of the body is read and thrown away.
        case discarding
        /// Read to its end; the response is not finished.
        case complete
    }

    private enum Response {
        case none
        case chunked
        case length(left: Int)
        case untilClose
        /// No body, whatever is written: HEAD, 204, 304.
        case empty
    }

    /// Above this many bytes of output, the writer is told to pause, and no further pipelined request is read.
    private static let highWaterMark = 262_144
    /// Body bytes that wait for their reader before the socket is not read any more.
    private static let bodyHighWaterMark = 131_072
    /// What is left of a body whose response is finished is read when it is no more than this; else the connection ends.
    private static let discardedBodyBytes = 65_536

    init(_ channel: Channel, worker: ServerWorker) {
        self.channel = channel
        self.worker = worker
        let options = worker.options
        parser = HTTP1Parser(
            .request,
            limits: .init(
                targetBytes: options.maxTargetBytes, headBytes: options.maxHeaderBytes, lines: options.maxHeaderCount))
    }

    // MARK: - Input

    func channelSecured(applicationProtocol: String?) {}

    func received(_ bytes: RawSpan) {
        if unread.isEmpty, canParse {
            parse(bytes)
        } else {
            bytes.withUnsafeBytes { unread.append(contentsOf: $0) }
            channel.pauseReading()
        }
    }

    /// Whether the next bytes can be looked at: nothing is answered before what was asked before it.
    private var canParse: Bool {
        if case .complete = request { return false }
        return exchange != nil || channel.output.count <= HTTP1ServerConnection.highWaterMark
    }

    private func parse(_ bytes: RawSpan) {
        isParsing = true
        var offset = 0
        while offset < bytes.byteCount, channel.isOpen, successor == nil, canParse {
            let progress = parser.parse(bytes.extracting(droppingFirst: offset))
            offset += progress.consumed
            perform(progress)
        }
        isParsing = false
        guard channel.isOpen else { return }
        if let successor {
            if offset < bytes.byteCount { successor.received(bytes.extracting(droppingFirst: offset)) }
            return
        }
        if headBegan == nil, !parser.isBetweenMessages, exchange == nil { headBegan = worker.loop.now }
        if offset < bytes.byteCount {
            unread = bytes.extracting(droppingFirst: offset).withUnsafeBytes { Array($0) }
            channel.pauseReading()
            if case .complete = request {} else { channel.notifyWhenDrained = true }
        }
    }

    private func perform(_ progress: HTTP1Parser.Progress) {
        if let head = progress.head { begin(head) }
        for chunk in progress.chunks { bodyReceived(chunk) }
        if progress.isComplete { requestEnded() }
        if let failure = progress.failure { refuse(failure) }
    }

    private func begin(_ head: HTTP1Head) {
        headBegan = nil
        if upgrade(head) { return }
        keepsAlive = head.keepsAlive && !worker.isDraining
        isVersion10 = head.version == .http1_0
        answersHEAD = head.method == "HEAD"
        awaitsContinue = !isVersion10 && head.headers.has("100-continue", in: "expect")
        guard !head.hasUnknownCoding else { return refuseCoding() }
        request = .receiving(bodyLeft: head.contentLength ?? (head.isChunked ? nil : 0))
        let (path, authority) = head.requestTarget
        let exchange = ServerExchange(
            HTTPRequestHead(
                method: head.method, path: path, headers: head.headers, version: head.version,
                authority: authority ?? head.headers["host"]),
            carrier: self, loop: worker.loop, streamID: 0, hasBody: head.hasBody, declaredBodyLength: head.contentLength
        )
        self.exchange = exchange
        let options = worker.options
        if options.rejectDeclaredLength, let length = head.contentLength, length > options.maxBodyBytes {
            exchange.respond(.lengthLimitExceeded, body: HTTPResponseHead.lengthLimitExceededText)
        } else {
            worker.service.received(exchange)
        }
    }

    /// Goes over to HTTP/2 if the request asks for it (`upgrade: h2c`, RFC 7540 §3.2), has no body, and the connection is
    /// not encrypted. The request becomes stream 1. In all other cases it is answered as if it had not asked.
    private func upgrade(_ head: HTTP1Head) -> Bool {
        guard head.version == .http1_1, !channel.isSecure, !worker.isDraining, !head.hasBody,
            head.headers.has("h2c", in: "upgrade"), head.headers.has("upgrade", in: "connection"),
            let encoded = head.headers["http2-settings"], let settings = Base64URL.decode(encoded.utf8)
        else { return false }
        let next = HTTP2ServerConnection(channel, worker: worker)
        guard next.canTakeOver(settings: settings, isHEAD: head.method == "HEAD") else { return false }
        channel.output.append("HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: h2c\r\n\r\n")
        channel.scheduleFlush()
        successor = next
        worker.replace(self, by: next)
        channel.handler = next
        var headers = head.headers
        for name in ["connection", "upgrade", "http2-settings"] { headers.remove(name) }
        let (path, authority) = head.requestTarget
        next.takeOver(method: head.method, path: path, authority: authority ?? headers["host"], headers: headers)
        return true
    }

    private func bodyReceived(_ chunk: Bytes) {
        guard case .receiving(let left) = request else { return }
        awaitsContinue = false
        if let left { request = .receiving(bodyLeft: left - chunk.count) }
        guard let exchange else { return }
        exchange.bodyReceived(chunk)
        if exchange.waitingBodyCount > HTTP1ServerConnection.bodyHighWaterMark { channel.pauseReading() }
    }

    private func requestEnded() {
        switch request {
        case .discarding: becomeIdle()
        case .receiving:
            request = .complete
            exchange?.bodyEnded(.success(()))
        // Without an exchange the response was finished before, and the connection is about to close.
        case .none, .complete: break
        }
    }

    /// Answers what cannot be read, and ends the connection: nobody knows where the next request would begin.
    private func refuse(_ failure: HTTP1Parser.Failure) {
        guard channel.isOpen else { return }
        if let exchange {
            // The body is broken. What the service has to say about that is still sent.
            keepsAlive = false
            request = .complete
            exchange.bodyEnded(.failure(.aborted))
            if self.exchange === exchange, case .none = response { return }
        } else {
            let status: Int
            switch failure {
            case .targetTooLong: status = 414
            case .headTooLarge: status = 431
            case .malformed: status = 400
            }
            keepsAlive = false
            answersHEAD = false
            writeHead(HTTPResponseHead(status: status), framing: .length(left: 0))
        }
        channel.closeAfterOutput()
    }

    /// The body ends where `chunked` says, and what is in it cannot be read.
    private func refuseCoding() {
        keepsAlive = false
        request = .discarding
        writeHead(HTTPResponseHead(status: 501), framing: .length(left: 0))
        channel.closeAfterOutput()
    }

    // MARK: - Between requests

    private func becomeIdle() {
        exchange = nil
        request = .none
        response = .none
        isWriterPaused = false
        guard keepsAlive, !worker.isDraining else { return channel.closeAfterOutput() }
        if !isParsing { readOn() }
    }

    /// Looks at requests that came while another one was in progress.
    private func readOn() {
        guard channel.isOpen else { return }
        if !unread.isEmpty, canParse {
            let bytes = Swift.exchange(&unread, with: [])
            parse(bytes.span.bytes)
        }
        if channel.isOpen, unread.isEmpty { channel.resumeReading() }
    }

    func channelClosed(_ error: TransportError?) {
        worker.remove(self)
        let exchange = self.exchange
        self.exchange = nil
        exchange?.peerLeft()
    }

    func tick(now: UInt64) {
        let options = worker.options
        let quiet = now &- channel.lastActivity
        if let headBegan {
            if now &- headBegan > options.headerTimeout { timeOut() }
        } else if exchange == nil {
            if quiet > options.idleTimeout { end() }
        } else if channel.isOutputBlocked {
            if quiet > options.idleTimeout { end() }
        } else if case .receiving = request, exchange?.isCollectingBody == true, quiet > options.idleTimeout {
            end()
        }
    }

    func drain() {
        keepsAlive = false
        if exchange == nil, case .none = request { channel.closeAfterOutput(isIdle: true) }
    }

    func cut() { end() }

    private func timeOut() {
        headBegan = nil
        keepsAlive = false
        writeHead(HTTPResponseHead(status: 408), framing: .length(left: 0))
        channel.closeAfterOutput()
    }

    private func end() {
        channel.close()
        channelClosed(nil)
    }

    // MARK: - Output

    func fillOutput() {}

    func outputDrained() {
        if isWriterPaused {
            isWriterPaused = false
            exchange?.onWritable?()
        }
        if exchange == nil { readOn() }
    }

    private func writeHead(_ head: HTTPResponseHead, framing: Response) {
        HTTP1Writer.responseLine(head.status, to: &channel.output)
        for line in head.headers {
            if HTTP1Writer.isConnectionHeader(line.name) {
                if line.name.isSameHeaderName(as: "connection"), head.headers.has("close", in: "connection") {
                    keepsAlive = false
                }
                continue
            }
            HTTP1Writer.line(line.name, line.value, to: &channel.output)
        }
        switch framing {
        case .length(let left) where head.headers["content-length"] == nil:
            channel.output.append("content-length: ")
            channel.output.append(decimal: left)
            channel.output.append("\r\n")
        case .chunked: channel.output.append("transfer-encoding: chunked\r\n")
        case .untilClose: keepsAlive = false
        case .length, .empty, .none: break
        }
        if head.headers["date"] == nil {
            HTTP1Writer.line("date", worker.loop.date.text(now: worker.loop.now), to: &channel.output)
        }
        if !keepsAlive || worker.isDraining {
            keepsAlive = false
            channel.output.append("connection: close\r\n")
        } else if isVersion10 {
            channel.output.append("connection: keep-alive\r\n")
        }
        channel.output.append("\r\n")
        channel.scheduleFlush()
    }

    /// Whether the connection can go on although the response is there before the request's end.
    private var canDiscardRest: Bool {
        switch request {
        case .receiving(let left?): !awaitsContinue && left <= HTTP1ServerConnection.discardedBodyBytes
        case .receiving(nil): false
        case .none, .discarding, .complete: true
        }
    }

    private func responseFinished() {
        switch request {
        case .receiving where !keepsAlive || !canDiscardRest:
            exchange = nil
            request = .discarding
            channel.closeAfterOutput()
        case .receiving:
            exchange = nil
            request = .discarding
            channel.resumeReading()
        case .none, .complete, .discarding: becomeIdle()
        }
    }
}

extension HTTP1ServerConnection: ServerExchangeCarrier {
    var peerAddress: String? { channel.isOpen ? channel.peerAddress : nil }

    func exchange(_ exchange: ServerExchange, respond head: HTTPResponseHead, body: Bytes) {
        guard exchange === self.exchange else { return }
        if !canDiscardRest { keepsAlive = false }
        if head.mayHaveBody {
            writeHead(head, framing: .length(left: body.count))
            if !answersHEAD { channel.output.append(body) }
        } else {
            writeHead(head, framing: .empty)
        }
        responseFinished()
    }

    func exchange(_ exchange: ServerExchange, start head: HTTPResponseHead) {
        guard exchange === self.exchange else { return }
        if answersHEAD || !head.mayHaveBody {
            response = .empty
        } else if let length = head.headers["content-length"].flatMap({ Int($0) }) {
            response = .length(left: max(length, 0))
        } else {
            response = isVersion10 ? .untilClose : .chunked
        }
        writeHead(head, framing: response)
    }

    func exchange(_ exchange: ServerExchange, write bytes: Bytes) -> Bool {
        guard exchange === self.exchange else { return false }
        switch response {
        case .chunked: HTTP1Writer.chunk(bytes, to: &channel.output)
        case .untilClose: channel.output.append(bytes)
        case .length(let left):
            let part = bytes.prefix(left)  // More would be taken for the next response.
            channel.output.append(part)
            response = .length(left: left - part.count)
        case .empty, .none: break
        }
        channel.scheduleFlush()
        if channel.output.count > HTTP1ServerConnection.highWaterMark {
            isWriterPaused = true
            channel.notifyWhenDrained = true
        }
        return !isWriterPaused
    }

    func exchangeFinish(_ exchange: ServerExchange) {
        guard exchange === self.exchange else { return }
        switch response {
        case .chunked: HTTP1Writer.lastChunk(to: &channel.output)
        case .length(let left) where left > 0: keepsAlive = false  // The client must not wait for what is missing.
        case .length, .untilClose, .empty, .none: break
        }
        channel.scheduleFlush()
        responseFinished()
    }

    func exchangeAbort(_ exchange: ServerExchange) {
        guard exchange === self.exchange else { return }
        self.exchange = nil
        channel.close()
        worker.remove(self)
    }

    func exchangeReadsBody(_ exchange: ServerExchange) {
        guard exchange === self.exchange, awaitsContinue else { return }
        awaitsContinue = false
        guard case .none = response else { return }
        channel.output.append("HTTP/1.1 100 Continue\r\n\r\n")
        channel.scheduleFlush()
    }

    func exchange(_ exchange: ServerExchange, consumed count: Int) {
        guard exchange === self.exchange, unread.isEmpty else { return }
        if exchange.waitingBodyCount <= HTTP1ServerConnection.bodyHighWaterMark { channel.resumeReading() }
    }
}

extension HTTPResponseHead {
    static let lengthLimitExceeded = HTTPResponseHead(
        status: 413, headers: ["content-type": "text/plain; charset=utf-8"])
    static let lengthLimitExceededText = Bytes(utf8: "length limit exceeded")
}
