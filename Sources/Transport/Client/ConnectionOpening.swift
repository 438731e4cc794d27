/// A connection that a pool can close.
protocol PooledConnection: AnyObject {
    /// Closes at once; exchanges fail with `error`.
    func close(_ error: TransportError)
}

/// A connection that is ready for requests.
struct OpenedConnection {
    let channel: Channel
    let version: HTTPVersion
}

/// The way to a connection: name look-up, connect and, if wanted, the TLS handshake.
final class ConnectionOpening: ChannelHandler {
    private let key: ConnectionPool.Key
    private let loop: EventLoop
    private let options: HTTPClientOptions
    private let tls: Result<TLSContext, TransportError>?
    private var completion: ((Result<OpenedConnection, TransportError>) -> Void)?
    private var connector: Connector?
    private var channel: Channel?
    private var timer: LoopTimer?

    init(
        _ key: ConnectionPool.Key, loop: EventLoop, options: HTTPClientOptions,
        tls: Result<TLSContext, TransportError>?
    ) {
        self.key = key
        self.loop = loop
        self.options = options
        self.tls = tls
    }

    /// `completion` is called once, and not before this returns.
    func start(_ completion: @escaping (Result<OpenedConnection, TransportError>) -> Void) {
        self.completion = completion
        let connector = Connector(
            loop: loop, host: key.origin.host, port: key.origin.port, timeout: options.connectTimeout
        ) { [weak self] in self?.connected($0) }
        self.connector = connector
        connector.start()
    }

    func cancel() {
        completion = nil
        connector?.cancel()
        timer?.cancel()
        channel?.close()
    }

    private func connected(_ result: Result<Int32, TransportError>) {
        connector = nil
        do throws(TransportError) {
            let descriptor = try result.get()
            let tls = try makeTLS(closing: descriptor)
            let channel = try Channel(loop: loop, descriptor: descriptor, tls: tls)
            self.channel = channel
            channel.start(self)
            guard tls != nil else {
                return finish(.success(.init(channel: channel, version: key.policy.cleartextVersion)))
            }
            let timeout = options.connectTimeout
            timer = loop.schedule(after: timeout) { [weak self] in
                guard let self else { return }
                self.channel?.close()
                finish(.failure(.handshakeTimeout(key.origin.authority, milliseconds: timeout)))
            }
        } catch {
            finish(.failure(error))
        }
    }

    private func makeTLS(closing descriptor: Int32) throws(TransportError) -> TLSSession? {
        guard let tls else { return nil }
        do throws(TransportError) {
            return try TLSSession(client: tls.get(), host: key.origin.host, policy: key.policy)
        } catch {
            systemClose(descriptor)
            throw error
        }
    }

    func channelSecured(applicationProtocol: String?) {
        guard let channel else { return }
        let isHTTP2 = applicationProtocol == "h2"
        guard isHTTP2 || key.policy != .http2PriorKnowledge else {
            channel.close()
            return finish(.failure(.noHTTP2(key.origin.authority)))
        }
        finish(.success(.init(channel: channel, version: isHTTP2 ? .http2 : .http1_1)))
    }

    func received(_ bytes: RawSpan) {}
    func fillOutput() {}
    func outputDrained() {}
    func channelClosed(_ error: TransportError?) { finish(.failure(error ?? .connectionClosed)) }

    private func finish(_ result: Result<OpenedConnection, TransportError>) {
        timer?.cancel()
        let completion = self.completion
        self.completion = nil
        completion?(result)
    }
}

extension HTTPVersionPolicy {
    /// What is spoken where nothing is negotiated.
    var cleartextVersion: HTTPVersion { self == .http2PriorKnowledge ? .http2 : .http1_1 }
}
