import HoldfastWire

/// What happens to a request. Called on the client's loop; never from inside `HTTPClient.open`.
///
/// In this order: one head, any number of body parts, one end; or `failed` at any point, after which nothing follows.
public protocol ClientExchangeDelegate: AnyObject {
    /// The response's head. It may come minutes after the request, or before the request's end.
    func exchange(_ exchange: ClientExchange, received head: HTTPResponseHead, version: HTTPVersion)
    /// A part of the response's body.
    func exchange(_ exchange: ClientExchange, received body: Bytes)
    /// The response is complete. A request that is not ended by then is cut off.
    func exchangeEnded(_ exchange: ClientExchange)
    /// There will be no response, or no more of it.
    func exchange(_ exchange: ClientExchange, failed error: TransportError)
    /// Output may be written again after `write` returned false.
    func exchangeIsWritable(_ exchange: ClientExchange)
}

/// One request and its response, on the loop of its client.
///
/// It can be used at once: what is written before there is a connection is kept. The delegate is kept until the exchange
/// has ended, failed or been cancelled.
public final class ClientExchange {
    /// The request's head.
    public let head: HTTPRequestHead
    /// Whom the request goes to.
    public let origin: HTTPOrigin
    /// Free for the owner.
    public var tag: UInt64 = 0

    let policy: HTTPVersionPolicy
    let hasBody: Bool
    /// Set by the connection.
    var streamID: Int32 = 0
    /// The request's body on its way out. The connection takes from it.
    var outgoing = OutgoingBody()
    private var incoming = IncomingBody<TransportError>()
    private var carrier: (any ClientExchangeCarrier)?
    /// What its connection had heard of the peer when the exchange came to it, and when that was.
    private var attached: (inputCount: UInt64, at: UInt64) = (0, 0)
    /// An exchange that waits longer for a word waits for a peer that works on it.
    private static let staleMilliseconds: UInt64 = 1000
    private var delegate: (any ClientExchangeDelegate)?

    init(
        _ head: HTTPRequestHead, to origin: HTTPOrigin, policy: HTTPVersionPolicy, hasBody: Bool,
        delegate: any ClientExchangeDelegate
    ) {
        self.head = head
        self.origin = origin
        self.policy = policy
        self.hasBody = hasBody
        self.delegate = delegate
        if !hasBody { outgoing.end() }
    }

    /// Whether the exchange is over: nothing more comes, and what is written goes nowhere.
    public var isOver: Bool { delegate == nil }

    /// Appends to the request's body.
    ///
    /// - Returns: false when more is buffered than the peer takes at present: `exchangeIsWritable` tells when to go on.
    ///   What is written nevertheless is kept.
    @discardableResult
    public func write(_ bytes: Bytes) -> Bool {
        guard delegate != nil, !outgoing.isEnded else { return false }
        let isBelowMark = outgoing.append(bytes)
        carrier?.exchangeHasOutput(self)
        return isBelowMark
    }

    /// Ends the request's body. The response goes on.
    public func end() {
        guard delegate != nil, !outgoing.isEnded else { return }
        outgoing.end()
        carrier?.exchangeHasOutput(self)
    }

    /// Gives the exchange up: RST_STREAM CANCEL, or the end of the HTTP/1.1 connection. The delegate is not called any
    /// more.
    public func cancel() {
        guard delegate != nil else { return }
        delegate = nil
        let carrier = self.carrier
        self.carrier = nil
        let discarded = incoming.discard()
        if discarded > 0 { carrier?.exchange(self, consumed: discarded) }
        carrier?.exchangeCancelled(self)
    }

    /// No more of the body until `resumeReading`. What arrives meanwhile is bounded by the connection's receive window.
    public func pauseReading() { incoming.isPaused = true }

    /// The body comes again, at once if there is some.
    public func resumeReading() {
        guard incoming.isPaused else { return }
        incoming.isPaused = false
        deliver()
    }

    // MARK: - From the pool and the connection

    /// Body bytes that wait for their reader.
    var waitingBodyCount: Int { incoming.count }

    /// - Parameter inputCount: How often the connection has heard of its peer.
    func attach(to carrier: any ClientExchangeCarrier, inputCount: UInt64 = 0, now: UInt64 = 0) {
        attached = (inputCount, now)
        if delegate != nil { self.carrier = carrier }
    }

    /// What the end of its connection is to this exchange. Who has just begun on a connection that was used before, and
    /// has heard nothing since, met one that the peer had closed already; a new one serves it.
    func reason(of end: TransportError, inputCount: UInt64, now: UInt64) -> TransportError {
        let hasHeardNothing = attached.inputCount > 0 && inputCount == attached.inputCount
        let isStale = hasHeardNothing && now &- attached.at < Self.staleMilliseconds
        return isStale && end.code == .connectionClosed ? .stale(end) : end
    }

    func received(_ head: HTTPResponseHead, version: HTTPVersion) {
        delegate?.exchange(self, received: head, version: version)
    }

    func bodyReceived(_ chunk: Bytes) {
        guard delegate != nil else {
            carrier?.exchange(self, consumed: chunk.count)
            return
        }
        if let chunk = incoming.received(chunk, isWanted: true) { pass(chunk) }
    }

    func responseEnded() {
        incoming.ended(.success(()))
        deliver()
    }

    func failed(_ error: TransportError) {
        guard let delegate else { return }
        self.delegate = nil
        carrier = nil
        _ = incoming.discard()
        delegate.exchange(self, failed: error)
    }

    /// The peer has ended the exchange. After a complete response that its reader has not taken yet, this is no failure.
    func closed(_ error: TransportError) { if incoming.ending == nil { failed(error) } }

    /// The connection has taken some of the request's body.
    /// - Returns: Whether the delegate was told to go on.
    func outputTaken() -> Bool {
        guard outgoing.becameWritable(), let delegate else { return false }
        delegate.exchangeIsWritable(self)
        return true
    }

    private func pass(_ chunk: Bytes) {
        let carrier = self.carrier  // The delegate may cancel the exchange; the bytes are used up all the same.
        delegate?.exchange(self, received: chunk)
        carrier?.exchange(self, consumed: chunk.count)
    }

    private func deliver() {
        while let chunk = incoming.next() { pass(chunk) }
        guard case .success? = incoming.takeEnding(), let delegate else { return }
        self.delegate = nil
        let carrier = self.carrier
        self.carrier = nil
        delegate.exchangeEnded(self)
        carrier?.exchangeDelivered(self)
    }
}

/// The connection, or the queue, that an exchange is in.
protocol ClientExchangeCarrier: AnyObject {
    /// The exchange has body bytes, or the body's end, to be sent.
    func exchangeHasOutput(_ exchange: ClientExchange)
    func exchangeCancelled(_ exchange: ClientExchange)
    /// The response was passed on to its end.
    func exchangeDelivered(_ exchange: ClientExchange)
    /// So many bytes of the response are not buffered any more.
    func exchange(_ exchange: ClientExchange, consumed count: Int)
}
