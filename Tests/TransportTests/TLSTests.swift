import HoldfastTransport
import HoldfastWire
import Testing

/// TLS on both sides, with a certificate for `localhost` and 127.0.0.1 that is its own authority.
@Suite(.timeLimit(.minutes(5)))
struct TLSTests {
    private static let folder = "\(#filePath)".split(separator: "/").dropLast().map { "/\($0)" }.joined() + "/Fixtures"
    private static let certificate = folder + "/certificate.pem"

    private func answer(
        version: HTTPVersionPolicy, trust: TLSTrust, host: String = "127.0.0.1", body: [UInt8] = Array("hi".utf8)
    ) async throws -> Answer {
        var options = HTTPServerOptions()
        options.tls = TLSServerOptions(
            certificateChainFile: TLSTests.certificate, privateKeyFile: TLSTests.folder + "/key.pem")
        let harness = try Harness(options: options) { $0.mirror() }
        defer { withExtendedLifetime(harness) {} }
        var clientOptions = HTTPClientOptions()
        clientOptions.trust = trust
        return await Caller.request(
            HTTPRequestHead(method: "POST", path: "/"), to: HTTPOrigin(secure: true, host: host, port: harness.port),
            body: [body[...]], version: version, on: harness.group.loops[0], options: clientOptions)
    }

    @Test(arguments: [
        (HTTPVersionPolicy.alpn, HTTPVersion.http2), (.http2PriorKnowledge, .http2), (.http1, .http1_1),
    ])
    func `the version is negotiated, and large bodies pass`(policy: HTTPVersionPolicy, version: HTTPVersion)
        async throws
    {
        let body = (0..<2_000_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 16) }
        let answer = try await answer(version: policy, trust: .authorities(file: TLSTests.certificate), body: body)
        #expect(answer.version == version)
        #expect(answer.body == body && answer.error == nil)
    }

    @Test func `a name is checked against the certificate`() async throws {
        let answer = try await answer(
            version: .alpn, trust: .authorities(file: TLSTests.certificate), host: "localhost")
        #expect(answer.text == "hi")
    }

    @Test func `an authority that is not trusted is refused with the reason`() async throws {
        let answer = try await answer(version: .alpn, trust: .system)
        #expect(answer.error?.code == .tls)
        #expect(answer.error?.message.contains("self-signed certificate") == true)
    }

    @Test func `a file that is no certificate is refused by name`() throws {
        var options = HTTPServerOptions()
        options.tls = TLSServerOptions(certificateChainFile: "/nowhere/a.pem", privateKeyFile: "/nowhere/b.pem")
        let group = try LoopGroup(count: 1)
        let error = #expect(throws: TransportError.self) {
            try HTTPServer(group: group, options: options) { _ in ClosureService { $0.answer("") } }
        }
        #expect(error?.code == .tls)
        #expect(error?.message.contains("/nowhere/a.pem") == true)
    }

    @Test func `cleartext on a TLS port harms nobody`() throws {
        var options = HTTPServerOptions()
        options.tls = TLSServerOptions(
            certificateChainFile: TLSTests.certificate, privateKeyFile: TLSTests.folder + "/key.pem")
        let harness = try Harness(options: options) { $0.answer("unreachable") }
        let peer = RawPeer(harness)
        peer.send("GET / HTTP/1.1\r\n\r\n")
        #expect(peer.readToEnd()?.contains("200 OK") == false)
    }
}
