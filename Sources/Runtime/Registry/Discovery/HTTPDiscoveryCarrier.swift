import HoldfastTransport
import HoldfastWire

/// Carries requests to endpoints over HTTP.
///
/// It has a client of its own: a deployment that is asked for the first time is not to share connections with those
/// that work, and the version of HTTP may differ.
final class HTTPDiscoveryCarrier: DiscoveryCarrier {
    /// The most bytes that a response may have.
    private let bodyLimit: Int
    private let client: HTTPClient
    private let loop: EventLoop

    init(loop: EventLoop, client: HTTPClient, bodyLimit: Int = 32 << 20) {
        self.loop = loop
        self.client = client
        self.bodyLimit = bodyLimit
    }

    func exchange(
        _ request: EndpointRequest, done: @escaping (Result<DiscoveryResponse, DiscoveryFault>) -> Void
    ) -> any DiscoveryExchange {
        let address = request.address
        let exchange = HTTPDiscoveryExchange(bodyLimit: bodyLimit, usesHTTP1: request.usesHTTP1, done: done)
        let policy: HTTPVersionPolicy =
            request.usesHTTP1 ? .http1 : address.isSecure ? .alpn : .http2PriorKnowledge
        var headers = HTTPHeaders()
        for (name, value) in request.headers { headers.add(name, value) }
        let origin = HTTPOrigin(secure: address.isSecure, host: address.host, port: address.port)
        let head = HTTPRequestHead(
            method: request.method, path: request.path, headers: headers, authority: address.hostAndPort)
        let opened = client.open(
            head, to: origin, version: policy, hasBody: request.body != nil, delegate: exchange)
        exchange.exchange = opened
        if let body = request.body {
            if !body.isEmpty { _ = opened.write(body) }
            opened.end()
        }
        return exchange
    }

    func schedule(after milliseconds: UInt64, _ body: @escaping () -> Void) -> () -> Void {
        let timer = loop.schedule(after: milliseconds, body)
        return { timer.cancel() }
    }
}

/// One request, whose response is gathered.
private final class HTTPDiscoveryExchange: DiscoveryExchange, ClientExchangeDelegate {
    weak var exchange: ClientExchange?
    private let bodyLimit: Int
    private let usesHTTP1: Bool
    private let done: (Result<DiscoveryResponse, DiscoveryFault>) -> Void
    private var response: DiscoveryResponse?
    private var isOver = false

    init(
        bodyLimit: Int, usesHTTP1: Bool, done: @escaping (Result<DiscoveryResponse, DiscoveryFault>) -> Void
    ) {
        self.bodyLimit = bodyLimit
        self.usesHTTP1 = usesHTTP1
        self.done = done
    }

    func cancel() {
        isOver = true
        exchange?.cancel()
    }

    func exchange(_ exchange: ClientExchange, received head: HTTPResponseHead, version: HTTPVersion) {
        response = DiscoveryResponse(
            status: head.status, headers: head.headers.map { ($0.name.lowercased(), $0.value) }, body: [],
            httpVersion: DeploymentHTTPVersion(version))
    }

    func exchange(_ exchange: ClientExchange, received body: Bytes) {
        guard let size = response?.body.count else { return }
        guard body.count <= bodyLimit - size else {
            exchange.cancel()
            return end(.failure(DiscoveryFault(kind: .broken, reason: "the response has more than \(bodyLimit) bytes")))
        }
        response?.body.append(contentsOf: body)
    }

    func exchangeEnded(_ exchange: ClientExchange) {
        guard let response else {
            return end(.failure(DiscoveryFault(kind: .broken, reason: "the response has no head")))
        }
        end(.success(response))
    }

    func exchange(_ exchange: ClientExchange, failed error: TransportError) {
        var reason = error.message
        if usesHTTP1, response == nil, error.code == .protocolError {
            reason =
                "server possibly supports only HTTP/2, consider discovering without --use-http1.1.\nReason: \(reason)"
        }
        end(.failure(DiscoveryFault(kind: kind(of: error), reason: reason)))
    }

    func exchangeIsWritable(_ exchange: ClientExchange) {}

    private func end(_ result: Result<DiscoveryResponse, DiscoveryFault>) {
        guard !isOver else { return }
        isOver = true
        done(result)
    }

    private func kind(of error: TransportError) -> DiscoveryFault.Kind {
        if response != nil { return .body }
        switch error.code {
        case .connectionRefused, .nameNotFound, .unreachable, .connectTimeout, .refused, .stale, .timeout, .tls,
            .system:
            return .unreachable
        case .http1OnlyPeer: return .http1OnlyPeer
        // Over HTTP/1.1 a connection that is closed instead of an answer means that the server did not like the
        // question; over HTTP/2 many requests share it, and this one may not have been the reason.
        case .connectionClosed, .streamReset: return usesHTTP1 ? .broken : .unreachable
        case .protocolError, .addressInUse, .addressNotAvailable, .tooLarge, .closed: return .broken
        }
    }
}

extension DeploymentHTTPVersion {
    fileprivate init(_ version: HTTPVersion) {
        switch version {
        case .http1_0: self = .http1_0
        case .http1_1: self = .http1_1
        case .http2: self = .http2
        }
    }
}
