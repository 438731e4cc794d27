#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// One attempt to connect to a host: the look-up of its name, then its addresses one after the other.
final class Connector {
    private let loop: EventLoop
    private let host: String
    private let port: Int
    private let timeout: UInt64
    private var completion: ((Result<Int32, TransportError>) -> Void)?
    private var lookup: UVAddressLookup?
    private var addresses: ArraySlice<SocketAddress> = []
    private var poll: UVPoll?
    private var timer: LoopTimer?

    /// - Parameters:
    ///   - timeout: Milliseconds for all of it.
    ///   - completion: Called once, on the loop and not before `start` has returned, with a connected descriptor that
    ///     the callee owns.
    init(
        loop: EventLoop, host: String, port: Int, timeout: UInt64,
        completion: @escaping (Result<Int32, TransportError>) -> Void
    ) {
        self.loop = loop
        self.host = host
        self.port = port
        self.timeout = timeout
        self.completion = completion
    }

    private var address: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    func start() {
        timer = loop.schedule(after: timeout) { [weak self] in
            guard let self else { return }
            finish(.failure(.connectTimeout(address, milliseconds: timeout)))
        }
        if let numeric = SocketAddress(numeric: host, port: port) {
            addresses = [numeric]
            let later = LoopBound(self)
            loop.post { later.value.connectNext(last: nil) }
            return
        }
        let lookup = UVAddressLookup(loop.uv, host: host, port: port) { [weak self] in self?.found($0) }
        self.lookup = lookup
        let later = LoopBound(self)
        loop.post { later.value.lookup?.begin() }
    }

    /// `completion` is not called any more.
    func cancel() {
        completion = nil
        cleanUp()
    }

    private func found(_ result: Result<[SocketAddress], TransportError>) {
        lookup = nil
        switch result {
        case .success(let found):
            addresses = found[...]
            connectNext(last: nil)
        case .failure(let error): finish(.failure(error))
        }
    }

    /// Tries the next address; `last` tells why the one before it failed.
    private func connectNext(last: TransportError?) {
        guard completion != nil else { return }
        poll?.close()
        poll = nil
        guard let next = addresses.popFirst() else {
            return finish(.failure(last ?? .unreachable(address, reason: "it has no address")))
        }
        let descriptor = SystemSocket.open(family: next.family)
        guard descriptor >= 0 else { return connectNext(last: .eventLoop(reason: systemText(errno))) }
        guard next.connect(descriptor) == 0 || errno == EINPROGRESS else {
            let number = errno
            systemClose(descriptor)
            return connectNext(last: failure(number))
        }
        do throws(TransportError) {
            let poll = try UVPoll(loop.uv, descriptor: descriptor)
            self.poll = poll
            poll.onEvents = { [weak self] _ in self?.connected(descriptor) }
            poll.wait(for: .writable)
        } catch {
            finish(.failure(error))
        }
    }

    private func connected(_ descriptor: Int32) {
        let number = SystemSocket.pendingError(descriptor)
        guard number == 0 else { return connectNext(last: failure(number)) }
        guard let poll else { return }
        finish(.success(poll.release()))
    }

    private func failure(_ number: Int32) -> TransportError {
        switch number {
        case ECONNREFUSED: .connectionRefused(address)
        case ETIMEDOUT: .connectTimeout(address, milliseconds: timeout)
        default: .unreachable(address, reason: systemText(number))
        }
    }

    private func finish(_ result: Result<Int32, TransportError>) {
        let completion = self.completion
        self.completion = nil
        cleanUp()
        completion?(result)
    }

    private func cleanUp() {
        timer?.cancel()
        timer = nil
        lookup?.cancel()
        lookup = nil
        poll?.close()
        poll = nil
    }
}
