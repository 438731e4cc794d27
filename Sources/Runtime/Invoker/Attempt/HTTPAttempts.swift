import HoldfastEngine
import HoldfastTransport
import HoldfastWire

/// Attempts over HTTP: the client and the clock of one event loop.
final class HTTPAttempts: AttemptTransport {
    private let loop: EventLoop
    private let client: HTTPClient
    private var timer: LoopTimer?
    private var ring: (() -> Void)?

    init(loop: EventLoop, client: HTTPClient) {
        self.loop = loop
        self.client = client
    }

    func open(_ head: HTTPRequestHead, to deployment: Deployment, for attempt: Attempt) -> any AttemptStream {
        let address = deployment.address
        let origin = HTTPOrigin(secure: address.isSecure, host: address.host, port: address.port)
        return client.open(
            head, to: origin, version: deployment.httpVersion.policy, hasBody: true, delegate: attempt)
    }

    var now: Timestamp { Timestamp(millis: loop.now) }

    var wallClock: Timestamp { .now }

    func setAlarm(after milliseconds: UInt64, _ ring: @escaping () -> Void) {
        self.ring = ring
        if let timer {
            timer.reschedule(after: milliseconds)
        } else {
            timer = loop.schedule(after: milliseconds) { [weak self] in self?.ring?() }
        }
    }

    func cancelAlarm() {
        ring = nil
        timer?.cancel()
    }
}

extension ClientExchange: AttemptStream {
    func write(_ bytes: [UInt8]) -> Bool { write(bytes[...]) }
    func finish() { end() }
}

extension DeploymentHTTPVersion {
    /// The version that answered the discovery, and no other.
    var policy: HTTPVersionPolicy {
        switch self {
        case .http1_0, .http1_1: .http1
        case .http2: .http2PriorKnowledge
        }
    }
}

extension Attempt: ClientExchangeDelegate {
    func exchange(_ exchange: ClientExchange, received head: HTTPResponseHead, version: HTTPVersion) {
        headArrived(
            status: head.status, contentType: head.headers["content-type"],
            retryAfter: head.headers["retry-after"], server: head.headers["x-restate-server"])
    }

    func exchange(_ exchange: ClientExchange, received body: Bytes) { arrived(body) }

    func exchangeEnded(_ exchange: ClientExchange) { ended() }

    func exchange(_ exchange: ClientExchange, failed error: TransportError) {
        switch error.code {
        case .refused: refused(error.message)
        case .stale: refused(error.message, retryAfter: Self.staleDelay)
        default: broke(error.message)
        }
    }

    func exchangeIsWritable(_ exchange: ClientExchange) { becameWritable() }

    /// Until the loop has heard of other connections that have ended, in milliseconds.
    private static let staleDelay: UInt64 = 5
}
