import Dispatch
import HoldfastTransport
import HoldfastWire

/// Clients in a closed loop: each sends its next request when the last one is answered. HTTP/2, on a thread of its own.
///
/// `@unchecked Sendable`: everything but `onLoop` is touched on the loop only.
final class LoadGenerator: @unchecked Sendable {
    let loop: EventLoop
    let client: HTTPClient
    private let group: LoopGroup

    init() throws {
        group = try LoopGroup(count: 1)
        loop = group.loops[0]
        client = HTTPClient(loop: loop)
        group.start()
    }

    /// Runs `body` on the loop and waits for it.
    func onLoop<Value>(_ body: @escaping (LoadGenerator) -> Value) -> Value {
        let box = Crossing<Value?>(nil)
        let work = Crossing(body)
        let done = DispatchSemaphore(value: 0)
        loop.post { [self] in
            box.value = work.value(self)
            done.signal()
        }
        while true {
            done.wait()
            if let value = box.value { return value }
        }
    }

    /// Sends one request and waits for its answer.
    func request(
        _ method: String, _ path: String, to origin: HTTPOrigin, body: Bytes = [],
        version: HTTPVersionPolicy = .http2PriorKnowledge
    ) -> Result<Answer, TransportError> {
        let pending = PendingAnswer()
        onLoop { generator in
            let head = HTTPRequestHead(method: method, path: path, headers: ["content-type": "application/json"])
            let exchange = generator.client.open(
                head, to: origin, version: version, hasBody: !body.isEmpty, delegate: pending)
            if !body.isEmpty {
                exchange.write(body)
                exchange.end()
            }
        }
        return pending.wait()
    }

    /// Sends a request until it is answered with success; milliseconds since `start`.
    func milliseconds(since start: Moment, until path: String, of origin: HTTPOrigin, within limit: Double) -> Double? {
        while start.elapsed < limit {
            if case .success(let answer) = request("POST", path, to: origin, body: Workload.body),
                answer.status < 300
            {
                return start.elapsed * 1000
            }
            pause(0.001)
        }
        return nil
    }
}

/// An answer with its whole body.
struct Answer: Sendable {
    var status = 0
    var body: [UInt8] = []
}

/// Waits for one answer.
///
/// `@unchecked Sendable`: the loop writes before it signals, and `wait` reads after that.
private final class PendingAnswer: ClientExchangeDelegate, @unchecked Sendable {
    private var answer = Answer()
    private var failure: TransportError?
    private let done = DispatchSemaphore(value: 0)

    func wait() -> Result<Answer, TransportError> {
        done.wait()
        return failure.map { .failure($0) } ?? .success(answer)
    }

    func exchange(_ exchange: ClientExchange, received head: HTTPResponseHead, version: HTTPVersion) {
        answer.status = head.status
    }
    func exchange(_ exchange: ClientExchange, received body: Bytes) { answer.body += body }
    func exchangeEnded(_ exchange: ClientExchange) { done.signal() }
    func exchange(_ exchange: ClientExchange, failed error: TransportError) {
        failure = error
        done.signal()
    }
    func exchangeIsWritable(_ exchange: ClientExchange) {}
}

/// A value on its way to another thread.
///
/// `@unchecked Sendable`: a semaphore orders all accesses.
final class Crossing<Value>: @unchecked Sendable {
    var value: Value
    init(_ value: Value) { self.value = value }
}
