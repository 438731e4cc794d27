import HoldfastTransport
import HoldfastWire
import Synchronization
import Testing

/// Our client against our server, in both versions of HTTP.
@Suite(.timeLimit(.minutes(5)))
struct ExchangeTests {
    static let versions: [HTTPVersionPolicy] = [.http1, .http2PriorKnowledge]

    @Test(arguments: versions)
    func `a request's head and body arrive as they were sent`(version: HTTPVersionPolicy) async throws {
        let harness = try Harness { exchange in
            let request = exchange.request
            let seen = "\(request.method) \(request.path) \(request.authority ?? "-") \(request.headers["x-a"] ?? "-")"
            exchange.collectBody(limit: 100) { body in
                exchange.answer("\(seen) \((try? body.get())?.lossyString ?? "?")")
            }
        }
        let answer = await harness.request(
            HTTPRequestHead(method: "POST", path: "/p/ä?q=%20", headers: ["X-A": "1"]),
            body: [Bytes(utf8: "one "), Bytes(utf8: "two")], version: version)
        #expect(answer.status == 200)
        #expect(answer.text == "POST /p/ä?q=%20 127.0.0.1:\(harness.port) 1 one two")
        #expect(answer.head?.headers["content-type"] == "text/plain")
        #expect(answer.head?.headers["date"] != nil)
        #expect(answer.version == (version == .http1 ? .http1_1 : .http2))
    }

    @Test(arguments: versions)
    func `statuses that HTTP does not name arrive, and bodies may be empty`(version: HTTPVersionPolicy) async throws {
        let harness = try Harness { $0.respond(HTTPResponseHead(status: 571), body: []) }
        let answer = await harness.request(HTTPRequestHead(method: "GET", path: "/"), version: version)
        #expect(answer.status == 571)
        #expect(answer.body.isEmpty && answer.error == nil)
    }

    @Test(arguments: versions)
    func `an answer to HEAD has its length and no body`(version: HTTPVersionPolicy) async throws {
        let harness = try Harness { $0.answer("four") }
        let answer = await harness.request(HTTPRequestHead(method: "HEAD", path: "/"), version: version)
        #expect(answer.status == 200)
        #expect(answer.head?.headers["content-length"] == "4")
        #expect(answer.body.isEmpty && answer.error == nil)
    }

    @Test(arguments: versions)
    func `large bodies pass in both directions, whole and in pieces`(version: HTTPVersionPolicy) async throws {
        let harness = try Harness { $0.request.path == "/echo" ? $0.echo() : $0.mirror() }
        let body = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 16) }
        for path in ["/echo", "/mirror"] {
            let answer = await harness.request(
                HTTPRequestHead(method: "POST", path: path), body: [body[..<1_000_000], body[1_000_000...]],
                version: version)
            #expect(answer.body == body)
            #expect(answer.error == nil)
        }
    }

    @Test(arguments: versions)
    func `the response is read while the request goes on`(version: HTTPVersionPolicy) async throws {
        let harness = try Harness { $0.mirror() }
        defer { withExtendedLifetime(harness) {} }
        let loop = harness.group.loops[0]
        let port = harness.port
        let answer: Answer = await withCheckedContinuation { continuation in
            loop.post {
                let client = HTTPClient(loop: loop)
                let caller = Caller { answer in
                    client.close()
                    continuation.resume(returning: answer)
                }
                let exchange = client.open(
                    HTTPRequestHead(method: "POST", path: "/"),
                    to: HTTPOrigin(secure: false, host: "127.0.0.1", port: port), version: version, hasBody: true,
                    delegate: caller)
                var questions = 0
                // Each piece is written only after the answer to the one before it: nothing may wait for the end.
                caller.onHead = { $0.write(Bytes(utf8: "0")) }
                caller.onBody = { exchange, _ in
                    questions += 1
                    if questions == 10 { exchange.end() } else { exchange.write(Bytes(utf8: "\(questions)")) }
                }
                _ = exchange
            }
        }
        #expect(answer.text == "0123456789")
    }

    @Test(arguments: versions)
    func `a body above the limit is refused before it was read`(version: HTTPVersionPolicy) async throws {
        let harness = try Harness { exchange in
            exchange.collectBody(limit: 1000) { result in
                #expect(result == .failure(.tooLarge))
                exchange.answer("too large", status: 413)
            }
        }
        let answer = await harness.request(
            HTTPRequestHead(method: "POST", path: "/"), body: [Bytes(repeating: 0, count: 2_000_000)], version: version)
        #expect(answer.status == 413)
        #expect(answer.text == "too large")
    }

    @Test(arguments: versions)
    func `a declared length above the limit is refused without asking the service`(
        version: HTTPVersionPolicy
    ) async throws {
        var options = HTTPServerOptions()
        options.maxBodyBytes = 10
        options.rejectDeclaredLength = true
        let harness = try Harness(options: options) { _ in Issue.record("the service is not asked") }
        let answer = await harness.request(
            HTTPRequestHead(method: "POST", path: "/", headers: ["content-length": "11"]),
            body: [Bytes(repeating: 0, count: 11)], version: version)
        #expect(answer.status == 413)
        #expect(answer.text == "length limit exceeded")
        #expect(answer.head?.headers["content-type"] == "text/plain; charset=utf-8")
    }

    @Test(arguments: versions)
    func `a service learns that the client has given up`(version: HTTPVersionPolicy) async throws {
        let closed = Mutex(false)
        let harness = try Harness { exchange in
            exchange.start(HTTPResponseHead(status: 200))
            exchange.onClosed = {
                closed.withLock { $0 = true }
                withExtendedLifetime(exchange) {}
            }
        }
        defer { withExtendedLifetime(harness) {} }
        let loop = harness.group.loops[0]
        let port = harness.port
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            loop.post {
                let client = HTTPClient(loop: loop)
                let caller = Caller { _ in Issue.record("a cancelled exchange is silent") }
                caller.client = client
                caller.onHead = {
                    $0.cancel()
                    loop.schedule(after: 1) {
                        caller.client = nil
                        continuation.resume()
                    }
                }
                _ = client.open(
                    HTTPRequestHead(method: "GET", path: "/"),
                    to: HTTPOrigin(secure: false, host: "127.0.0.1", port: port), version: version, hasBody: false,
                    delegate: caller)
            }
        }
        #expect(await eventually { closed.withLock { $0 } })
    }

    @Test func `a connection that is refused fails with the address`() async throws {
        let group = try LoopGroup(count: 1)
        defer { group.stop() }
        group.start()
        let answer = await Caller.request(
            HTTPRequestHead(method: "GET", path: "/"), to: HTTPOrigin(secure: false, host: "127.0.0.1", port: 1),
            version: .http2PriorKnowledge, on: group.loops[0])
        #expect(answer.error?.code == .connectionRefused)
        #expect(answer.error?.message.contains("127.0.0.1:1") == true)
    }

    @Test func `two servers on one port are refused with the address`() async throws {
        let harness = try Harness { $0.answer("") }
        let second = try HTTPServer(group: harness.group) { _ in ClosureService { $0.answer("") } }
        let port = harness.port
        let error = #expect(throws: TransportError.self) { try second.listen(host: "127.0.0.1", port: port) }
        #expect(error?.code == .addressInUse)
        #expect(error?.message.contains("127.0.0.1:\(port)") == true)
    }
}

/// Asks until the answer is yes, for a minute at most.
func eventually(_ isTrue: () -> Bool) async -> Bool {
    let clock = ContinuousClock()
    let deadline = clock.now + .seconds(60)
    while clock.now < deadline {
        if isTrue() { return true }
        await Task.yield()
    }
    return false
}
