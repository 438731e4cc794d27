import HoldfastServiceProtocol
import HoldfastWire

/// Asks endpoints what they serve, again if that may help (discovery §2), and lets their codecs convert payloads.
///
/// Belongs to one event loop. Any number of requests may be under way; each holds itself until it has ended.
final class Discovery {
    /// What does not change from one discovery to the next.
    struct Settings {
        /// Headers of every request to a deployment, names in lower case.
        var globalHeaders: [(name: String, value: String)] = []
        /// The headers that tell an endpoint who asks, for a path such as `/discover`.
        var identity: (_ audience: String) -> [(name: String, value: String)] = { _ in [] }
        /// How long one try may take, in milliseconds. An endpoint that accepts and is silent must not hold an operator.
        var tryTimeout: UInt64 = 30_000
    }

    private let carrier: any DiscoveryCarrier
    private let settings: Settings
    private var random: FastRandom

    init(carrier: any DiscoveryCarrier, settings: Settings, random: FastRandom = FastRandom()) {
        self.carrier = carrier
        self.settings = settings
        self.random = random
    }

    /// Asks an endpoint; `done` is called once.
    func run(
        _ request: DiscoveryRequest, done: @escaping (Result<DiscoveredEndpoint, RegistryError>) -> Void
    ) {
        guard ["http", "https"].contains(request.address.scheme) else {
            return done(.failure(.discovery(.client(request.address, "unknown scheme"))))
        }
        attempt(request, DiscoveryRetries(), done)
    }

    /// Lets a codec convert a payload, with one try; `done` is called once.
    func convert(_ request: CodecRequest, done: @escaping (Result<Bytes, RegistryError>) -> Void) {
        send(EndpointRequest(request, layers: layers(request.audience))) { [self] result in
            done(judge(result, of: request))
        }
    }

    private func attempt(
        _ request: DiscoveryRequest, _ retries: DiscoveryRetries,
        _ done: @escaping (Result<DiscoveredEndpoint, RegistryError>) -> Void
    ) {
        send(EndpointRequest(request, layers: layers("/discover"))) { [self] result in
            let (endpoint, isFinal) = judge(result, of: request)
            var retries = retries
            guard !isFinal, let delay = retries.next(jitter: Double.random(in: 0...0.3, using: &random)) else {
                return done(endpoint)
            }
            _ = carrier.schedule(after: delay) { [self] in attempt(request, retries, done) }
        }
    }

    /// Sends a request; the limit of time is one more way in which it can break.
    private func send(
        _ request: EndpointRequest, done: @escaping (Result<DiscoveryResponse, DiscoveryFault>) -> Void
    ) {
        var cancelTimeout: () -> Void = {}
        let exchange = carrier.exchange(request) { result in
            cancelTimeout()
            done(result)
        }
        let timeout = settings.tryTimeout
        cancelTimeout = carrier.schedule(after: timeout) {
            exchange.cancel()
            let reason = "no complete answer within \(formatDuration(.milliseconds(timeout)))"
            done(.failure(DiscoveryFault(kind: .broken, reason: reason)))
        }
    }

    /// The headers of every request to an endpoint.
    ///
    /// - Parameter audience: The path, without the endpoint's own, which is what request identity signs.
    private func layers(_ audience: String) -> [(name: String, value: String)] {
        settings.identity(audience) + settings.globalHeaders
    }

    /// What a try amounts to, and whether another one could not change it.
    private func judge(
        _ result: Result<DiscoveryResponse, DiscoveryFault>, of request: DiscoveryRequest
    ) -> (Result<DiscoveredEndpoint, RegistryError>, isFinal: Bool) {
        switch result {
        case .failure(let fault):
            let isFinal = fault.kind == .broken || fault.kind == .http1OnlyPeer
            return (.failure(.discovery(.fault(fault, request.address))), isFinal)
        case .success(let response):
            guard (200..<300).contains(response.status) else {
                let isFinal = !Self.passingStatuses.contains(response.status)
                return (.failure(.discovery(.status(response))), isFinal)
            }
            return (Result { () throws(RegistryError) in try Self.endpoint(response) }, true)
        }
    }

    private func judge(
        _ result: Result<DiscoveryResponse, DiscoveryFault>, of request: CodecRequest
    ) -> Result<Bytes, RegistryError> {
        switch result {
        case .success(let response) where (200..<300).contains(response.status): .success(response.body)
        case .success(let response): .failure(.codec(.status(response)))
        case .failure(let fault): .failure(.codec(.fault(fault, request.deployment.address)))
        }
    }

    /// Checks the response in the order of discovery §3, then the manifest.
    private static func endpoint(_ response: DiscoveryResponse) throws(RegistryError) -> DiscoveredEndpoint {
        let sdkVersion = response.header("x-restate-server").flatMap { text in
            text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F } ? text : nil
        }
        let manifest: Manifest
        do throws(DiscoveryError) {
            manifest = try Manifest(
                response: response.body, contentType: response.header("content-type"),
                transport: response.httpVersion == .http1_0 ? .halfDuplex : .duplex, server: sdkVersion)
        } catch {
            throw RegistryError(error)
        }
        return try DiscoveredEndpoint(manifest, httpVersion: response.httpVersion, sdkVersion: sdkVersion)
    }

    /// Answers of a server that may be another one in a moment.
    private static let passingStatuses: Set = [408, 429, 500, 502, 503, 504]
}

/// The delays between tries: 100 ms, and each the double of the one before.
struct DiscoveryRetries: Sendable {
    /// Besides the first try.
    static let countMax = 4

    private var count = 0

    /// Milliseconds to wait before the next try; nil if there is none.
    ///
    /// - Parameter jitter: The part of the delay that is added.
    mutating func next(jitter: Double) -> UInt64? {
        guard count < Self.countMax else { return nil }
        let delay = Double(100 << count)
        count += 1
        return UInt64(delay * (1 + min(max(jitter, 0), 1)))
    }
}

extension DiscoveryError {
    fileprivate static func fault(_ fault: DiscoveryFault, _ address: DeploymentAddress) -> DiscoveryError {
        switch fault.kind {
        case .unreachable, .broken: client(address, fault.reason)
        case .http1OnlyPeer:
            discovery(
                "META0014",
                "error when calling '\(address)': server possibly supports only HTTP1.1, consider discovery with "
                    + "--use-http1.1.")
        case .body: discovery(nil, "cannot read body: \(fault.reason)")
        }
    }

    fileprivate static func client(_ address: DeploymentAddress, _ reason: String) -> DiscoveryError {
        discovery("META0003", "error when calling '\(address)': \(reason)")
    }

    fileprivate static func status(_ response: DiscoveryResponse) -> DiscoveryError {
        let headers = response.headers.map { name, value in
            "\(JSON.string(name).text): \(JSON.string(value).text)"
        }.joined(separator: ", ")
        let status =
            response.status == 404
            ? "'404'. Make sure the provided URI has the correct path where the Restate SDK endpoint is mounted."
            : "'\(HTTPStatusText.of(response.status))'."
        return discovery(
            "META0003",
            "got status code \(status) Response headers: {\(headers)}. Body: \(response.body.lossyString)")
    }
}

extension RegistryError {
    fileprivate static func discovery(_ error: DiscoveryError) -> RegistryError { RegistryError(error) }

    /// A codec fails without a code.
    fileprivate static func codec(_ error: DiscoveryError) -> RegistryError {
        RegistryError(status: 500, "Internal server error: \(error.message)")
    }
}
