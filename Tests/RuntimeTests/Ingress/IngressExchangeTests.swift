import HoldfastEngine
import HoldfastServiceProtocol
import HoldfastTransport
import HoldfastWire
import Testing

@testable import HoldfastRuntime

@Suite struct IngressExchangeTests {
    // MARK: The body

    @Test(arguments: [(BodyError.tooLarge, 413), (.aborted, 400)])
    func `a body that does not come to its end starts nothing`(error: BodyError, status: Int) throws {
        let world = try IngressWorld()
        for path in [
            "/Raw/echo", "/restate/lookup", "/restate/awakeables/\(AwakeableID.signal(id, index: 17))/resolve",
        ] {
            let client = world.open("POST", path, [("content-type", "a/b")])
            #expect(client.isBodyWanted)
            client.end(.failure(error))
            #expect(client.answers.map(\.status) == [status])
            #expect(client.answer?.text.contains("cannot read body") == true)
        }
        #expect(world.partition.requests.isEmpty && world.partition.signals.isEmpty)
    }

    private let id = InvocationID(partitionKey: 1, uuid: 2)

    @Test func `what the head decides is answered before the body`() throws {
        let world = try IngressWorld()
        for path in ["/Nope/h", "/", "/restate/awakeables/foo/resolve", "/Hidden/ping", "/restate/health"] {
            let client = world.open("POST", path, [("transfer-encoding", "chunked")])
            #expect(!client.isBodyWanted)
            #expect(client.answers.count == 1)
            client.end(.success([1]))
            #expect(client.answers.count == 1)
        }
    }

    // MARK: The place

    @Test func `a call that could be anywhere goes where the loop favours it`() throws {
        let world = try IngressWorld()
        let isFavoured = { (key: UInt64) in key < UInt64.max / 2 }
        for _ in 0..<16 { _ = world.post("/Greeter/greet", #""Ada""#) }
        #expect(world.partition.requests.contains { !isFavoured($0.id.partitionKey) })
        world.partition.favoured = isFavoured
        for _ in 0..<16 { _ = world.post("/Greeter/greet", #""Ada""#) }
        #expect(world.partition.requests.suffix(16).count { !isFavoured($0.id.partitionKey) } <= 2)
        world.partition.favoured = { _ in false }
        #expect(world.post("/Greeter/greet", #""Ada""#).answer?.status == 200)
    }

    // MARK: The handler

    @Test func `a failure outlives its handler, a value does not`() throws {
        let world = try IngressWorld()
        for (input, status, source) in [(#"{"do":"fail","code":418}"#, 418, "invocation"), ("1", 404, "ingress")] {
            world.partition.registry = try IngressFixtures.registry()
            let id = try #require(world.post("/Gone/h", input).answer?.invocationID)
            world.partition.registry = try IngressFixtures.registry(withoutGone: true)
            for wait in ["attach", "output"] {
                let answer = world.send("GET", "/restate/\(wait)/\(id)").answer
                #expect(answer?.status == status)
                #expect(answer?[header: "x-restate-error-source"] == source)
            }
        }
    }

    // MARK: The client

    @Test func `a client that leaves is forgotten, and its invocation goes on`() throws {
        let world = try IngressWorld()
        let client = world.post("/Greeter/nap", "1000", [("idempotency-key", "k")])
        client.leave()
        let id = try #require(world.partition.requests.first?.id)
        #expect(world.partition.forgotten == [id])
        world.partition.end(id, .init(completion: .value(Bytes(utf8: "done"))))
        world.partition.deliver()
        #expect(client.answer == nil)
        #expect(world.post("/Greeter/nap", "1000", [("idempotency-key", "k")]).answer?.text == "done")
    }

    @Test func `a client that leaves before its body is whole starts nothing`() throws {
        let world = try IngressWorld(settings: IngressSettings(concurrentRequestLimit: 1))
        let client = world.open("POST", "/Raw/echo", [("content-type", "a/b")])
        client.leave()
        client.end(.success([1]))
        #expect(world.partition.requests.isEmpty)
        #expect(world.partition.forgotten.isEmpty)
        #expect(world.post("/Raw/echo").answer?.status == 200)
    }

    @Test func `requests in progress are bounded, and counted down once`() throws {
        let world = try IngressWorld(settings: IngressSettings(concurrentRequestLimit: 2))
        let first = world.post("/Greeter/nap", "1")
        let second = world.post("/Greeter/nap", "1")
        #expect(world.post("/Greeter/greet").answer?.status == 429)
        #expect(world.send("OPTIONS", "/Greeter/greet").answer?.status == 200)
        first.leave()
        first.leave()
        #expect(world.post("/Greeter/greet").answer?.status == 200)
        #expect(world.post("/Nope/h").answer?.status == 404)
        let third = world.post("/Greeter/nap", "1")
        #expect(world.send("GET", "/restate/health").answer?.status == 429)
        #expect(second.answer == nil && third.answer == nil)
    }

    // MARK: Order of the checks

    @Test(arguments: [
        ("PUT", "/Greeter/nope", 404), ("PUT", "/Hidden/ping", 400), ("PUT", "/Greeter/greet", 405),
        ("DELETE", "/restate/lookup", 405), ("POST", "/restate/a/foo/resolve", 400),
        ("GET", "/restate/a/foo/resolve", 405), ("GET", "/restate/attach", 405), ("PATCH", "/Counter/k/add", 405),
        ("POST", "/restate/attach/foo", 400), ("DELETE", "/Counter/%ff/add", 400),
    ])
    func `the first fault is reported`(method: String, path: String, status: Int) throws {
        #expect(try IngressWorld().send(method, path).answer?.status == status)
    }

    @Test func `faults of a send are reported in order`() throws {
        let world = try IngressWorld()
        func message(_ query: String, _ headers: [(String, String)]) -> String {
            world.send("POST", "/Greeter/greet/send?" + query, headers, body: Bytes(utf8: "1")).answer?.text ?? ""
        }
        let json = ("content-type", "application/json")
        let odd = ("x-odd", "ä")
        #expect(message("delay=x&limit-key=/", [odd]).contains("input validation error"))
        #expect(message("delay=x&limit-key=/", [json, odd]).contains("bad delay"))
        #expect(message("limit-key=/", [json, odd]).contains("invalid limit-key"))
        #expect(message("limit-key=a", [json, odd]).contains("limit-key requires a scope"))
        #expect(message("", [json, odd]).contains("bad header x-odd"))
        let call = world.post("/Greeter/greet?delay=0", "1", [odd]).answer?.text
        #expect(call?.contains("bad header x-odd") == true)
        #expect(world.partition.requests.isEmpty)
    }

    @Test func `a scope is checked before it is refused`() throws {
        let off = try IngressWorld()
        #expect(off.post("/restate/scope/a%20b/call/Greeter/greet").answer?.text.contains("bad scope value") == true)
        #expect(off.post("/restate/scope/a/call/Greeter/greet").answer?.text.contains("vqueues") == true)
        let services = try IngressWorld(settings: IngressSettings(scopesEnabled: true))
        #expect(services.post("/restate/scope/a/call/Counter/k/add", "1").answer?.status == 400)
        #expect(services.post("/restate/scope/a/call/Greeter/greet?limit-key=x/y/").answer?.status == 200)
        let request = try #require(services.partition.requests.first)
        #expect(request.target.scope == "a")
        #expect(request.limitKey == "x/y")
    }
}

// MARK: - What the partition gets

@Suite struct IngressSubmissionTests {
    @Test func `services and objects get a random idempotency key, workflows none`() throws {
        let world = try IngressWorld()
        world.post("/Greeter/greet")
        world.post("/Greeter/greet/send")
        world.send("GET", "/Counter/k/get")
        world.send("GET", "/Quick/k/look")
        world.post("/Quick/k/run")
        let keys = world.partition.requests.map(\.idempotencyKey)
        #expect(keys.prefix(3).allSatisfy { $0?.count == 26 })
        #expect(Set(keys.prefix(3)).count == 3)
        #expect(keys.suffix(2).allSatisfy { $0 == nil })
        #expect(Set(world.partition.requests.map(\.id)).count == 5)
    }

    @Test func `ids follow from keys`() throws {
        let world = try IngressWorld()
        for _ in 0..<2 { world.post("/Greeter/greet", #""x""#, [("idempotency-key", "my-key")]) }
        world.post("/Counter/my-counter/add", "1", [("idempotency-key", "abc")])
        world.send("GET", "/Quick/Mary/look")
        world.send("GET", "/Quick/Mary/look", [("idempotency-key", "k")])
        let ids = world.partition.requests.map(\.id)
        #expect(ids[0] == ids[1])
        #expect(ids[0].description == "inv_11x6cJlusUs54YqNdo5AAzdYrYOmeoHQrU")
        #expect(ids[2].description == "inv_1l8n0Bsg2WP301dx4d3NQNLVY5b1Tmry3k")
        #expect(ids[3].partitionKey == 0x43c5_171a_2ba4_02b3)
        #expect(ULID(ids[3].uuid).timestamp == world.partition.now)
        #expect(ids[4].partitionKey == 0x43c5_171a_2ba4_02b3)
        #expect(
            ids[4].uuid
                == DeterministicID.idempotent(
                    scope: nil, service: "Quick", key: "Mary", handler: "look", idempotencyKey: "k"))
    }

    @Test func `handlers get the headers of the request`() throws {
        let world = try IngressWorld()
        let headers = [
            ("host", "h"), ("connection", "close"), ("x-b", "1"), ("idempotency-key", "k"), ("te", "trailers"),
            ("x-a", " \t~"), ("x-b", "2"), ("idempotency-expires", "e"), ("content-type", "a/b"), ("x-empty", ""),
        ]
        world.send("POST", "//Raw/echo/?q=%C3%A4", headers, body: Bytes(utf8: "body"))
        let input = try InputCommand(decoding: #require(world.partition.requests.first).input)
        #expect(
            input.headers == [
                Header(key: "x-restate-ingress-path", value: "/Raw/echo?q=%C3%A4"), Header(key: "x-b", value: "1"),
                Header(key: "te", value: "trailers"), Header(key: "x-a", value: " \t~"),
                Header(key: "content-type", value: "a/b"), Header(key: "x-empty", value: ""),
            ])
        #expect(input.value == Bytes(utf8: "body"))
        #expect(input.name.isEmpty)
    }

    @Test func `retention is the handler's, by whether there is a key`() throws {
        var settings = HandlerSettings()
        settings.journalRetention = 500
        settings.idempotencyRetention = 300
        settings.workflowCompletionRetention = 700
        let world = try IngressWorld(registry: IngressFixtures.registry(settings: settings))
        world.post("/Greeter/greet")
        world.post("/Quick/k/run")
        world.send("GET", "/Quick/k/look")
        world.send("GET", "/Quick/k/look", [("idempotency-key", "k")])
        let kept = world.partition.requests.map { [$0.completionRetention, $0.journalRetention] }
        #expect(kept == [[300, 300], [700, 500], [500, 500], [300, 300]])
    }

    @Test func `a delay counts from the receipt of the request`() throws {
        let world = try IngressWorld()
        world.partition.now = Timestamp(millis: 1_764_063_600_000)
        let answer = world.send("POST", "/Greeter/void/send?x=y&Delay=1500ms&delay=1h").answer
        #expect(answer?.text.contains(#""executionTime":"2025-11-25T09:40:01.500000000Z""#) == true)
        world.send("POST", "/Greeter/void/send?delay=0")
        world.send("POST", "/Greeter/void/send")
        #expect(
            world.partition.requests.map(\.executionTime) == [
                Timestamp(millis: 1_764_063_601_500), Timestamp(millis: 1_764_063_600_000), nil,
            ])
    }

    @Test(arguments: ["18446744073709551615", "70000000h", "251575736799999"])
    func `nothing is scheduled beyond the year 9999`(delay: String) throws {
        let world = try IngressWorld()
        world.partition.now = Timestamp(millis: 1_826_564_000_001)
        let answer = world.send("POST", "/Greeter/void/send?delay=\(delay)").answer
        #expect(answer?.status == 400)
        #expect(world.partition.requests.isEmpty)
    }

    @Test func `a call waits, a send does not, and both name their request`() throws {
        let world = try IngressWorld()
        #expect(world.post("/Greeter/nap", "1").answer == nil)
        #expect(world.post("/Greeter/nap/send", "1").answer?.status == 202)
        for request in world.partition.requests {
            guard case .ingress(let id?) = request.source else {
                Issue.record("the source is \(request.source)")
                continue
            }
            #expect(id.loop == 0)
        }
    }

    @Test func `awakeables become signals`() throws {
        let world = try IngressWorld()
        let id = InvocationID(partitionKey: 3, uuid: 4)
        let awakeable = AwakeableID.signal(id, index: 17).description
        let resolved = world.send("POST", "/restate/awakeables/\(awakeable)/resolve", body: Bytes(utf8: "v"))
        world.send("POST", "/restate/a/\(awakeable)==/resolve")
        world.send("POST", "/restate/a/\(awakeable)/reject", body: [0x61, 0xFF])
        world.send("POST", "/restate/a/\(AwakeableID.entry(id, index: 3))/resolve", body: Bytes(utf8: "old"))
        #expect(resolved.answer?.status == 202)
        #expect(resolved.answer?.body.isEmpty == true)
        #expect(resolved.answer?[header: "x-restate-id"] == nil)
        #expect(world.partition.signals.map(\.id) == [id, id, id])
        let failure = Failure(code: 500, message: "a\u{FFFD}")
        #expect(
            world.partition.signals.map(\.signal) == [
                .signal(.signal(17), .value(Bytes(utf8: "v"))), .signal(.signal(17), .value([])),
                .signal(.signal(17), .failure(failure)),
            ])
    }
}
