import Dispatch
import HoldfastServiceProtocol
import HoldfastTransport
import HoldfastWire
import Synchronization
import Testing

@testable import HoldfastRuntime

/// Discovery through real connections.
@Suite struct HTTPDiscoveryTests {
    /// Answers by path: `/ok/discover`, `/cut/discover` and so on, and notes what it was asked.
    private final class Endpoint: HTTPService {
        let notes: Notes

        init(_ notes: Notes) { self.notes = notes }

        func received(_ exchange: ServerExchange) {
            let request = exchange.request
            notes.add(request)
            switch request.path {
            case "/ok/discover?q=1":
                let manifest =
                    #"{"protocolMode":"BIDI_STREAM","minProtocolVersion":5,"maxProtocolVersion":7,"services":[]}"#
                exchange.respond(
                    HTTPResponseHead(
                        status: 200,
                        headers: [
                            "content-type": "application/vnd.restate.endpointmanifest.v4+json",
                            "x-restate-server": "test/1",
                        ]),
                    body: Bytes(utf8: manifest))
            case "/ok/serdes/S/decode/x":
                exchange.collectBody(limit: 100) { result in
                    guard case .success(let body) = result else { return exchange.abort() }
                    exchange.respond(HTTPResponseHead(status: 200), body: Bytes(utf8: "decoded ") + body)
                }
            case "/cut/discover": exchange.abort()
            default: exchange.respond(HTTPResponseHead(status: 404), body: Bytes(utf8: "nope"))
            }
        }
    }

    private final class Notes: Sendable {
        private let requests = Mutex<[HTTPRequestHead]>([])
        func add(_ request: HTTPRequestHead) { requests.withLock { $0.append(request) } }
        var all: [HTTPRequestHead] { requests.withLock { $0 } }
    }

    private func discover(
        _ path: String, usesHTTP1: Bool, notes: Notes = Notes()
    ) throws -> Result<DiscoveredEndpoint, RegistryError> {
        try withDiscovery(path, notes) { discovery, address, done in
            let request = DiscoveryRequest(address: address, additionalHeaders: [("x-own", "1")], usesHTTP1: usesHTTP1)
            discovery.run(request, done: done)
        }
    }

    private func withDiscovery<Value: Sendable>(
        _ path: String, _ notes: Notes,
        _ body: @escaping @Sendable (Discovery, DeploymentAddress, @escaping (Value) -> Void) -> Void
    ) throws -> Value {
        let group = try LoopGroup(count: 1)
        let server = try HTTPServer(group: group) { _ in Endpoint(notes) }
        let port = try server.listen(host: "127.0.0.1", port: 0)
        group.start()
        defer { group.stop() }
        let result = Mutex<Value?>(nil)
        let done = DispatchSemaphore(value: 0)
        let address = try DeploymentAddress(text: "http://127.0.0.1:\(port)\(path)")
        let loop = group.loops[0]
        loop.post {
            let carrier = HTTPDiscoveryCarrier(loop: loop, client: HTTPClient(loop: loop))
            var settings = Discovery.Settings()
            settings.globalHeaders = [("x-restate-cluster-name", "localcluster")]
            body(Discovery(carrier: carrier, settings: settings), address) { answer in
                result.withLock { $0 = answer }
                done.signal()
            }
        }
        #expect(done.wait(timeout: .now() + 60) == .success)
        return try #require(result.withLock { $0 })
    }

    @Test(arguments: [true, false]) func `an endpoint is asked over the version of HTTP that is wanted`(
        usesHTTP1: Bool
    ) throws {
        let notes = Notes()
        let endpoint = try discover("/ok?q=1", usesHTTP1: usesHTTP1, notes: notes).get()
        #expect(endpoint.httpVersion == (usesHTTP1 ? .http1_1 : .http2))
        #expect(endpoint.sdkVersion == "test/1")
        let request = try #require(notes.all.first)
        #expect(request.method == "GET")
        #expect(request.headers["accept"] == Manifest.acceptHeader)
        #expect(request.headers["x-own"] == "1")
        #expect(request.headers["x-restate-cluster-name"] == "localcluster")
        #expect(notes.all.count == 1)
    }

    @Test(arguments: [DeploymentHTTPVersion.http1_1, .http2]) func `a codec gets the payload`(
        version: DeploymentHTTPVersion
    ) throws {
        let notes = Notes()
        let result: Result<Bytes, RegistryError> = try withDiscovery("/ok", notes) { discovery, address, done in
            let deployment = Deployment(
                id: DeploymentID(UInt128(1)), address: address, protocolMode: .bidirectional, httpVersion: version,
                additionalHeaders: [], metadata: [], created: Timestamp(millis: 1), protocolVersions: 5...7,
                sdkVersion: nil, services: [:])
            let request = CodecRequest(
                deployment: deployment, service: "S", direction: .decode, codec: "x", contentType: nil,
                payload: Bytes(utf8: "abc"))
            discovery.convert(request, done: done)
        }
        #expect(try result.get() == Bytes(utf8: "decoded abc"))
        #expect(notes.all.first?.method == "POST")
        #expect(notes.all.first?.headers["x-restate-serdes-protocol"] == "v1")
    }

    @Test(arguments: [true, false]) func `an unknown path is an error at once`(usesHTTP1: Bool) throws {
        let notes = Notes()
        #expect(throws: RegistryError.self) {
            try discover("/nothing", usesHTTP1: usesHTTP1, notes: notes).get()
        }
        #expect(notes.all.count == 1)
    }

    @Test func `a connection that is cut is tried again over HTTP 2 only`() throws {
        let notes = Notes()
        #expect(throws: RegistryError.self) { try discover("/cut", usesHTTP1: false, notes: notes).get() }
        #expect(notes.all.count == 1 + DiscoveryRetries.countMax)
        let once = Notes()
        #expect(throws: RegistryError.self) { try discover("/cut", usesHTTP1: true, notes: once).get() }
        #expect(once.all.count == 1)
    }
}
