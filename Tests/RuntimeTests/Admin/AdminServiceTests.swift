import HoldfastEngine
import HoldfastTransport
import HoldfastWire
import Testing

@testable import HoldfastRuntime

/// The admin API through a real server.
@Suite struct AdminServiceTests {
    @Test func `requests are answered over HTTP`() throws {
        let server = try AdminTestServer()
        defer { server.stop() }
        let version = try server.send("GET /version?x HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        #expect(version.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(version.contains("content-type: application/json\r\n"))
        #expect(version.contains(#""min_admin_api_version":2"#))
        let body = #"{"uri":"foo"}"#
        let refused = try server.send(
            "POST /deployments HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-type: application/json\r\n"
                + "content-length: \(body.utf8.count)\r\n\r\n\(body)")
        #expect(refused.hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
        #expect(refused.contains("The provided uri foo is not absolute"))
        let method = try server.send("DELETE /services HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        #expect(method.hasPrefix("HTTP/1.1 405 Method Not Allowed\r\n"))
        #expect(method.contains("allow: GET,HEAD\r\n"))
    }

    @Test func `HEAD tells the length of the body and sends none`() throws {
        let server = try AdminTestServer()
        defer { server.stop() }
        let response = try server.send("HEAD /services HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        #expect(response.hasPrefix("HTTP/1.1 200 "))
        #expect(response.contains("content-length: \(#"{"services":[]}"#.utf8.count)\r\n"))
        #expect(response.hasSuffix("\r\n\r\n"))
    }

    @Test func `a body above the limit is refused, declared or not`() throws {
        let server = try AdminTestServer(bodyLimit: 10)
        defer { server.stop() }
        let head = "POST /query HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-type: application/json\r\n"
        for rest in [
            "content-length: 11\r\n\r\n12345678901", "transfer-encoding: chunked\r\n\r\nb\r\n12345678901\r\n0\r\n\r\n",
        ] {
            let response = try server.send(head + rest)
            #expect(response.hasPrefix("HTTP/1.1 413 "))
            #expect(response.contains("larger than 10 bytes"))
        }
        let small = try server.send(head + "content-length: 10\r\n\r\n1234567890")
        #expect(small.hasPrefix("HTTP/1.1 422 "))
    }

    @Test func `a body may have 2 MiB`() throws {
        let server = try AdminTestServer()
        defer { server.stop() }
        let head = "POST /query HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-type: application/json\r\n"
        let length = 2_097_152
        let body = String(repeating: " ", count: length)
        #expect(try server.send(head + "content-length: \(length)\r\n\r\n\(body)").hasPrefix("HTTP/1.1 400 "))
        #expect(try server.send(head + "content-length: \(length + 1)\r\n\r\n\(body) ").hasPrefix("HTTP/1.1 413 "))
    }

    @Test func `more requests in progress than allowed are refused without a body`() throws {
        let server = try AdminTestServer(concurrentRequestLimit: 0)
        defer { server.stop() }
        let response = try server.send("GET /health HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        #expect(response.hasPrefix("HTTP/1.1 429 "))
        #expect(response.hasSuffix("\r\n\r\n"))
    }

    @Test func `each request gives its place back`() throws {
        let server = try AdminTestServer(concurrentRequestLimit: 1)
        defer { server.stop() }
        for _ in 0..<3 {
            let response = try server.send("GET /health HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
            #expect(response.hasPrefix("HTTP/1.1 200 "))
        }
    }
}

/// A server on one loop, whose admin API finds an `AdminFake`.
private final class AdminTestServer {
    private let group: LoopGroup
    private let port: Int

    init(bodyLimit: Int = AdminService.bodyLimit, concurrentRequestLimit: Int? = nil) throws {
        group = try LoopGroup(count: 1)
        let admission = concurrentRequestLimit.map { RequestAdmission(limit: $0) }
        let server = try HTTPServer(group: group) { _ in
            AdminService(environment: AdminFake(), bodyLimit: bodyLimit, admission: admission)
        }
        port = try server.listen(host: "127.0.0.1", port: 0)
        group.start()
    }

    func stop() { group.stop() }

    /// Sends bytes on a new connection, and reads until the server closes it.
    func send(_ text: String) throws -> String {
        let client = try #require(SocketClient(port: port))
        try #require(client.write(Bytes(utf8: text)))
        return client.readToEnd()
    }
}
