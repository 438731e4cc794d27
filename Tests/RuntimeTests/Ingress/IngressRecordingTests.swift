import HoldfastEngine
import HoldfastServiceProtocol
import HoldfastWire
import Testing

@testable import HoldfastRuntime

/// Every exchange that was recorded from the real server must come out equal.
@Suite struct IngressRecordingTests {
    /// Exchanges that something else than the ingress answers, or that Holdfast answers in another way on purpose.
    private static let exceptions: [String: String] = [
        "path longer than 65534 bytes": "the HTTP layer's limit",
        "more than 100 header lines": "the HTTP layer's limit",
        "body too large, declared": "the HTTP layer's limit",
        "bad delay: 5000": "bare milliseconds are accepted: the Python client sends them",
        "lookup: unknown target": "400 instead of 500: it is the client's fault",
        "health": "lists the services of the recording's tests too",
        "health, trailing slash": "lists the services of the recording's tests too",
    ]

    @Test func `exchanges of a default server come out as recorded`() throws {
        let scoped = "`experimental-enable-vqueues`"
        try run(RecordedExchange.all.filter { !$0.setup.hasPrefix(scoped) && $0.status != 429 }, in: IngressWorld())
    }

    @Test func `exchanges of a server with scopes come out as recorded`() throws {
        let scoped = "`experimental-enable-vqueues`"
        let settings = IngressSettings(scopesEnabled: true, scopedObjectsEnabled: true)
        try run(RecordedExchange.all.filter { $0.setup.hasPrefix(scoped) }, in: IngressWorld(settings: settings))
    }

    @Test func `exchanges of a server at its limit come out as recorded`() throws {
        let world = try IngressWorld(settings: IngressSettings(concurrentRequestLimit: 2))
        let waiting = [world.post("/Greeter/nap", "1000"), world.post("/Greeter/nap", "1000")]
        try run(RecordedExchange.all.filter { $0.status == 429 }, in: world)
        #expect(waiting.allSatisfy { $0.answer == nil })
    }

    @Test func `all exchanges are there`() {
        #expect(RecordedExchange.all.count == 162)
        let names = Set(RecordedExchange.all.map(\.name))
        #expect(Self.exceptions.keys.allSatisfy(names.contains))
    }

    private func run(_ exchanges: [RecordedExchange], in world: IngressWorld) throws {
        #expect(!exchanges.isEmpty)
        var stage = RecordingStage(world: world)
        for exchange in exchanges where Self.exceptions[exchange.name] == nil {
            let client = try stage.play(exchange)
            guard let answer = client.answer else {
                Issue.record("\(exchange.name): no answer")
                continue
            }
            #expect(client.answers.count == 1)
            let differences = exchange.differences(from: answer)
            #expect(differences.isEmpty, "\(exchange.name): \(differences.joined(separator: "; "))")
        }
    }
}

/// Plays exchanges in their order, and does between them what their setups say.
private struct RecordingStage {
    let world: IngressWorld
    /// The invocation that `<id>` and `<awakeable id>` of the next exchange stand for.
    private var subject = InvocationID(partitionKey: 1, uuid: 1)

    init(world: IngressWorld) { self.world = world }

    mutating func play(_ exchange: RecordedExchange) throws -> IngressWorld.Client {
        try prepare(exchange)
        let path = exchange.path.replacing("<id>", with: subject.description)
            .replacing("<awakeable id>", with: AwakeableID.signal(subject, index: 17).description)
        let client = world.send(exchange.method, path, exchange.headers, body: exchange.body)
        if let id = client.answer?.invocationID { subject = id }
        if let ending = endings[exchange.name] {
            world.partition.end(subject, ending, kept: exchange.name != "attach, then cancelled while scheduled")
            world.partition.deliver()
        }
        return client
    }

    /// What somebody else does to the subject while the exchange waits.
    private var endings: [String: FakePartition.Ending] {
        [
            "attach, then killed": .init(completion: .failure(Failure(code: 409, message: "killed"))),
            "attach, then cancelled while scheduled":
                .init(completion: .failure(Failure(code: 409, message: "canceled"))),
            "the value arrives": .init(completion: .value(Bytes(utf8: #"{"value": "v"}"#))),
            "the rejection arrives":
                .init(completion: .value(Bytes(utf8: #"{"failed": "my reason", "code": 500, "meta": null}"#))),
        ]
    }

    private mutating func prepare(_ exchange: RecordedExchange) throws {
        switch exchange.name {
        case "output of a completed invocation", "attach to a completed invocation":
            subject(of: world.post("/Greeter/greet/send"))
        case "output of a failed invocation":
            subject(of: world.post("/Greeter/fail/send", #"{"code":403,"msg":"no"}"#))
        case "attach, then killed": subject(of: world.post("/Greeter/nap/send", "1000"))
        case "attach, then cancelled while scheduled": subject(of: world.post("/Greeter/greet/send?delay=1h"))
        case "keyed output, object, old form": world.post("/Counter/o1/add", "1", [("idempotency-key", "ok")])
        case "awakeable resolve", "awakeable resolve, alias", "awakeable reject":
            subject(of: world.send("POST", "/Greeter/awk/send"))
        case "awakeable of an unknown invocation": subject = InvocationID(partitionKey: 5, uuid: 5)
        case "output, handler gone from the latest revision", "attach, handler gone from the latest revision":
            world.partition.registry = try IngressFixtures.registry()
            subject(of: world.post("/Gone/h/send"))
            world.partition.registry = try IngressFixtures.registry(withoutGone: true)
        default: break
        }
    }

    private mutating func subject(of client: IngressWorld.Client) {
        if let id = client.answer?.invocationID { subject = id }
    }
}
