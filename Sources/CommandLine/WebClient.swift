import HoldfastTransport
import HoldfastWire

/// One HTTP request at a time, for the commands: waits for the answer on an event loop that lives only for it.
enum WebClient {
    struct Answer {
        let status: Int
        let headers: HTTPHeaders
        let body: [UInt8]
    }

    enum Failure: Error {
        case badURL(String)
        case unreachable(String)
    }

    /// - Parameter timeLimitMillis: How long the whole answer may take; nil: for ever.
    static func send(
        _ method: String, _ url: String, headers: [(String, String)], body: [UInt8]?, timeLimitMillis: UInt64? = nil
    ) throws(Failure) -> Answer {
        let (origin, path) = try parts(of: url)
        var lines = HTTPHeaders()
        for (name, value) in headers { lines.add(name, value) }
        if let body { lines.add("content-length", String(body.count)) }
        let request = WebRequest(
            head: HTTPRequestHead(method: method, path: path, headers: lines), origin: origin, body: body,
            timeLimitMillis: timeLimitMillis)
        let loop: EventLoop
        do {
            loop = try EventLoop(index: 0)
        } catch {
            throw .unreachable("\(error)")
        }
        loop.post { request.begin(on: loop) }
        loop.run()
        switch request.outcome {
        case .answered(let answer): return answer
        case .failed(let error): throw .unreachable(reason(error))
        case .pending: throw .unreachable("the request was cut off")
        }
    }

    /// Messages of the transport are whole sentences; here they stand inside of one.
    private static func reason(_ error: TransportError) -> String {
        switch error.code {
        case .connectionRefused: "nobody listens there"
        case .connectTimeout: "it does not answer"
        case .timeout: "it has the request, but gave no answer in time"
        case .connectionClosed: "it closed the connection without an answer"
        default: String(error.message.reversed().drop { $0 == "." }.reversed())
        }
    }

    private static func parts(of url: String) throws(Failure) -> (HTTPOrigin, path: String) {
        guard let scheme = ["http://", "https://"].first(where: url.hasPrefix) else {
            throw .badURL("it begins neither with http:// nor with https://")
        }
        let rest = url.dropFirst(scheme.count)
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        let path = rest.dropFirst(authority.count)
        let isSecure = scheme == "https://"
        let usualPort = isSecure ? 443 : 80
        let host: Substring
        var port = usualPort
        if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
            host = authority[authority.index(after: authority.startIndex)..<end]
            port = try Self.port(authority[authority.index(after: end)...], usualPort)
        } else if let colon = authority.lastIndex(of: ":") {
            host = authority[..<colon]
            port = try Self.port(authority[colon...], usualPort)
        } else {
            host = authority
        }
        guard !host.isEmpty else { throw .badURL("it names no host") }
        let origin = HTTPOrigin(secure: isSecure, host: String(host), port: port)
        return (origin, path.hasPrefix("/") ? String(path) : "/" + path)
    }

    /// The number behind a colon.
    private static func port(_ text: Substring, _ usual: Int) throws(Failure) -> Int {
        if text.isEmpty { return usual }
        guard text.hasPrefix(":"), let port = UInt16(text.dropFirst()) else {
            throw .badURL("'\(text)' is no port")
        }
        return Int(port)
    }
}

/// A request on its way, and what became of it.
///
/// `@unchecked Sendable`: made before its loop runs, then touched by the loop, then read after the loop has ended; and the
/// loop runs on the very thread that does all of that.
private final class WebRequest: ClientExchangeDelegate, @unchecked Sendable {
    enum Outcome {
        case pending
        case answered(WebClient.Answer)
        case failed(TransportError)
    }

    private(set) var outcome = Outcome.pending
    private let head: HTTPRequestHead
    private let origin: HTTPOrigin
    private let body: [UInt8]?
    private let timeLimitMillis: UInt64?
    private var client: HTTPClient?
    private var loop: EventLoop?
    private var response: HTTPResponseHead?
    private var received: [UInt8] = []

    init(head: HTTPRequestHead, origin: HTTPOrigin, body: [UInt8]?, timeLimitMillis: UInt64?) {
        self.head = head
        self.origin = origin
        self.body = body
        self.timeLimitMillis = timeLimitMillis
    }

    func begin(on loop: EventLoop) {
        let client = HTTPClient(loop: loop)
        self.loop = loop
        self.client = client
        if let timeLimitMillis {
            loop.schedule(after: timeLimitMillis) { [unowned self] in
                finish(.failed(TransportError(.timeout, "There was no answer in \(timeLimitMillis) ms.")))
            }
        }
        let exchange = client.open(
            head, to: origin, version: .http1, hasBody: body?.isEmpty == false, delegate: self)
        guard let body, !body.isEmpty else { return }
        exchange.write(body[...])
        exchange.end()
    }

    func exchange(_ exchange: ClientExchange, received head: HTTPResponseHead, version: HTTPVersion) { response = head }

    func exchange(_ exchange: ClientExchange, received body: Bytes) { received += body }

    func exchangeEnded(_ exchange: ClientExchange) {
        guard let response else { return }
        finish(.answered(WebClient.Answer(status: response.status, headers: response.headers, body: received)))
    }

    func exchange(_ exchange: ClientExchange, failed error: TransportError) { finish(.failed(error)) }

    func exchangeIsWritable(_ exchange: ClientExchange) {}

    private func finish(_ outcome: Outcome) {
        // What closing the client brings about comes too late.
        guard case .pending = self.outcome else { return }
        self.outcome = outcome
        client?.close()
        loop?.stop()
    }
}
