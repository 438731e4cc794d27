import CHoldfastUV

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A listening socket on one loop. It hands connected descriptors on; to which loop they go is the owner's choice.
///
/// A second listener on the same address is refused by the system, since ports are never shared (no SO_REUSEPORT).
final class Listener {
    let address: String
    let port: Int
    private let loop: EventLoop
    /// -1 once the poll owns it.
    private var descriptor: Int32
    private var poll: UVPoll?
    private var accepted: (Int32) -> Void = { _ in }
    private var isPaused = false

    /// Connections taken per turn, so that a flood of them does not starve those that exist.
    private static let acceptsPerTurn = 64
    /// How long accepting rests when the process is out of descriptors. Connections wait in the system's queue.
    private static let pauseMilliseconds: UInt64 = 100

    /// Binds and listens, on any thread. `::` takes IPv4 and IPv6, and only IPv4 where the system has no IPv6.
    init(loop: EventLoop, host: String, port: Int) throws(TransportError) {
        self.loop = loop
        let text = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        let addresses = try SocketAddress.lookUp(host, port: port)
        guard let first = addresses.first else { throw .cannotListen(text, reason: "the name has no address") }
        var chosen = first
        descriptor = SystemSocket.open(family: first.family)
        if descriptor < 0, host == "::", let fallback = SocketAddress(numeric: "0.0.0.0", port: port) {
            chosen = fallback
            descriptor = SystemSocket.open(family: fallback.family)
        }
        guard descriptor >= 0 else { throw .cannotListen(text, reason: systemText(errno)) }
        if chosen.isVersion6 { SystemSocket.setOption(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 0) }
        SystemSocket.setOption(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
        guard chosen.bind(descriptor) == 0, listen(descriptor, 4096) == 0 else {
            let number = errno
            systemClose(descriptor)
            throw number == EADDRINUSE ? .addressInUse(text) : .cannotListen(text, reason: systemText(number))
        }
        self.port = SocketAddress(of: descriptor, peer: false)?.port ?? port
        address = text
    }

    deinit { systemClose(descriptor) }

    /// Begins to accept. On the loop.
    func start(_ accepted: @escaping (Int32) -> Void) throws(TransportError) {
        self.accepted = accepted
        let handedOver = descriptor
        descriptor = -1
        let poll = try UVPoll(loop.uv, descriptor: handedOver)
        self.poll = poll
        poll.onEvents = { [unowned self] _ in accept() }
        poll.wait(for: .readable)
    }

    /// Leaves further connections in the system's queue. On the loop.
    func pause() {
        isPaused = true
        poll?.wait(for: [])
    }

    func resume() {
        isPaused = false
        poll?.wait(for: .readable)
    }

    /// Stops listening, once and for all. On the loop.
    func close() { poll?.close() }

    private func accept() {
        guard let poll else { return }
        for _ in 0..<Listener.acceptsPerTurn where !isPaused {
            let connection = SystemSocket.acceptConnection(poll.descriptor)
            if connection >= 0 {
                accepted(connection)
                continue
            }
            switch errno {
            case EMFILE, ENFILE, ENOBUFS, ENOMEM:
                pause()
                loop.schedule(after: Listener.pauseMilliseconds) { [weak self] in self?.resume() }
            default: break  // Nothing is waiting, or the peer has gone already.
            }
            return
        }
        if poll.isOpen, !isPaused { poll.wait(for: .readable) }
    }
}
