import Foundation
import HoldfastWire

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// An HTTP/1.1 client that writes what it is told and reads what comes; blocking, with a deadline of a minute.
final class SocketClient {
    struct Answer {
        var status: Int
        var headers: [(name: String, value: String)]
        var body: Bytes
    }

    private let descriptor: Int32

    init?(port: Int) {
        #if canImport(Darwin)
            let stream = SOCK_STREAM
        #else
            let stream = Int32(SOCK_STREAM.rawValue)
        #endif
        descriptor = socket(AF_INET, stream, 0)
        guard descriptor >= 0, let port = UInt16(exactly: port) else { return nil }
        var deadline = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &deadline, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &deadline, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 || errno == EINTR else { return nil }
        // An interrupted connect goes on by itself: the first byte can be sent when it is done.
        var wanted = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        while poll(&wanted, 1, 60_000) < 0, errno == EINTR {}
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// False when the peer does not take everything, which a server that has answered may do.
    @discardableResult
    func write(_ bytes: Bytes) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, 0x4000 /* MSG_NOSIGNAL */) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// Reads a head, and as much of a body as it declares.
    func readAnswer(hasBody: Bool = true) -> Answer? {
        var input: [UInt8] = []
        let end = Array("\r\n\r\n".utf8)
        var headEnd: Int?
        while headEnd == nil {
            guard let bytes = read() else { return nil }
            input += bytes
            headEnd = input.indices.first { input[$0...].starts(with: end) }
        }
        guard let headEnd, var answer = Self.head(String(decoding: input[..<headEnd], as: UTF8.self)) else {
            return nil
        }
        var body = input[(headEnd + 4)...]
        let length = answer.headers.first { $0.name == "content-length" }.flatMap { Int($0.value) } ?? 0
        while hasBody, body.count < length {
            guard let bytes = read() else { return nil }
            body += bytes
        }
        answer.body = body
        return answer
    }

    /// Reads until the server closes the connection, or nothing comes in time.
    func readToEnd() -> String {
        var input: [UInt8] = []
        while let bytes = read() { input += bytes }
        return String(decoding: input, as: UTF8.self)
    }

    private static func head(_ text: String) -> Answer? {
        let lines = text.split(separator: "\r\n")
        guard let first = lines.first?.split(separator: " "), first.count > 1, let status = Int(first[1]) else {
            return nil
        }
        let headers = lines.dropFirst().map { line in
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            return (
                name: parts[0].lowercased(),
                value: (parts.count > 1 ? String(parts[1]) : "").trimmingCharacters(in: .whitespaces)
            )
        }
        return Answer(status: status, headers: headers, body: [])
    }

    private func read() -> Bytes? {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        // Children of other tests end meanwhile, and their signal interrupts whoever waits.
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count < 0, errno == EINTR { continue }
            return count > 0 ? buffer[..<count] : nil
        }
    }
}
