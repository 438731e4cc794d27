import HoldfastTransport
import HoldfastWire
import Testing

/// The server's HTTP/1 side, seen from a bare socket.
@Suite(.timeLimit(.minutes(5)))
struct HTTP1ServerTests {
    @Test func `pipelined requests are answered in order, also when the first takes longer`() throws {
        let harness = try Harness(loops: 1) { exchange in
            guard exchange.request.path == "/slow" else { return exchange.answer(exchange.request.path) }
            exchange.loop.schedule(after: 20) { exchange.answer("/slow") }
        }
        let peer = RawPeer(harness)
        peer.send("GET /slow HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\nGET /c HTTP/1.1\r\nconnection: close\r\n\r\n")
        let text = try #require(peer.readToEnd())
        let bodies = text.components(of: "\r\n\r\n").dropFirst().map { $0.prefix { $0 != "H" } }
        #expect(bodies == ["/slow", "/b", "/c"])
    }

    @Test(arguments: [
        ("GARBAGE\r\n\r\n", 400), ("GET / HTTP/1.1\r\ncontent-length: x\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nna me: x\r\n\r\n", 400), ("GET / HTTP/9.9\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\ntransfer-encoding: xx, chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n", 501),
        ("POST / HTTP/1.1\r\ntransfer-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 501),
        ("GET /" + String(repeating: "a", count: 65_534) + " HTTP/1.1\r\n\r\n", 414),
        ("GET / HTTP/1.1\r\n" + String(repeating: "a: b\r\n", count: 101) + "\r\n", 431),
        ("GET / HTTP/1.1\r\na: " + String(repeating: "b", count: 1 << 20) + "\r\n\r\n", 431),
    ])
    func `a head that cannot be read is answered with its status and an empty body, and ends the connection`(
        head: String, status: Int
    ) throws {
        let harness = try Harness(loops: 1) { $0.answer("unreachable") }
        let peer = RawPeer(harness)
        peer.send(head)
        let text = try #require(peer.readToEnd())
        #expect(text.hasPrefix("HTTP/1.1 \(status) "))
        #expect(text.contains("content-length: 0\r\n") && text.contains("connection: close\r\n"))
        #expect(text.hasSuffix("\r\n\r\n"))
    }

    @Test func `a target that is not UTF-8 is refused, one that is not ASCII is not`() throws {
        let harness = try Harness(loops: 1) { $0.answer($0.request.path) }
        for (target, status) in [(Array("/ü".utf8), 200), ([UInt8(ascii: "/"), 0xC3], 400)] {
            let peer = RawPeer(harness)
            peer.send(Array("GET ".utf8) + target + Array(" HTTP/1.1\r\nconnection: close\r\n\r\n".utf8))
            #expect(try #require(peer.readToEnd()).hasPrefix("HTTP/1.1 \(status) "))
        }
    }

    @Test(arguments: [
        "GET / HTTP/1.1\r\n" + String(repeating: "a: b\r\n", count: 99) + "connection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nconnection: close\r\na: " + String(repeating: "b", count: 500_000) + "\r\n\r\n",
        "GET http://host:1/ HTTP/1.1\r\nconnection: close\r\n\r\n", "GET / HTTP/1.0\r\n\r\n",
    ])
    func `large heads, absolute targets and missing hosts are served`(head: String) throws {
        let harness = try Harness(loops: 1) { $0.answer($0.request.path) }
        let peer = RawPeer(harness)
        peer.send(head)
        let text = try #require(peer.readToEnd())
        #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(text.hasSuffix("\r\n\r\n/"))
    }

    @Test func `the word for a chunked body is taken in any case`() throws {
        let harness = try Harness(loops: 1) { $0.answer($0.request.path) }
        let peer = RawPeer(harness)
        peer.send("POST /a HTTP/1.1\r\nconnection: close\r\ntransfer-encoding: Chunked \r\n\r\n1\r\nx\r\n0\r\n\r\n")
        #expect(try #require(peer.readToEnd()).hasPrefix("HTTP/1.1 200 OK\r\n"))
    }

    @Test func `a connection of HTTP 1.0 is kept when the client asks for it`() throws {
        let harness = try Harness(loops: 1) { exchange in
            guard exchange.request.path == "/stream" else { return exchange.answer("a") }
            exchange.start(HTTPResponseHead(status: 200))
            exchange.write(Bytes(utf8: "without chunks"))
            exchange.finish()
        }
        let peer = RawPeer(harness)
        peer.send("GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n")
        #expect(peer.read(until: "\r\n\r\na").contains("connection: keep-alive\r\n"))
        peer.send("GET /stream HTTP/1.0\r\nconnection: keep-alive\r\n\r\n")
        let text = try #require(peer.readToEnd())
        #expect(text.contains("connection: close\r\n"))
        #expect(text.hasSuffix("\r\n\r\nwithout chunks"))
    }

    @Test func `a client that expects it is asked for the body, and not asked when the answer is there already`() throws
    {
        let harness = try Harness(loops: 1) { exchange in
            if exchange.request.path == "/no" { exchange.answer("no", status: 403) } else { exchange.echo() }
        }
        let peer = RawPeer(harness)
        peer.send("POST / HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n")
        #expect(peer.read(until: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
        peer.send("hi")
        #expect(peer.read(until: "\r\n\r\nhi").hasPrefix("HTTP/1.1 200 OK\r\n"))
        peer.send("POST /no HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n")
        let text = try #require(peer.readToEnd())
        #expect(text.hasPrefix("HTTP/1.1 403 ") && text.contains("connection: close\r\n"))
    }

    @Test func `an early answer is readable although the client still sends`() throws {
        let harness = try Harness(loops: 1) { $0.answer("early", status: 400) }
        let peer = RawPeer(harness)
        peer.send("POST / HTTP/1.1\r\ncontent-length: 10000000\r\n\r\n")
        peer.send([UInt8](repeating: 0, count: 500_000))
        let text = try #require(peer.readToEnd())
        #expect(text.hasPrefix("HTTP/1.1 400 ") && text.hasSuffix("\r\n\r\nearly"))
    }

    @Test func `values cannot end their line`() throws {
        let harness = try Harness(loops: 1) {
            $0.respond(HTTPResponseHead(status: 200, headers: ["x": "a\r\nset-cookie: b"]), body: [])
        }
        let peer = RawPeer(harness)
        peer.send("GET / HTTP/1.1\r\nconnection: close\r\n\r\n")
        let lines = try #require(peer.readToEnd()).components(of: "\r\n")
        #expect(lines.contains("x: a  set-cookie: b"))
    }

    @Test func `a head that does not come to its end in time ends the connection`() throws {
        var options = HTTPServerOptions()
        options.headerTimeout = 50
        let harness = try Harness(loops: 1, options: options) { $0.answer("unreachable") }
        for beginning in ["GET / HTTP/1.1\r\nx: ", "PRI * HTTP", ""] {
            let peer = RawPeer(harness)
            peer.send(beginning)
            let text = try #require(peer.readToEnd())
            #expect(text.isEmpty || text.hasPrefix("HTTP/1.1 408 "))
        }
    }

    @Test func `an idle connection is closed`() throws {
        var options = HTTPServerOptions()
        options.idleTimeout = 50
        let harness = try Harness(loops: 1, options: options) { $0.answer("a") }
        let peer = RawPeer(harness)
        peer.send("GET / HTTP/1.1\r\n\r\n")
        #expect(try #require(peer.readToEnd()).hasSuffix("\r\n\r\na"))
    }

    @Test func `connections above the limit wait until others end`() throws {
        var options = HTTPServerOptions()
        options.maxConnections = 2
        let harness = try Harness(options: options) { $0.answer("a") }
        var peers = (0..<2).map { _ in RawPeer(harness) }
        for peer in peers {
            peer.send("GET / HTTP/1.1\r\n\r\n")
            #expect(peer.read(until: "\r\n\r\na").hasSuffix("a"))
        }
        let third = RawPeer(harness)
        third.send("GET / HTTP/1.1\r\n\r\n")
        peers.removeLast().end()
        #expect(third.read(until: "\r\n\r\na").hasSuffix("a"))
    }

    @Test func `a request with upgrade to h2c is answered as stream 1 of HTTP 2`() throws {
        let harness = try Harness(loops: 1) { $0.answer("upgraded \($0.request.version)") }
        let peer = RawPeer(harness)
        peer.send(
            "GET / HTTP/1.1\r\nhost: a\r\nconnection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\n"
                + "http2-settings: AAMAAABkAAQAAP__\r\n\r\n")
        var bytes: [UInt8] = []
        let end = Array("\r\n\r\n".utf8)
        while bytes.suffix(4) != end[...], let byte = peer.read(limit: 1), !byte.isEmpty { bytes += byte }
        #expect(String(decoding: bytes, as: UTF8.self).hasPrefix("HTTP/1.1 101 "))
        peer.send(RawFrame.preface + RawFrame.settings)
        let frames = peer.frames { $0.type == 0 && $0.flags & 1 == 1 }
        let data = frames.filter { $0.type == 0 && $0.stream == 1 }.flatMap(\.payload)
        #expect(String(decoding: data, as: UTF8.self) == "upgraded http2")
    }

    @Test func `a wish to upgrade to anything else is ignored`() throws {
        let harness = try Harness(loops: 1) { $0.answer("\($0.request.version)") }
        for wish in ["connection: upgrade\r\nupgrade: websocket", "connection: upgrade\r\nupgrade: h2c"] {
            let peer = RawPeer(harness)
            peer.send("GET / HTTP/1.1\r\nhost: a\r\n\(wish)\r\n\r\n")
            let answer = peer.read(until: "http1_1")
            #expect(answer.hasPrefix("HTTP/1.1 200 ") && answer.hasSuffix("http1_1"))
        }
    }

    @Test(arguments: ["QUERY", "Get", "x", "VERSION-CONTROL"])
    func `the service hears of a method that nobody knows`(method: String) throws {
        let harness = try Harness(loops: 1) { $0.answer("\($0.request.method) \($0.request.path)") }
        let peer = RawPeer(harness)
        let request = "\(method) /a HTTP/1.1\r\ncontent-length: 1\r\n\r\nb"
        for _ in 0..<2 {
            peer.send(request)
            #expect(peer.read(until: "\(method) /a").hasPrefix("HTTP/1.1 200 "))
        }
        peer.send(request + "GET /c HTTP/1.1\r\n\r\n")
        #expect(peer.read(until: "GET /c").hasSuffix("GET /c"))
    }

    @Test(arguments: ["nothing\r\n\r\n", "no target\r\n\r\n", "(x) / HTTP/1.1\r\n\r\n", " / HTTP/1.1\r\n\r\n"])
    func `what does not begin with a method and a target is refused`(text: String) throws {
        let harness = try Harness(loops: 1) { $0.answer("a") }
        let peer = RawPeer(harness)
        peer.send(text)
        #expect(try #require(peer.readToEnd()).hasPrefix("HTTP/1.1 400 "))
    }
}

extension String {
    func components(of separator: String) -> [String] {
        var parts: [String] = []
        var rest = self[...]
        while let range = rest.firstRange(of: separator) {
            parts.append(String(rest[..<range.lowerBound]))
            rest = rest[range.upperBound...]
        }
        return parts + [String(rest)]
    }
}
