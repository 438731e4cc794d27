import HoldfastEngine
import HoldfastTransport
import HoldfastWire
import Testing

@testable import HoldfastRuntime

/// The ingress behind a real server on a free port; the partition answers in a later turn of the loop.
private final class IngressServer {
    let group: LoopGroup
    let port: Int

    init(_ configuration: Configuration = Configuration()) throws {
        group = try LoopGroup(count: 1)
        let registry = try IngressFixtures.registry()
        let settings = IngressSettings(configuration)
        let server = try HTTPServer(group: group, options: IngressService.serverOptions(configuration)) { loop in
            let handlers = RecordedHandlers()
            let partition = FakePartition(registry: registry, run: handlers.run)
            partition.onAsk = { [unowned partition] in loop.schedule(after: 0) { partition.deliver() } }
            return IngressService(
                door: partition, settings: settings,
                admission: settings.concurrentRequestLimit.map(RequestAdmission.init(limit:)))
        }
        port = try server.listen(host: "127.0.0.1", port: 0)
        group.start()
    }

    deinit { group.stop() }
}

@Suite struct IngressOverHTTPTests {
    /// Exchanges that need somebody else to do something in between, or another configuration, or a great body.
    private static func isPlain(_ exchange: RecordedExchange) -> Bool {
        !exchange.path.contains("<") && exchange.status != 429 && exchange.body.count < 1 << 20
            && !exchange.setup.hasPrefix("`experimental") && !exchange.headers.contains { $0.0.hasPrefix("<") }
            && !["bad delay: 5000", "lookup: unknown target", "health", "health, trailing slash"].contains(
                exchange.name)
    }

    @Test func `exchanges come out as recorded over a connection, too`() throws {
        let server = try IngressServer()
        let exchanges = RecordedExchange.all.filter(Self.isPlain)
        #expect(exchanges.count > 120)
        // The setup of one exchange.
        _ = try Self.ask(
            server,
            "POST /Counter/o1/add HTTP/1.1\r\nhost: h\r\nidempotency-key: ok\r\ncontent-type: application/json\r\n"
                + "content-length: 1\r\n\r\n1")
        for exchange in exchanges {
            var text = "\(exchange.method) \(exchange.path) HTTP/1.1\r\n"
            for (name, value) in exchange.headers { text += "\(name): \(value)\r\n" }
            let client = try #require(SocketClient(port: server.port))
            client.write(Bytes(utf8: text + "\r\n") + exchange.body)
            guard let answer = client.readAnswer(hasBody: exchange.method != "HEAD") else {
                Issue.record("\(exchange.name): no answer")
                continue
            }
            let differences = exchange.differences(from: Self.recordable(answer))
            #expect(differences.isEmpty, "\(exchange.name): \(differences.joined(separator: "; "))")
        }
    }

    @Test func `a chunked body is refused when it exceeds the limit`() throws {
        var configuration = Configuration()
        configuration.ingress.requestSizeLimit = 1000
        let server = try IngressServer(configuration)
        let chunk = "1f4\r\n" + String(repeating: "x", count: 500) + "\r\n"
        let head = "POST /Raw/echo HTTP/1.1\r\nhost: h\r\ncontent-type: a/b\r\ntransfer-encoding: chunked\r\n\r\n"
        let fitting = try Self.ask(server, head + chunk + chunk + "0\r\n\r\n")
        #expect(fitting.status == 200)
        #expect(fitting.body.count == 1000)
        let excessive = try Self.ask(server, head + chunk + chunk + chunk + "0\r\n\r\n")
        #expect(excessive.status == 413)
        #expect(
            excessive.body.lossyString
                == #"{"code":413,"message":"cannot read body: LengthLimitError","source":"ingress"}"#)
    }

    @Test func `heads beyond the limits get an empty answer and the end of the connection`() throws {
        let server = try IngressServer()
        let lines = (1...101).map { "x-\($0): v\r\n" }.joined()
        let path = "/Counter/" + String(repeating: "k", count: 66_000) + "/get"
        for (request, status) in [
            ("POST /Greeter/void HTTP/1.1\r\n\(lines)\r\n", 431), ("GET \(path) HTTP/1.1\r\nhost: h\r\n\r\n", 414),
            ("nonsense\r\n\r\n", 400),
        ] {
            let answer = try Self.ask(server, request)
            #expect(answer.status == status)
            #expect(answer.body.isEmpty)
            #expect(answer.headers.contains { $0 == ("connection", "close") })
        }
    }

    @Test func `a connection serves one request after another`() throws {
        let server = try IngressServer()
        let client = try #require(SocketClient(port: server.port))
        for path in ["/Greeter/void", "/Nope/h", "/restate/health", "/Greeter/void/send"] {
            client.write(Bytes(utf8: "GET \(path) HTTP/1.1\r\nhost: h\r\n\r\n"))
            #expect(client.readAnswer()?.status == ["/Nope/h": 404, "/Greeter/void/send": 202][path] ?? 200)
        }
    }

    @Test func `a client that leaves frees its place`() throws {
        var configuration = Configuration()
        configuration.ingress.concurrentRequestsLimit = 1
        let server = try IngressServer(configuration)
        let health = "GET /restate/health HTTP/1.1\r\nhost: h\r\n\r\n"
        do {
            let waiting = try #require(SocketClient(port: server.port))
            waiting.write(
                Bytes(
                    utf8: "POST /Greeter/nap HTTP/1.1\r\nhost: h\r\ncontent-type: application/json\r\n"
                        + "content-length: 1\r\n\r\n1"))
            #expect(try Self.poll { try Self.ask(server, health).status == 429 })
            withExtendedLifetime(waiting) {}
        }
        #expect(try Self.poll { try Self.ask(server, health).status == 200 })
    }

    private static func ask(_ server: IngressServer, _ request: String) throws -> SocketClient.Answer {
        let client = try #require(SocketClient(port: server.port))
        client.write(Bytes(utf8: request))
        return try #require(client.readAnswer())
    }

    private static func poll(_ condition: () throws -> Bool) rethrows -> Bool {
        let deadline = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < deadline {
            if try condition() { return true }
        }
        return false
    }

    /// The headers that recordings have. A connection ends with a body that nobody reads; that was not recorded.
    private static func recordable(_ answer: SocketClient.Answer) -> IngressAnswer {
        let headers = answer.headers.filter {
            !["date", "content-length", "transfer-encoding", "connection"].contains($0.name)
        }
        return IngressAnswer(
            status: answer.status, headers: HTTPHeaders(headers.map { HTTPHeader(name: $0.name, value: $0.value) }),
            body: answer.body)
    }
}
