import HoldfastTransport
import HoldfastWire
import Synchronization
import Testing

/// The client's connections, against peers that are written by hand or have unusual limits.
@Suite(.timeLimit(.minutes(5)))
struct ClientTests {
    @Test func `more connections are opened when the peer allows few streams`() async throws {
        var options = HTTPServerOptions()
        options.maxConcurrentStreams = 2
        let waiting = Mutex<[Held]>([])
        let harness = try Harness(loops: 1, options: options) { exchange in
            // Nobody is answered before all are there, which needs three connections of two streams.
            let all = waiting.withLock {
                $0.append(Held(exchange))
                return $0.count == 6 ? $0 : []
            }
            for held in all { held.exchange.answer("one of six") }
        }
        let answers = await requests(6, harness, warmUp: false)
        #expect(answers.map(\.text) == Array(repeating: "one of six", count: 6))
    }

    @Test func `many requests share a connection, and more than its limit are spread`() async throws {
        let harness = try Harness(loops: 1) { $0.answer("a") }
        let answers = await requests(300, harness, warmUp: true)
        #expect(answers.allSatisfy { $0.text == "a" })
        #expect(answers.count == 300)
    }

    @Test(arguments: [
        "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        "<!DOCTYPE HTML><p>Error code: 505</p>",
    ])
    func `an HTTP 1 server that is spoken to in HTTP 2 is told from others`(text: String) async throws {
        let answer = try await answer { peer in
            _ = peer.read()
            peer.send(text)
        }
        #expect(answer.error?.code == .http1OnlyPeer)
    }

    @Test func `streams above the last one of a GOAWAY are refused, those below it are finished`() async throws {
        let server = RawPeer.Server()
        let group = try LoopGroup(count: 1)
        defer { group.stop() }
        group.start()
        server.play { peer in
            _ = peer.read(until: "PRI")
            peer.send(RawFrame.settings + RawFrame.goAway(last: 1) + RawFrame.head(1))
            peer.send(RawFrame.frame(0, flags: 1, stream: 1, Array("done".utf8)))
            while let part = peer.read(), !part.isEmpty {}
        }
        let answers = await withCheckedContinuation { (continuation: CheckedContinuation<[Answer], Never>) in
            let loop = group.loops[0]
            let port = server.port
            loop.post {
                let client = HTTPClient(loop: loop)
                let gathered = Gatherer(2) { answers in
                    client.close()
                    continuation.resume(returning: answers)
                }
                for index in 0..<2 {
                    _ = client.open(
                        HTTPRequestHead(method: "GET", path: "/"),
                        to: HTTPOrigin(secure: false, host: "127.0.0.1", port: port), version: .http2PriorKnowledge,
                        hasBody: false, delegate: Caller { gathered.set(index, $0) })
                }
            }
        }
        #expect(answers[0].text == "done" && answers[0].error == nil)
        #expect(answers[1].error?.code == .refused)
    }

    @Test func `a peer that says GOAWAY is asked whether it is still there`() async throws {
        var options = HTTPClientOptions()
        options.pingInterval = 0
        let isAsked = Mutex(false)
        let answer = try await answer(options: options) { peer in
            _ = peer.read(until: "PRI")
            peer.send(RawFrame.settings + RawFrame.goAway(last: 1))
            // It never answers: to the ping it ends the connection, as one does that is done with it.
            let last = peer.frames { $0.type == 6 }.last
            isAsked.withLock { $0 = last?.type == 6 }
        }
        #expect(answer.error?.code == .connectionClosed)
        #expect(isAsked.withLock { $0 })
    }

    @Test func `a connection is replaced after so many requests, and finishes those that it has`() async throws {
        let server = RawPeer.Server()
        for _ in 0..<2 {
            server.play { peer in
                peer.send(RawFrame.settings)
                for stream: UInt8 in [1, 3] {
                    // HEADERS with END_STREAM and END_HEADERS.
                    guard !peer.read(until: [1, 5, 0, 0, 0, stream]).isEmpty else { return }
                    peer.send(RawFrame.head(UInt32(stream)))
                    peer.send(RawFrame.frame(0, flags: 1, stream: UInt32(stream), Array("stream \(stream)".utf8)))
                }
                while let part = peer.read(), !part.isEmpty {}
            }
        }
        var options = HTTPClientOptions()
        options.maxRequestsPerHTTP2Connection = 2
        let answers = try await answersInTurn(to: ["/", "/", "/"], of: server, options: options)
        #expect(answers.map(\.text) == ["stream 1", "stream 3", "stream 1"])
    }

    @Test(arguments: [HTTPVersionPolicy.http1, .http2PriorKnowledge])
    func `a kept connection that ends as the request goes out was stale, a new one is not`(
        version: HTTPVersionPolicy
    ) async throws {
        let server = RawPeer.Server()
        server.play { peer in
            // It answers once.
            if version == .http1 {
                _ = peer.read(until: "first")
                peer.send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                _ = peer.read(until: "second")
            } else {
                _ = peer.read(until: [1, 5, 0, 0, 0, 1])
                peer.send(RawFrame.settings + RawFrame.head(1, endsStream: true))
                _ = peer.read(until: [1, 5, 0, 0, 0, 3])
            }
        }
        let answers = try await answersInTurn(to: ["/first", "/second"], of: server, version: version)
        #expect(answers.map(\.error?.code) == [nil, .stale])
        let answer = try await answer(version: version) { peer in _ = peer.read() }
        #expect(answer.error?.code == .connectionClosed)
    }

    @Test func `frames on a stream that was given up are dropped`() async throws {
        let server = RawPeer.Server()
        let group = try LoopGroup(count: 1)
        defer { group.stop() }
        group.start()
        let loop = group.loops[0]
        let port = server.port
        server.play { peer in
            peer.send(RawFrame.settings + RawFrame.head(1))
            _ = peer.read(until: RawFrame.reset(1))
            peer.send(RawFrame.frame(0, stream: 1, Array("late".utf8)) + RawFrame.head(1, endsStream: true))
            peer.send(RawFrame.head(3) + RawFrame.frame(0, flags: 1, stream: 3, Array("fine".utf8)))
            while let part = peer.read(), !part.isEmpty {}
        }
        let answer = await withCheckedContinuation { (continuation: CheckedContinuation<Answer, Never>) in
            loop.post {
                let client = HTTPClient(loop: loop)
                let origin = HTTPOrigin(secure: false, host: "127.0.0.1", port: port)
                let givenUp = Caller { _ in Issue.record("an exchange that was given up is silent") }
                givenUp.onHead = { $0.cancel() }
                for caller in [
                    givenUp,
                    Caller {
                        client.close()
                        continuation.resume(returning: $0)
                    },
                ] {
                    _ = client.open(
                        HTTPRequestHead(method: "GET", path: "/"), to: origin, version: .http2PriorKnowledge,
                        hasBody: false, delegate: caller)
                }
            }
        }
        #expect(answer.text == "fine" && answer.error == nil)
    }

    @Test func `a peer that answers no ping loses its exchanges`() async throws {
        var options = HTTPClientOptions()
        options.pingInterval = 20
        options.pingTimeout = 40
        let answer = try await answer(options: options) { peer in
            peer.send(RawFrame.settings)
            while let part = peer.read(), !part.isEmpty {}
        }
        #expect(answer.error?.code == .timeout)
    }

    @Test func `an HTTP 1 request has its lines in the order that endpoints are used to`() async throws {
        let seen = Mutex("")
        let answer = try await answer(
            version: .http1, headers: ["Content-Type": "a", "host": "ignored", "connection": "ignored"], body: "xyz"
        ) { peer in
            let text = peer.read(until: "0\r\n\r\n")
            seen.withLock { $0 = text }
            peer.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 470 \r\n\r\nuntil the end")
        }
        let lines = seen.withLock { $0 }.components(of: "\r\n")
        #expect(lines[0] == "POST / HTTP/1.1")
        #expect(lines[1] == "content-type: a")
        #expect(lines[2].hasPrefix("host: 127.0.0.1:"))
        #expect(Array(lines[3...]) == ["transfer-encoding: chunked", "", "3", "xyz", "0", "", ""])
        #expect(answer.status == 470)
        #expect(answer.text == "until the end" && answer.error == nil)
    }

    @Test(arguments: [
        "", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n",
    ])
    func `an HTTP 1 answer that is cut off is a failure`(text: String) async throws {
        let answer = try await answer(version: .http1) { peer in
            _ = peer.read(until: "\r\n\r\n")
            peer.send(text)
        }
        #expect(answer.error?.code == .connectionClosed || answer.error?.code == .protocolError)
    }

    @Test func `an HTTP 1 connection is used again`() async throws {
        let server = RawPeer.Server()
        let group = try LoopGroup(count: 1)
        defer { group.stop() }
        group.start()
        let loop = group.loops[0]
        let origin = HTTPOrigin(secure: false, host: "127.0.0.1", port: server.port)
        server.play { peer in
            for _ in 0..<2 {
                _ = peer.read(until: "\r\n\r\n")
                peer.send("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\na")
            }
        }
        let result = await withCheckedContinuation { (continuation: CheckedContinuation<Answer, Never>) in
            loop.post {
                let client = HTTPClient(loop: loop)
                let head = HTTPRequestHead(method: "GET", path: "/")
                let first = Caller { _ in
                    let second = Caller {
                        client.close()
                        continuation.resume(returning: $0)
                    }
                    // In the same call: the connection goes back to the pool right after it.
                    _ = client.open(head, to: origin, version: .http1, hasBody: false, delegate: second)
                }
                _ = client.open(head, to: origin, version: .http1, hasBody: false, delegate: first)
            }
        }
        #expect(result.text == "a")
    }

    private func requests(_ count: Int, _ harness: Harness, warmUp: Bool) async -> [Answer] {
        defer { withExtendedLifetime(harness) {} }
        let loop = harness.group.loops[0]
        let port = harness.port
        return await withCheckedContinuation { continuation in
            loop.post {
                let client = HTTPClient(loop: loop)
                let origin = HTTPOrigin(secure: false, host: "127.0.0.1", port: port)
                let head = HTTPRequestHead(method: "GET", path: "/")
                let gathered = Gatherer(count) { answers in
                    client.close()
                    continuation.resume(returning: answers)
                }
                func start() {
                    for index in 0..<count {
                        _ = client.open(
                            head, to: origin, version: .http2PriorKnowledge, hasBody: false,
                            delegate: Caller { gathered.set(index, $0) })
                    }
                }
                guard warmUp else {
                    // One by one, since the peer's limit is known only after the first answer of the connection.
                    for index in 0..<count {
                        loop.schedule(after: UInt64(index) * 20) {
                            _ = client.open(
                                head, to: origin, version: .http2PriorKnowledge, hasBody: false,
                                delegate: Caller { gathered.set(index, $0) })
                        }
                    }
                    return
                }
                _ = client.open(
                    head, to: origin, version: .http2PriorKnowledge, hasBody: false, delegate: Caller { _ in start() })
            }
        }
    }

    /// What becomes of one request to a peer that is written by hand.
    /// What one client is answered that asks for one path after the other.
    private func answersInTurn(
        to paths: [String], of server: RawPeer.Server, version: HTTPVersionPolicy = .http2PriorKnowledge,
        options: HTTPClientOptions = HTTPClientOptions()
    ) async throws -> [Answer] {
        let group = try LoopGroup(count: 1)
        defer { group.stop() }
        group.start()
        let loop = group.loops[0]
        let origin = HTTPOrigin(secure: false, host: "127.0.0.1", port: server.port)
        return await withCheckedContinuation { (continuation: CheckedContinuation<[Answer], Never>) in
            loop.post {
                let client = HTTPClient(loop: loop, options: options)
                var answers: [Answer] = []
                func next(_ paths: ArraySlice<String>) {
                    guard let path = paths.first else {
                        client.close()
                        return continuation.resume(returning: answers)
                    }
                    let caller = Caller { answer in
                        answers.append(answer)
                        next(paths.dropFirst())
                    }
                    _ = client.open(
                        HTTPRequestHead(method: "GET", path: path), to: origin, version: version, hasBody: false,
                        delegate: caller)
                }
                next(paths[...])
            }
        }
    }

    private func answer(
        version: HTTPVersionPolicy = .http2PriorKnowledge, options: HTTPClientOptions = HTTPClientOptions(),
        headers: HTTPHeaders = [:], body: String? = nil, _ script: @escaping @Sendable (RawPeer) -> Void
    ) async throws -> Answer {
        let server = RawPeer.Server()
        let group = try LoopGroup(count: 1)
        defer { group.stop() }
        group.start()
        server.play(script)
        return await Caller.request(
            HTTPRequestHead(method: body == nil ? "GET" : "POST", path: "/", headers: headers),
            to: HTTPOrigin(secure: false, host: "127.0.0.1", port: server.port),
            body: body.map { [Bytes(utf8: $0)] }, version: version, on: group.loops[0], options: options)
    }
}

/// Waits for several answers on one loop.
final class Gatherer {
    private var answers: [Int: Answer] = [:]
    private let count: Int
    private let done: ([Answer]) -> Void

    init(_ count: Int, done: @escaping ([Answer]) -> Void) {
        self.count = count
        self.done = done
    }

    func set(_ index: Int, _ answer: Answer) {
        answers[index] = answer
        if answers.count == count { done((0..<count).compactMap { answers[$0] }) }
    }
}
