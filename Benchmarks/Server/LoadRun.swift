import Dispatch
import HoldfastTransport
import HoldfastWire

/// A number of lanes that send the same request again and again. On the generator's loop.
///
/// `@unchecked Sendable`: touched on the loop only, but for the semaphore.
final class LoadRun: @unchecked Sendable {
    private let generator: LoadGenerator
    private let request: LoadRequest
    private var isOpen = true
    private var isRecording = false
    /// How many requests may still be sent.
    private var left: Int
    private var lanesInProgress = 0
    private var latencies: [UInt64] = []
    private var failureCount = 0
    private let finished = DispatchSemaphore(value: 0)

    /// What was seen while the run was recorded.
    struct Record {
        var latencies: [UInt64]
        var failureCount: Int
    }

    /// Starts the lanes.
    ///
    /// - Parameter count: How many requests are sent in all; nil: until `finish`.
    init(_ generator: LoadGenerator, _ request: LoadRequest, concurrency: Int, count: Int? = nil) {
        self.generator = generator
        self.request = request
        left = count ?? .max
        lanesInProgress = concurrency
        generator.onLoop { [self] _ in
            for number in 0..<concurrency { Lane(number, request, of: self, client: generator.client).sendNext() }
        }
    }

    func startRecording() {
        generator.onLoop { [self] _ in
            latencies.removeAll(keepingCapacity: true)
            isRecording = true
        }
    }

    func stopRecording() -> Record {
        generator.onLoop { [self] _ in
            isRecording = false
            return Record(latencies: latencies, failureCount: failureCount)
        }
    }

    /// Sends nothing any more, and waits for the answers.
    func finish() {
        generator.onLoop { [self] _ in isOpen = false }
        finished.wait()
    }

    /// Waits until all requests were answered; the number of those that failed.
    func waitForAll() -> Int {
        finished.wait()
        return generator.onLoop { [self] _ in failureCount }
    }

    fileprivate func mayStart() -> Bool {
        guard isOpen, left > 0 else {
            lanesInProgress -= 1
            if lanesInProgress == 0 { finished.signal() }
            return false
        }
        left -= 1
        return true
    }

    fileprivate func ended(isSuccess: Bool, nanoseconds: UInt64) {
        if !isSuccess { failureCount += 1 }
        if isRecording { latencies.append(nanoseconds) }
    }
}

/// One client.
private final class Lane: ClientExchangeDelegate {
    private let head: HTTPRequestHead
    private let request: LoadRequest
    private let run: LoadRun
    private let client: HTTPClient
    private var started = Moment()
    private var status = 0

    init(_ number: Int, _ request: LoadRequest, of run: LoadRun, client: HTTPClient) {
        head = HTTPRequestHead(
            method: "POST", path: request.path(number), headers: ["content-type": "application/json"])
        self.request = request
        self.run = run
        self.client = client
    }

    func sendNext() {
        guard run.mayStart() else { return }
        started = Moment()
        let exchange = client.open(
            head, to: request.origin, version: .http2PriorKnowledge, hasBody: true, delegate: self)
        exchange.write(Workload.body)
        exchange.end()
    }

    func exchange(_ exchange: ClientExchange, received head: HTTPResponseHead, version: HTTPVersion) {
        status = head.status
    }
    func exchange(_ exchange: ClientExchange, received body: Bytes) {}
    func exchangeEnded(_ exchange: ClientExchange) {
        run.ended(isSuccess: status == request.status, nanoseconds: started.elapsedNanoseconds)
        sendNext()
    }
    func exchange(_ exchange: ClientExchange, failed error: TransportError) {
        run.ended(isSuccess: false, nanoseconds: started.elapsedNanoseconds)
        sendNext()
    }
    func exchangeIsWritable(_ exchange: ClientExchange) {}
}
