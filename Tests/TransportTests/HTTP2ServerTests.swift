import HoldfastTransport
import HoldfastWire
import Synchronization
import Testing

/// The server's HTTP/2 side, seen from a bare socket.
@Suite(.timeLimit(.minutes(5)))
struct HTTP2ServerTests {
    static let calm: UInt8 = 11

    @Test(arguments: [
        (RawFrame.request(1) + RawFrame.reset(1), "resets"), (RawFrame.settings, "settings"),
        (RawFrame.frame(6, [UInt8](repeating: 0, count: 8)), "pings"),
    ])
    func `a peer that floods is cut`(frames: [UInt8], name: String) throws {
        var options = HTTPServerOptions()
        options.maxControlFrames = 100
        let harness = try Harness(loops: 1, options: options) { exchange in exchange.onClosed = { _ = exchange } }
        let peer = RawPeer(harness)
        peer.send(RawFrame.preface + RawFrame.settings)
        for number in 0..<200 {
            let stream = UInt32(2 * number + 1)
            peer.send(name == "resets" ? RawFrame.request(stream) + RawFrame.reset(stream) : frames)
        }
        let last = peer.frames { $0.type == 7 }.last { $0.type == 7 }
        #expect(last?.payload.suffix(4) == [0, 0, 0, HTTP2ServerTests.calm])
    }

    @Test func `a head above the limit is answered with 431`() throws {
        let harness = try Harness(loops: 1) { _ in Issue.record("the service is not asked") }
        let peer = RawPeer(harness)
        // A literal line without Huffman coding: name "a", value of 16,300 bytes (length in HPACK's 7-bit prefix form).
        let line: [UInt8] = [0x00, 1, 97, 0x7F, 0xAD, 0x7E] + [UInt8](repeating: 98, count: 16_300)
        let block = RawFrame.requestBlock + line
        peer.send(RawFrame.preface + RawFrame.settings)
        peer.send(RawFrame.frame(1, flags: 1, stream: 1, Array(block[..<16_000])))
        peer.send(RawFrame.frame(9, flags: 4, stream: 1, Array(block[16_000...])))
        let head = peer.frames { $0.type == 1 }.first { $0.type == 1 }
        // `:status` 431 is a literal with the name of index 8 and a Huffman-coded or plain value.
        let block431 = try #require(head?.payload)
        #expect(block431.first == 0x48)
    }

    @Test func `a path that is not UTF-8 is answered with 400`() throws {
        let harness = try Harness(loops: 1) { _ in Issue.record("the service is not asked") }
        let peer = RawPeer(harness)
        peer.send(RawFrame.preface + RawFrame.settings)
        // A literal value for `:path`, which is index 4 of the static table.
        peer.send(RawFrame.frame(1, flags: 5, stream: 1, [0x82, 0x86, 0x04, 2, 0x2F, 0xFF, 0x01, 1, 97]))
        let head = peer.frames { $0.type == 1 }.first { $0.type == 1 }
        // `:status` 400 is index 12.
        #expect(head?.payload.first == 0x8C)
    }

    @Test func `a body that stalls ends its stream, and no other`() throws {
        /// Used on one loop.
        final class Waiting: @unchecked Sendable { var exchange: ServerExchange? }
        let waiting = Waiting()
        var options = HTTPServerOptions()
        options.idleTimeout = 50
        let harness = try Harness(loops: 1, options: options) { exchange in
            guard exchange.hasBody else { return waiting.exchange = exchange }
            exchange.collectBody(limit: 10) { _ in waiting.exchange?.answer("late") }
        }
        let peer = RawPeer(harness)
        peer.send(RawFrame.preface + RawFrame.settings)
        peer.send(RawFrame.request(1) + RawFrame.request(3, endsStream: false))
        let frames = peer.frames { $0.type == 0 && $0.flags & 1 == 1 }
        #expect(frames.contains { $0.type == 3 && $0.stream == 3 })
        #expect(frames.last { $0.type == 0 }?.stream == 1)
    }

    @Test func `frames that break the rules end the connection and nothing else`() async throws {
        let harness = try Harness(loops: 1) { $0.answer("fine") }
        let broken: [[UInt8]] = [
            RawFrame.frame(0, stream: 1, [1, 2, 3]), RawFrame.frame(1, flags: 4, stream: 2, [0x82]),
            RawFrame.frame(4, [1]), RawFrame.frame(9, stream: 1, [0]), RawFrame.frame(8, [0, 0, 0, 0]),
            RawFrame.frame(1, flags: 4, stream: 1, [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]),
            RawFrame.frame(5, stream: 1, [0, 0, 0, 2]), [UInt8](repeating: 0xFF, count: 100),
        ]
        for frame in broken {
            let peer = RawPeer(harness)
            peer.send(RawFrame.preface + RawFrame.settings + frame)
            let frames = peer.frames { $0.type == 7 || $0.type == 3 }
            #expect(frames.contains { $0.type == 7 || $0.type == 3 })
        }
        let answer = await harness.request(HTTPRequestHead(method: "GET", path: "/"))
        #expect(answer.text == "fine")
    }

    @Test func `an early answer is followed by a reset without error`() throws {
        let harness = try Harness(loops: 1) { $0.answer("early") }
        let peer = RawPeer(harness)
        peer.send(RawFrame.preface + RawFrame.settings + RawFrame.request(1, endsStream: false))
        let frames = peer.frames { $0.type == 3 }
        #expect(frames.filter { $0.type == 0 }.flatMap(\.payload) == Array("early".utf8))
        #expect(frames.last { $0.type == 3 }?.payload == [0, 0, 0, 0])
    }

    @Test func `an answer that nobody reads is given up, although the client goes on with others`() throws {
        var options = HTTPServerOptions()
        options.idleTimeout = 100
        options.maxControlFrames = 1_000_000
        let harness = try Harness(loops: 1, options: options) { $0.answer(String(repeating: "a", count: 200_000)) }
        let peer = RawPeer(harness)
        // Without WINDOW_UPDATE the server may send 65,535 bytes.
        peer.send(RawFrame.preface + RawFrame.settings + RawFrame.request(1))
        var sent = 0
        var end: [UInt8]?
        while end == nil {
            peer.send(RawFrame.frame(6, [UInt8](repeating: 7, count: 8)))
            let frames = peer.frames { $0.type == 6 || $0.type == 3 || $0.type == 7 }
            sent += frames.filter { $0.type == 0 }.map(\.payload.count).reduce(0, +)
            guard !frames.isEmpty else { break }
            end = frames.first { $0.type == 3 }?.payload
        }
        #expect(end == [0, 0, 0, 8])
        #expect(sent == 65_535)
    }

    @Test func `draining answers what was asked, announces the end, and then closes`() async throws {
        let waiting = Mutex<[@Sendable () -> Void]>([])
        let harness = try Harness(loops: 1) { exchange in
            let held = Held(exchange)
            let loop = exchange.loop
            waiting.withLock { $0.append { loop.post { held.exchange.answer("last") } } }
        }
        let peer = RawPeer(harness)
        peer.send(RawFrame.preface + RawFrame.settings + RawFrame.request(1))
        let old = RawPeer(harness)
        old.send("GET / HTTP/1.1\r\n\r\n")
        #expect(await eventually { waiting.withLock { $0.count } == 2 })
        let drained = Mutex(false)
        harness.server.drain(within: 5000) { drained.withLock { $0 = true } }
        #expect(peer.frames { $0.type == 7 }.contains { $0.type == 7 })
        for answer in waiting.withLock({ $0 }) { answer() }
        #expect(peer.frames { $0.type == 0 && $0.flags & 1 == 1 }.contains { $0.payload == Array("last".utf8) })
        let text = try #require(old.readToEnd())
        #expect(text.contains("connection: close\r\n") && text.hasSuffix("last"))
        old.end()
        peer.end()
        #expect(await eventually { drained.withLock { $0 } })
    }

    @Test func `draining does not wait long for clients that keep idle connections`() async throws {
        // After an answer with more to come from the client, the server would give it 2 s; a busy machine has more tries.
        var shortest = Duration.seconds(60)
        for _ in 0..<5 where shortest > .milliseconds(1900) {
            shortest = min(shortest, try await timeToDrainIdleConnections())
        }
        #expect(shortest < .milliseconds(1900))
    }

    /// How long a server drains whose clients do not close.
    private func timeToDrainIdleConnections() async throws -> Duration {
        let harness = try Harness(loops: 1) { $0.answer("done") }
        let peer = RawPeer(harness)
        peer.send(RawFrame.preface + RawFrame.settings + RawFrame.request(1))
        #expect(peer.frames { $0.type == 0 && $0.flags & 1 == 1 }.contains { $0.payload == Array("done".utf8) })
        let old = RawPeer(harness)
        old.send("GET / HTTP/1.1\r\n\r\n")
        #expect(old.read(until: "done").hasSuffix("done"))
        let began = ContinuousClock.now
        let drained = Mutex(false)
        harness.server.drain(within: 60_000) { drained.withLock { $0 = true } }
        #expect(await eventually { drained.withLock { $0 } })
        let time = ContinuousClock.now - began
        #expect(peer.frames { $0.type == 7 }.contains { $0.type == 7 })
        #expect(old.readToEnd()?.isEmpty == true)
        return time
    }

    @Test(arguments: [1, 2, 3, 4])
    func `bytes without any sense harm nobody else`(seed: UInt64) async throws {
        let harness = try Harness(loops: 1) { $0.echo() }
        var random = SeededRandom(seed: seed)
        for round in 0..<60 {
            let peer = RawPeer(harness)
            var bytes: [UInt8] = []
            switch round % 3 {
            case 0: bytes = RawFrame.preface + RawFrame.settings
            case 1: bytes = Array("POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n".utf8)
            default: break
            }
            for _ in 0..<Int.random(in: 1...20, using: &random) {
                let noise = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
                bytes +=
                    round % 3 == 0
                    ? RawFrame.frame(
                        UInt8.random(in: 0...10, using: &random), flags: UInt8.random(in: 0...255, using: &random),
                        stream: UInt32.random(in: 0...5, using: &random), noise) : noise
            }
            peer.send(bytes)
        }
        let answer = await harness.request(
            HTTPRequestHead(method: "POST", path: "/"), body: [Bytes(utf8: "still here")])
        #expect(answer.text == "still here")
    }

    @Test(arguments: [true, false])
    func `a client that does not read makes the server buffer no more than its mark`(http2: Bool) async throws {
        let written = Mutex(0)
        let harness = try Harness(loops: 1) { exchange in
            guard exchange.request.method == "GET" else { return exchange.answer("") }
            exchange.start(HTTPResponseHead(status: 200))
            let piece = Bytes(repeating: 0, count: 65_536)
            func pump() {
                for _ in 0..<1000 {
                    written.withLock { $0 += piece.count }
                    guard exchange.write(piece) else { return }
                }
            }
            exchange.onWritable = pump
            pump()
        }
        let peer = RawPeer(harness)
        peer.send(
            http2
                ? RawFrame.preface + RawFrame.settings + RawFrame.request(1)
                : Array("GET / HTTP/1.1\r\n\r\n".utf8))
        #expect(await eventually { written.withLock { $0 } > 65_536 })
        // The loop answers others while the peer is stuck, so all that it would write has been written.
        for _ in 0..<5 { _ = await harness.request(HTTPRequestHead(method: "HEAD", path: "/"), version: .http1) }
        // Far below the 65 MB of one round of `pump`, far above the kernel's buffers and the mark.
        let bound = 64 << 20
        #expect(written.withLock { $0 } < bound)
    }
}

/// An exchange in a closure that another thread hands back to the loop.
///
/// `@unchecked Sendable`: used on the exchange's loop only.
struct Held: @unchecked Sendable {
    let exchange: ServerExchange
    init(_ exchange: ServerExchange) { self.exchange = exchange }
}

/// Random numbers that repeat with their seed (splitmix64).
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
