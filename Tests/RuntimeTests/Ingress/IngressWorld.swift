import HoldfastEngine
import HoldfastWire

@testable import HoldfastRuntime

/// An ingress with a fake partition behind it, and no network before it.
final class IngressWorld {
    let partition: FakePartition
    let service: IngressService

    init(settings: IngressSettings = IngressSettings(), registry: Registry? = nil) throws {
        let handlers = RecordedHandlers()
        partition = FakePartition(registry: try registry ?? IngressFixtures.registry(), run: handlers.run)
        service = IngressService(
            door: partition, settings: settings,
            admission: settings.concurrentRequestLimit.map(RequestAdmission.init(limit:)),
            random: FastRandom(seed: 1))
    }

    /// A request that is under way.
    final class Client {
        private(set) var answers: [IngressAnswer] = []
        private var exchange: IngressExchange?

        init(_ world: IngressWorld, _ request: IngressRequest) {
            let exchange = IngressExchange(world.service) { [unowned self] in answers.append($0) }
            self.exchange = exchange
            exchange.began(request)
        }

        var answer: IngressAnswer? { answers.last }

        func write(_ body: Bytes) { exchange?.received(body) }
        func end() { exchange?.bodyEnded() }
        func leave() { exchange?.clientLeft() }
    }

    /// Sends the head of a request.
    func open(_ method: String, _ path: String, _ headers: [(String, String)] = []) -> Client {
        let request = IngressRequest(
            method: method, path: IngressPath(target: Bytes(utf8: path)),
            headers: headers.map { (name: $0.0, value: Bytes(utf8: $0.1)) })
        return Client(self, request)
    }

    /// Sends a whole request, and lets the partition answer whatever it can.
    @discardableResult
    func send(
        _ method: String, _ path: String, _ headers: [(String, String)] = [], body: Bytes = []
    ) -> Client {
        let client = open(method, path, headers)
        if !body.isEmpty { client.write(body) }
        client.end()
        partition.deliver()
        return client
    }

    /// A POST of JSON.
    @discardableResult
    func post(_ path: String, _ json: String = #""x""#, _ headers: [(String, String)] = []) -> Client {
        send("POST", path, [("content-type", "application/json")] + headers, body: Bytes(utf8: json))
    }
}

extension IngressAnswer {
    subscript(header name: String) -> String? { headers.first { $0.name == name }?.value }
    var text: String { body.lossyString }
    /// The id of the invocation that the answer is about.
    var invocationID: InvocationID? { self[header: "x-restate-id"].flatMap { try? InvocationID(text: $0) } }
}
