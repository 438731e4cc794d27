import HoldfastEngine
import HoldfastTransport
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
        private(set) var isBodyWanted = false
        private var exchange: IngressExchange?

        init(_ world: IngressWorld, _ head: HTTPRequestHead) {
            let exchange = IngressExchange(world.service) { [unowned self] in answers.append($0) }
            self.exchange = exchange
            isBodyWanted = exchange.began(IngressRequest(head))
        }

        var answer: IngressAnswer? { answers.last }

        func end(_ body: Result<Bytes, BodyError>) { exchange?.bodyEnded(body) }
        func leave() { exchange?.clientLeft() }
    }

    /// Sends the head of a request.
    func open(_ method: String, _ path: String, _ headers: [(String, String)] = []) -> Client {
        let headers = HTTPHeaders(headers.map { HTTPHeader(name: $0.0, value: $0.1) })
        return Client(self, HTTPRequestHead(method: method, path: path, headers: headers))
    }

    /// Sends a whole request, and lets the partition answer whatever it can.
    @discardableResult
    func send(
        _ method: String, _ path: String, _ headers: [(String, String)] = [], body: Bytes = []
    ) -> Client {
        let client = open(method, path, headers)
        let isTooLarge = body.count > service.settings.requestSizeLimit
        if client.isBodyWanted { client.end(isTooLarge ? .failure(.tooLarge) : .success(body)) }
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
    subscript(header name: String) -> String? { headers[name] }
    var text: String { body.lossyString }
    /// The id of the invocation that the answer is about.
    var invocationID: InvocationID? { self[header: "x-restate-id"].flatMap { try? InvocationID(text: $0) } }
}
