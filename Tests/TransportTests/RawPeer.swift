import Dispatch
import HoldfastWire

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A socket without any protocol, for bytes that no proper peer would send. Blocking, with a limit of some seconds.
final class RawPeer {
    private var descriptor: Int32
    /// The server lives as long as somebody may read from it.
    private let harness: Harness?
    /// The beginning of a frame whose end has not come yet.
    private var unframed: [UInt8] = []

    /// Connects to a server.
    init(_ harness: Harness) {
        let descriptor = RawPeer.makeSocket()
        self.descriptor = descriptor
        self.harness = harness
        let status = RawPeer.withAddress(harness.port) { connect(descriptor, $0, $1) }
        if status != 0, errno == EINTR {
            // A signal came; the connection goes on being made.
            var wanted = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            while poll(&wanted, 1, 60_000) < 0, errno == EINTR {}
        }
        setTimeout()
    }

    private init(accepted: Int32) {
        descriptor = accepted
        harness = nil
        setTimeout()
    }

    deinit { end() }

    func send(_ text: String) { send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) {
        var offset = 0
        while offset < bytes.count {
            let count = bytes[offset...].withUnsafeBytes {
                #if canImport(Darwin)
                    Darwin.send(descriptor, $0.baseAddress, $0.count, 0)
                #else
                    Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                #endif
            }
            guard count > 0 || errno == EINTR else { return }
            offset += max(count, 0)
        }
    }

    /// What has come, at most `limit` bytes; empty at the end of input, nil when nothing comes in time.
    func read(limit: Int = 65_536) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: limit)
        while true {
            let count = recv(descriptor, &buffer, limit, 0)
            if count >= 0 { return Array(buffer[..<count]) }
            switch errno {
            case EINTR: continue
            case EAGAIN: return nil
            default: return []
            }
        }
    }

    /// Everything up to the end of input, as text. nil when the peer does not end it.
    func readToEnd() -> String? {
        var all: [UInt8] = []
        while true {
            guard let part = read() else { return nil }
            if part.isEmpty { return String(decoding: all, as: UTF8.self) }
            all += part
        }
    }

    /// Reads until `text` has come.
    func read(until text: String) -> String {
        var all: [UInt8] = []
        while !String(decoding: all, as: UTF8.self).contains(text), let part = read(), !part.isEmpty { all += part }
        return String(decoding: all, as: UTF8.self)
    }

    /// Reads until these bytes have come.
    func read(until wanted: [UInt8]) -> [UInt8] {
        var all: [UInt8] = []
        while all.firstRange(of: wanted) == nil, let part = read(), !part.isEmpty { all += part }
        return all
    }

    func end() {
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
    }

    private func setTimeout() {
        var limit = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    private static func makeSocket() -> Int32 {
        #if canImport(Darwin)
            socket(AF_INET, SOCK_STREAM, 0)
        #else
            socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #endif
    }

    private static func withAddress<R>(_ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(truncatingIfNeeded: port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    /// A listening socket whose connections are raw.
    final class Server: Sendable {
        private let descriptor: Int32
        let port: Int

        init() {
            let descriptor = RawPeer.makeSocket()
            self.descriptor = descriptor
            _ = RawPeer.withAddress(0) { bind(descriptor, $0, $1) }
            listen(descriptor, 16)
            var address = sockaddr_in()
            var size = socklen_t(MemoryLayout<sockaddr_in>.size)
            withUnsafeMutablePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(descriptor, $0, &size) }
            }
            port = Int(UInt16(bigEndian: address.sin_port))
        }

        deinit { close(descriptor) }

        /// Plays the server of the next connection on a thread of its own, and then ends the connection.
        func play(_ script: @escaping @Sendable (RawPeer) -> Void) {
            DispatchQueue.global().async { [self] in
                let peer = accept()
                script(peer)
                peer.end()
            }
        }

        /// The next connection. Blocks.
        private func accept() -> RawPeer {
            while true {
                #if canImport(Darwin)
                    let peer = Darwin.accept(descriptor, nil, nil)
                #else
                    let peer = Glibc.accept(descriptor, nil, nil)
                #endif
                if peer >= 0 || errno != EINTR { return RawPeer(accepted: peer) }
            }
        }
    }
}

/// HTTP/2 frames by hand.
enum RawFrame {
    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    static func frame(_ type: UInt8, flags: UInt8 = 0, stream: UInt32 = 0, _ payload: [UInt8] = []) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(UInt8(truncatingIfNeeded: payload.count >> 16))
        bytes.append(bigEndian: UInt16(truncatingIfNeeded: payload.count))
        bytes += [type, flags]
        bytes.append(bigEndian: stream)
        return bytes + payload
    }

    static let settings = frame(4)
    static let settingsAnswer = frame(4, flags: 1)

    static func setting(_ id: UInt16, _ value: UInt32) -> [UInt8] {
        var payload: [UInt8] = []
        payload.append(bigEndian: id)
        payload.append(bigEndian: value)
        return frame(4, payload)
    }

    /// `GET /` of the static table, and the authority `a`.
    static let requestBlock: [UInt8] = [0x82, 0x86, 0x84, 0x01, 1, 97]

    static func request(_ stream: UInt32, endsStream: Bool = true) -> [UInt8] {
        frame(1, flags: endsStream ? 5 : 4, stream: stream, requestBlock)
    }

    static func reset(_ stream: UInt32, code: UInt8 = 8) -> [UInt8] { frame(3, stream: stream, [0, 0, 0, code]) }

    static func goAway(last: UInt32, code: UInt32 = 0) -> [UInt8] {
        var payload: [UInt8] = []
        payload.append(bigEndian: last)
        payload.append(bigEndian: code)
        return frame(7, payload)
    }

    /// `:status 200` and nothing else.
    static func head(_ stream: UInt32, endsStream: Bool = false) -> [UInt8] {
        frame(1, flags: endsStream ? 5 : 4, stream: stream, [0x88])
    }

    /// Type, flags, stream and payload of the frames in `bytes`; what is cut off at the end is left out.
    static func all(in bytes: [UInt8]) -> [(type: UInt8, flags: UInt8, stream: UInt32, payload: [UInt8])] {
        var frames: [(type: UInt8, flags: UInt8, stream: UInt32, payload: [UInt8])] = []
        var rest = bytes[...]
        while rest.count >= 9 {
            let start = rest.startIndex
            let length = Int(rest[start]) << 16 | Int(rest[start + 1]) << 8 | Int(rest[start + 2])
            guard rest.count >= 9 + length else { break }
            let stream = rest[(start + 5)..<(start + 9)].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            frames.append((rest[start + 3], rest[start + 4], stream, Array(rest[(start + 9)..<(start + 9 + length)])))
            rest = rest.dropFirst(9 + length)
        }
        return frames
    }
}

extension RawPeer {
    /// Frames up to the first that is wanted, or to the end of input.
    func frames(
        until isWanted: ((type: UInt8, flags: UInt8, stream: UInt32, payload: [UInt8])) -> Bool
    ) -> [(type: UInt8, flags: UInt8, stream: UInt32, payload: [UInt8])] {
        var frames: [(type: UInt8, flags: UInt8, stream: UInt32, payload: [UInt8])] = []
        while !frames.contains(where: isWanted) {
            guard let part = read(), !part.isEmpty else { return frames }
            unframed += part
            let complete = RawFrame.all(in: unframed)
            unframed.removeFirst(complete.map { 9 + $0.payload.count }.reduce(0, +))
            frames += complete
        }
        return frames
    }
}
