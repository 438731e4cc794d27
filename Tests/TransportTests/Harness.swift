import HoldfastTransport
import HoldfastWire
import Synchronization

/// A server and a client on loops of their own, for one test.
final class Harness: Sendable {
    let group: LoopGroup
    let server: HTTPServer
    let port: Int

    init(
        loops: Int = 2, options: HTTPServerOptions = HTTPServerOptions(),
        _ answer: @escaping @Sendable (ServerExchange) -> Void
    ) throws {
        group = try LoopGroup(count: loops)
        server = try HTTPServer(group: group, options: options) { _ in ClosureService(answer) }
        group.start()
        port = try server.listen(host: "127.0.0.1", port: 0)
    }

    deinit { group.stop() }

    /// One request over a client of its own, from beginning to end.
    func request(
        _ head: HTTPRequestHead, body: [Bytes]? = nil, version: HTTPVersionPolicy = .http2PriorKnowledge,
        options: HTTPClientOptions = HTTPClientOptions()
    ) async -> Answer {
        defer { withExtendedLifetime(self) {} }
        return await Caller.request(
            head, to: HTTPOrigin(secure: false, host: "127.0.0.1", port: port), body: body, version: version,
            on: group.loops[0], options: options)
    }
}

/// A service in a closure.
final class ClosureService: HTTPService {
    private let answer: (ServerExchange) -> Void
    init(_ answer: @escaping (ServerExchange) -> Void) { self.answer = answer }
    func received(_ exchange: ServerExchange) { answer(exchange) }
}

/// What came of a request.
struct Answer: Sendable {
    var head: HTTPResponseHead?
    var version: HTTPVersion?
    var body: [UInt8] = []
    var error: TransportError?
    var status: Int? { head?.status }
    var text: String { String(decoding: body, as: UTF8.self) }
}

/// A delegate that gathers an answer. Used on one loop.
final class Caller: ClientExchangeDelegate, @unchecked Sendable {
    private(set) var answer = Answer()
    var client: HTTPClient?
    var onHead: (ClientExchange) -> Void = { _ in }
    var onBody: (ClientExchange, Bytes) -> Void = { _, _ in }
    var onWritable: (ClientExchange) -> Void = { _ in }
    private let done: (Answer) -> Void

    init(_ done: @escaping (Answer) -> Void) { self.done = done }

    func exchange(_ exchange: ClientExchange, received head: HTTPResponseHead, version: HTTPVersion) {
        answer.head = head
        answer.version = version
        onHead(exchange)
    }
    func exchange(_ exchange: ClientExchange, received body: Bytes) {
        answer.body += body
        onBody(exchange, body)
    }
    func exchangeEnded(_ exchange: ClientExchange) { finish() }
    func exchange(_ exchange: ClientExchange, failed error: TransportError) {
        answer.error = error
        finish()
    }
    func exchangeIsWritable(_ exchange: ClientExchange) { onWritable(exchange) }

    private func finish() {
        done(answer)
        onHead = { _ in }
        onBody = { _, _ in }
        onWritable = { _ in }
    }

    static func request(
        _ head: HTTPRequestHead, to origin: HTTPOrigin, body: [Bytes]? = nil, version: HTTPVersionPolicy,
        on loop: EventLoop, options: HTTPClientOptions = HTTPClientOptions()
    ) async -> Answer {
        await withCheckedContinuation { continuation in
            loop.post {
                let client = HTTPClient(loop: loop, options: options)
                let caller = Caller { answer in
                    client.close()
                    continuation.resume(returning: answer)
                }
                let exchange = client.open(head, to: origin, version: version, hasBody: body != nil, delegate: caller)
                for part in body ?? [] { exchange.write(part) }
                if body != nil { exchange.end() }
            }
        }
    }
}

extension ServerExchange {
    /// Answers with a text.
    func answer(_ text: String, status: Int = 200) {
        respond(HTTPResponseHead(status: status, headers: ["content-type": "text/plain"]), body: Bytes(utf8: text))
    }

    /// Answers with the request's body.
    func echo() {
        collectBody(limit: 64 << 20) { [self] result in
            switch result {
            case .success(let body): respond(HTTPResponseHead(status: 200), body: body)
            case .failure(let error): answer("\(error)", status: 413)
            }
        }
    }

    /// Sends the request's body back piece by piece, no faster than the client reads.
    func mirror() {
        start(HTTPResponseHead(status: 200))
        onWritable = { [unowned self] in resumeReading() }
        readBody(
            { [unowned self] in if !write($0) { pauseReading() } },
            end: { [self] _ in finish() })
    }
}
