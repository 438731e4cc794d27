/// A connection whose protocol is not known yet: HTTP/2 begins with a fixed preface, everything else is HTTP/1.
final class ServerGreeting: ServerConnection, ChannelHandler {
    private let channel: Channel
    private unowned let worker: ServerWorker
    private var begun: [UInt8] = []
    private let since: UInt64

    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    init(_ channel: Channel, worker: ServerWorker) {
        self.channel = channel
        self.worker = worker
        since = worker.loop.now
    }

    func channelSecured(applicationProtocol: String?) {}

    func received(_ bytes: RawSpan) {
        bytes.withUnsafeBytes { begun.append(contentsOf: $0) }
        let isHTTP2 = begun.starts(with: ServerGreeting.preface)
        if !isHTTP2, ServerGreeting.preface.starts(with: begun) { return }
        let connection: any ServerConnection & ChannelHandler =
            isHTTP2
            ? HTTP2ServerConnection(channel, worker: worker) : HTTP1ServerConnection(channel, worker: worker)
        worker.replace(self, by: connection)
        channel.handler = connection
        let all = begun
        connection.received(all.span.bytes)
    }

    func fillOutput() {}
    func outputDrained() {}
    func channelClosed(_ error: TransportError?) { worker.remove(self) }

    func tick(now: UInt64) {
        guard now &- since > worker.options.headerTimeout else { return }
        cut()
        worker.remove(self)
    }

    func drain() {
        cut()
        worker.remove(self)
    }

    func cut() { channel.close() }
}
