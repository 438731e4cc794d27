import HoldfastWire

/// One request and its response, on the loop of its connection.
///
/// The service reads the body or not, and answers with `respond`, or with `start`, `write` and `finish`; at once or
/// later. Calls that come too late (after the end, or after the peer has left) do nothing. Body callbacks do not come
/// after the response is finished.
public final class ServerExchange {
    /// The request's head.
    public let request: HTTPRequestHead
    /// The loop on which everything about this exchange happens.
    public let loop: EventLoop
    /// Whether a body follows. Also true for a body that turns out to be empty.
    public let hasBody: Bool
    /// The length that the client declared for the body.
    public let declaredBodyLength: Int?
    /// Called when output may be written again after `write` returned false.
    public var onWritable: (() -> Void)?
    /// Called when the peer left before the response was finished. Nothing can be sent any more.
    public var onClosed: (() -> Void)?

    let streamID: Int32
    private var carrier: (any ServerExchangeCarrier)?
    private var body = IncomingBody<BodyError>()
    private var reader = Reader.none
    private var phase = Phase.waiting

    private enum Phase { case waiting, streaming, finished }

    private enum Reader {
        case none
        case collecting(limit: Int, collected: [Bytes], size: Int, then: (Result<Bytes, BodyError>) -> Void)
        case streaming(chunk: (Bytes) -> Void, end: (Result<Void, BodyError>) -> Void)
        case done
    }

    init(
        _ request: HTTPRequestHead, carrier: any ServerExchangeCarrier, loop: EventLoop, streamID: Int32, hasBody: Bool,
        declaredBodyLength: Int?
    ) {
        self.request = request
        self.carrier = carrier
        self.loop = loop
        self.streamID = streamID
        self.hasBody = hasBody
        self.declaredBodyLength = declaredBodyLength
        if !hasBody { body.ended(.success(())) }
    }

    /// The client's address in numbers; nil when it has left.
    public var peerAddress: String? { carrier?.peerAddress }

    // MARK: - Request body

    /// Calls `then` once with the whole body: at once, when it is there already. A body that arrived in one piece is
    /// handed on as it is.
    ///
    /// - Parameter limit: Bytes; a longer body ends with `BodyError.tooLarge` as soon as that is known, and the rest of
    ///   it is not read.
    public func collectBody(limit: Int, _ then: @escaping (Result<Bytes, BodyError>) -> Void) {
        guard case .none = reader else { return }
        reader = .collecting(limit: limit, collected: [], size: 0, then: then)
        carrier?.exchangeReadsBody(self)
        deliverBody()
    }

    /// Calls `chunk` with each part of the body as it arrives, and then `end` once. `pauseReading` lets the peer wait.
    public func readBody(_ chunk: @escaping (Bytes) -> Void, end: @escaping (Result<Void, BodyError>) -> Void) {
        guard case .none = reader else { return }
        reader = .streaming(chunk: chunk, end: end)
        carrier?.exchangeReadsBody(self)
        deliverBody()
    }

    /// No more chunks until `resumeReading`. What arrives meanwhile is bounded by the connection's receive window.
    public func pauseReading() { body.isPaused = true }

    /// Chunks come again, at once if there are some.
    public func resumeReading() {
        guard body.isPaused else { return }
        body.isPaused = false
        deliverBody()
    }

    // MARK: - Response

    /// Answers with a whole body. `content-length` is added; `date` too.
    public func respond(_ head: HTTPResponseHead, body bytes: Bytes) {
        guard phase == .waiting, let carrier else { return }
        finish { carrier.exchange(self, respond: head, body: bytes) }
    }

    /// Begins an answer whose body follows with `write`. On HTTP/1.1 it is chunked, unless `head` has a length.
    public func start(_ head: HTTPResponseHead) {
        guard phase == .waiting, let carrier else { return }
        phase = .streaming
        carrier.exchange(self, start: head)
    }

    /// Appends to the answer's body.
    ///
    /// - Returns: false when more is buffered than the peer takes at present: `onWritable` tells when to go on. What is
    ///   written nevertheless is kept.
    @discardableResult
    public func write(_ bytes: Bytes) -> Bool {
        guard phase == .streaming, let carrier else { return false }
        return carrier.exchange(self, write: bytes)
    }

    /// Ends an answer that `start` began.
    public func finish() {
        guard phase == .streaming, let carrier else { return }
        finish { carrier.exchangeFinish(self) }
    }

    /// Ends the exchange without an answer, or in the middle of one: the connection (HTTP/1.1) or the stream (HTTP/2) is
    /// cut. No callback follows.
    public func abort() {
        guard phase != .finished, let carrier else { return }
        finish { carrier.exchangeAbort(self) }
    }

    private func finish(_ send: () -> Void) {
        phase = .finished
        reader = .done
        onWritable = nil
        onClosed = nil
        let discarded = body.discard()
        if discarded > 0 { carrier?.exchange(self, consumed: discarded) }
        send()
        carrier = nil
    }

    // MARK: - From the connection

    var isResponseBegun: Bool { phase != .waiting }
    var isCollectingBody: Bool { if case .collecting = reader { true } else { false } }
    /// Body bytes that wait for the reader.
    var waitingBodyCount: Int { body.count }

    func bodyReceived(_ chunk: Bytes) {
        let isWanted: Bool
        switch reader {
        case .collecting, .streaming: isWanted = true
        case .none: isWanted = false
        case .done:
            carrier?.exchange(self, consumed: chunk.count)
            return
        }
        if let chunk = body.received(chunk, isWanted: isWanted) { pass(chunk) }
    }

    func bodyEnded(_ result: Result<Void, BodyError>) {
        body.ended(result)
        deliverBody()
    }

    /// The peer has gone, or has given this exchange up.
    func peerLeft() {
        guard phase != .finished else { return }
        phase = .finished
        let closed = onClosed
        onClosed = nil
        onWritable = nil
        carrier = nil
        _ = body.discard()
        body.isPaused = false
        body.ended(.failure(.aborted))
        deliverBody()
        reader = .done
        closed?()
    }

    /// Passes on what waits, while there is somebody who wants it.
    private func deliverBody() {
        if case .none = reader { return }
        while let chunk = body.next() {
            pass(chunk)
            if case .done = reader { return }
        }
        guard let ending = body.takeEnding() else { return }
        let finished = reader
        reader = .done
        switch finished {
        case .collecting(_, let collected, let size, let then):
            switch ending {
            case .success: then(.success(collected.count == 1 ? collected[0] : joined(collected, size)))
            case .failure(let error): then(.failure(error))
            }
        case .streaming(_, let end): end(ending)
        case .none, .done: break
        }
    }

    private func pass(_ chunk: Bytes) {
        let carrier = self.carrier  // The reader may end the exchange; the bytes are used up all the same.
        switch reader {
        case .collecting(let limit, var collected, let size, let then):
            guard chunk.count <= limit - size else {
                reader = .done
                then(.failure(.tooLarge))
                return
            }
            reader = .none
            collected.append(chunk)
            reader = .collecting(limit: limit, collected: collected, size: size + chunk.count, then: then)
            carrier?.exchange(self, consumed: chunk.count)
        case .streaming(let body, _):
            body(chunk)
            carrier?.exchange(self, consumed: chunk.count)
        case .none, .done: carrier?.exchange(self, consumed: chunk.count)
        }
    }

    private func joined(_ chunks: [Bytes], _ size: Int) -> Bytes {
        var whole: [UInt8] = []
        whole.reserveCapacity(size)
        for chunk in chunks { whole.append(contentsOf: chunk) }
        return whole[...]
    }
}

/// The connection that an exchange takes place on.
protocol ServerExchangeCarrier: AnyObject {
    var peerAddress: String? { get }
    func exchange(_ exchange: ServerExchange, respond head: HTTPResponseHead, body: Bytes)
    func exchange(_ exchange: ServerExchange, start head: HTTPResponseHead)
    func exchange(_ exchange: ServerExchange, write bytes: Bytes) -> Bool
    func exchangeFinish(_ exchange: ServerExchange)
    func exchangeAbort(_ exchange: ServerExchange)
    /// The service wants the body, so a client that waits to be asked for it is asked.
    func exchangeReadsBody(_ exchange: ServerExchange)
    /// So many bytes of the body are not buffered any more.
    func exchange(_ exchange: ServerExchange, consumed count: Int)
}
