import HoldfastServiceProtocol
import HoldfastWire
import Testing

@testable import HoldfastRuntime

@Suite struct RegistryDiscoveryTests {
    /// An endpoint that answers by a script, in a world whose time passes when the test says so.
    private final class Script: DiscoveryCarrier {
        private final class Exchange: DiscoveryExchange {
            var isCancelled = false
            func cancel() { isCancelled = true }
        }

        /// What each try meets; nil: silence.
        var answers: [Result<DiscoveryResponse, DiscoveryFault>?]
        private(set) var requests: [EndpointRequest] = []
        private(set) var delays: [UInt64] = []
        private var scheduled: [(id: Int, milliseconds: UInt64, body: () -> Void)] = []
        private var lastID = 0
        private var exchanges: [Exchange] = []

        init(_ answers: [Result<DiscoveryResponse, DiscoveryFault>?]) { self.answers = answers }

        func exchange(
            _ request: EndpointRequest, done: @escaping (Result<DiscoveryResponse, DiscoveryFault>) -> Void
        ) -> any DiscoveryExchange {
            requests.append(request)
            if let answer = answers.isEmpty ? nil : answers.removeFirst() {
                _ = schedule(after: 0) { done(answer) }
            }
            let exchange = Exchange()
            exchanges.append(exchange)
            return exchange
        }

        var cancellations: Int { exchanges.filter(\.isCancelled).count }

        func schedule(after milliseconds: UInt64, _ body: @escaping () -> Void) -> () -> Void {
            lastID += 1
            let id = lastID
            scheduled.append((id, milliseconds, body))
            return { [unowned self] in scheduled.removeAll { $0.id == id } }
        }

        /// Runs what is scheduled, the soonest first, until nothing is.
        func run() {
            while let next = scheduled.min(by: { ($0.milliseconds, $0.id) < ($1.milliseconds, $1.id) }) {
                scheduled.removeAll { $0.id == next.id }
                if next.milliseconds > 0 { delays.append(next.milliseconds) }
                next.body()
            }
        }
    }

    private static let manifest =
        #"{"protocolMode":"BIDI_STREAM","minProtocolVersion":5,"maxProtocolVersion":7,"services":[]}"#
    private static let contentType = "application/vnd.restate.endpointmanifest.v4+json"

    private static func response(
        _ status: Int = 200, _ body: String = manifest, contentType: String? = contentType,
        server: String? = "restate-sdk-python/1.3.0", httpVersion: DeploymentHTTPVersion = .http2
    ) -> Result<DiscoveryResponse, DiscoveryFault> {
        var headers: [(name: String, value: String)] = []
        if let contentType { headers.append(("content-type", contentType)) }
        if let server { headers.append(("x-restate-server", server)) }
        return .success(
            DiscoveryResponse(status: status, headers: headers, body: Bytes(utf8: body), httpVersion: httpVersion))
    }

    private static func fault(_ kind: DiscoveryFault.Kind) -> Result<DiscoveryResponse, DiscoveryFault> {
        .failure(DiscoveryFault(kind: kind, reason: "because"))
    }

    private func discover(
        _ script: Script, _ uri: String = "http://127.0.0.1:9080/ok", settings: Discovery.Settings = .init()
    ) throws -> Result<DiscoveredEndpoint, RegistryError> {
        let discovery = Discovery(carrier: script, settings: settings, random: FastRandom(seed: 1))
        var results: [Result<DiscoveredEndpoint, RegistryError>] = []
        let request = DiscoveryRequest(
            address: try DeploymentAddress(text: uri), additionalHeaders: [("x-own", "1")], usesHTTP1: false)
        discovery.run(request) { results.append($0) }
        script.run()
        #expect(results.count == 1)
        return try #require(results.first)
    }

    private func error(_ script: Script, _ uri: String = "http://127.0.0.1:9080/ok") throws -> RegistryError {
        switch try discover(script, uri) {
        case .success: throw RegistryError(status: 0, "the discovery succeeded")
        case .failure(let error): return error
        }
    }

    @Test func `the request has its headers in layers`() throws {
        let script = Script([Self.response()])
        var settings = Discovery.Settings()
        settings.globalHeaders = [("x-restate-cluster-name", "localcluster"), ("x-own", "2")]
        settings.identity = { [("x-restate-signature-scheme", "v1"), ("x-audience", $0)] }
        let endpoint = try discover(script, "http://h:1/base/?q=1", settings: settings).get()
        #expect(endpoint.protocolVersions == 5...7)
        #expect(endpoint.sdkVersion == "restate-sdk-python/1.3.0")
        #expect(endpoint.httpVersion == .http2)
        let request = try #require(script.requests.first)
        #expect(request.path == "/base/discover?q=1")
        #expect(
            request.headers.map { "\($0): \($1)" } == [
                "accept: application/vnd.restate.endpointmanifest.v1+json, "
                    + "application/vnd.restate.endpointmanifest.v2+json, "
                    + "application/vnd.restate.endpointmanifest.v3+json, "
                    + "application/vnd.restate.endpointmanifest.v4+json",
                "x-restate-signature-scheme: v1", "x-audience: /discover", "x-restate-cluster-name: localcluster",
                "x-own: 2",
            ])
    }

    private func convert(
        _ script: Script, _ direction: CodecRequest.Direction, contentType: String? = nil,
        settings: Discovery.Settings = .init()
    ) throws -> Result<Bytes, RegistryError> {
        let (registry, registration) = try Registry().registering(
            [.sample("Greeter")], at: "http://h:1/base?q=1", moment: 1)
        var deployment = try #require(registry.deployment(registration.deployment.id))
        deployment.additionalHeaders = [("x-own", "1")]
        deployment.httpVersion = .http1_1
        let request = CodecRequest(
            deployment: deployment, service: "Greeter", direction: direction, codec: "my/serde x",
            contentType: contentType, payload: Bytes(utf8: "abc"))
        var results: [Result<Bytes, RegistryError>] = []
        Discovery(carrier: script, settings: settings).convert(request) { results.append($0) }
        script.run()
        #expect(results.count == 1)
        return try #require(results.first)
    }

    @Test(
        arguments: [
            (CodecRequest.Direction.decode, nil, "application/octet-stream", "application/json"),
            (.encode, nil, "application/json", "*/*"), (.decode, "text/x", "text/x", "application/json"),
        ] as [(CodecRequest.Direction, String?, String, String)])
    func `a codec is asked as the deployment is called`(
        direction: CodecRequest.Direction, given: String?, contentType: String, accept: String
    ) throws {
        let script = Script([Self.response(200, "converted")])
        var settings = Discovery.Settings()
        settings.globalHeaders = [("x-restate-cluster-name", "localcluster")]
        settings.identity = { [("x-audience", $0)] }
        #expect(
            try convert(script, direction, contentType: given, settings: settings).get() == Bytes(utf8: "converted"))
        let request = try #require(script.requests.first)
        #expect(request.method == "POST")
        #expect(request.usesHTTP1)
        #expect(request.path == "/base/serdes/Greeter/\(direction.rawValue)/my/serde%20x?q=1")
        #expect(request.body == Bytes(utf8: "abc"))
        #expect(
            request.headers.map { "\($0): \($1)" } == [
                "x-restate-serdes-protocol: v1", "content-type: \(contentType)", "accept: \(accept)",
                "content-length: 3", "x-own: 1",
                "x-audience: /serdes/Greeter/\(direction.rawValue)/my/serde%20x",
                "x-restate-cluster-name: localcluster",
            ])
    }

    @Test(arguments: [
        (
            Self.response(422, "bad payload", contentType: nil, server: nil),
            "got status code '422 Unprocessable Entity'. Response headers: {}. Body: bad payload"
        ),
        (Self.fault(.unreachable), "error when calling 'http://h:1/base?q=1': because"),
    ])
    func `a codec that fails is asked once`(
        answer: Result<DiscoveryResponse, DiscoveryFault>, message: String
    ) throws {
        let script = Script([answer])
        #expect(
            try convert(script, .decode)
                == .failure(RegistryError(status: 500, "Internal server error: \(message)")))
        #expect(script.requests.count == 1)
    }

    @Test(arguments: [408, 429, 500, 502, 503, 504])
    func `a status that may pass is tried five times, with growing delays`(status: Int) throws {
        let script = Script(Array(repeating: Self.response(status, "busy"), count: 5))
        #expect(try error(script).status == 500)
        #expect(script.requests.count == 5)
        #expect(script.delays.count == 4)
        for (delay, least) in zip(script.delays, [100, 200, 400, 800] as [UInt64]) {
            #expect((least...least * 13 / 10).contains(delay))
        }
    }

    @Test func `a try that works ends the tries`() throws {
        let script = Script([Self.fault(.unreachable), Self.fault(.body), Self.response(503), Self.response()])
        _ = try discover(script).get()
        #expect(script.requests.count == 4)
    }

    @Test(arguments: [
        (DiscoveryFault.Kind.broken, "META0003"), (.http1OnlyPeer, "META0014"),
    ])
    func `a fault that repeats itself is not tried again`(kind: DiscoveryFault.Kind, code: String) throws {
        let script = Script([Self.fault(kind)])
        #expect(try error(script).code == code)
        #expect(script.requests.count == 1)
    }

    @Test func `silence ends the discovery after the limit`() throws {
        let script = Script([nil])
        let error = try error(script)
        #expect(error.code == "META0003")
        #expect(error.message.hasSuffix("no complete answer within 30s"))
        #expect(script.delays == [30_000])
        #expect(script.cancellations == 1)
    }

    @Test func `a scheme that is not HTTP is refused without a request`() throws {
        let script = Script([])
        #expect(
            try error(script, "ftp://h/").message
                == "[META0003] [META0003] error when calling 'ftp://h/': unknown scheme")
        #expect(script.requests.isEmpty)
    }

    private static let texts: [(Result<DiscoveryResponse, DiscoveryFault>, String?, String)] = [
        (
            response(404, "nope", contentType: "text/plain", server: "fake/1.0"), "META0003",
            "[META0003] [META0003] got status code '404'. Make sure the provided URI has the correct path where the "
                + "Restate SDK endpoint is mounted. Response headers: {\"content-type\": \"text/plain\", "
                + "\"x-restate-server\": \"fake/1.0\"}. Body: nope"
        ),
        (
            response(401, "", contentType: nil, server: nil), "META0003",
            "[META0003] [META0003] got status code '401 Unauthorized'. Response headers: {}. Body: "
        ),
        (
            response(contentType: "application/json"), "META0013",
            "[META0013] [META0013] received a bad response from the SDK: Bad content type header: \"application/json\". "
                + "Expected one of '\"\(Manifest.acceptHeader)\"'"
        ),
        (
            response(200, "{nope"), nil,
            "received a bad response from the SDK that cannot be decoded: key must be a string at line 1 column 2. "
                + "Discovery response: {nope"
        ),
        (
            response(200, #"{"minProtocolVersion":5,"maxProtocolVersion":7,"services":[]}"#), "META0013",
            "[META0013] [META0013] received a bad response from the SDK: missing protocol mode"
        ),
        (
            response(
                200, #"{"protocolMode":"BIDI_STREAM","minProtocolVersion":1,"maxProtocolVersion":3,"services":[]}"#),
            "META0012",
            "[META0012] [META0012] unsupported service protocol versions: [1, 3]. Supported versions by this runtime "
                + "are [5, 7]. Please upgrade the SDK and try registering again."
        ),
        (
            response(httpVersion: .http1_0), "META0015",
            "[META0015] [META0015] the SDK reports itself as being in bidirectional protocol mode, but we are not "
                + "discovering over a transport that supports it. Discovering with Lambda or HTTP < 1.1 is not supported"
        ),
        (
            fault(.http1OnlyPeer), "META0014",
            "[META0014] [META0014] error when calling 'http://127.0.0.1:9080/ok': server possibly supports only "
                + "HTTP1.1, consider discovery with --use-http1.1."
        ),
        (
            fault(.broken), "META0003",
            "[META0003] [META0003] error when calling 'http://127.0.0.1:9080/ok': because"
        ),
    ]

    @Test(arguments: texts.indices) func `what goes wrong is told in known words`(index: Int) throws {
        let (answer, code, message) = Self.texts[index]
        let error = try error(Script([answer]))
        #expect(error.status == 500)
        #expect(error.code == code)
        #expect(error.message == message)
    }

    @Test func `a request/response endpoint may speak HTTP 1.0`() throws {
        let manifest =
            #"{"protocolMode":"REQUEST_RESPONSE","minProtocolVersion":5,"maxProtocolVersion":7,"services":[]}"#
        let endpoint = try discover(Script([Self.response(200, manifest, httpVersion: .http1_0)])).get()
        #expect(endpoint.httpVersion == .http1_0)
    }

    @Test func `an SDK's name that cannot be printed is not kept`() throws {
        #expect(try discover(Script([Self.response(server: "sdk/ü")])).get().sdkVersion == nil)
    }

    @Test func `a manifest that breaks a rule is a 400`() throws {
        let body =
            #"{"protocolMode":"BIDI_STREAM","minProtocolVersion":5,"maxProtocolVersion":7,"services":["#
            + #"{"name":"openapi","ty":"SERVICE","handlers":[]}]}"#
        let error = try error(Script([Self.response(200, body)]))
        #expect(error.status == 400)
        #expect(error.code == "META0005")
    }
}
