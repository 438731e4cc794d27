import HoldfastWire
final class HTTP2ServerConnection: ServerConnection, ChannelHandler {
    init(_ channel: Channel, worker: ServerWorker) {}
    func channelSecured(applicationProtocol: String?) {}
    func received(_ bytes: RawSpan) {}
    func fillOutput() {}
    func outputDrained() {}
    func channelClosed(_ error: TransportError?) {}
    func tick(now: UInt64) {}
    func drain() {}
    func cut() {}
}
