import HoldfastWire

/// placeholder
final class TLSSession {
    enum State {
        case handshaking
        case established(String?)
        case failed(String)
        case ended
    }
    var state = State.handshaking
    var output = OutputBuffer()
    var isEstablished: Bool { if case .established = state { true } else { false } }
    var hasInput: Bool { false }
    var hasOutput: Bool { !output.isEmpty }
    func advanceHandshake() {}
    func receive(_ bytes: RawSpan) {}
    func decrypt(_ body: (RawSpan) -> Void) -> Bool { false }
    func encrypt(_ plain: inout OutputBuffer) {}
}
extension TLSSession {
    convenience init?(server: TLSContext) { return nil }
}
final class TLSContext: Sendable {
    init(server: TLSServerOptions) throws(TransportError) {}
}
extension TLSSession {
    convenience init(client host: String, policy: HTTPVersionPolicy, trust: TLSTrust) throws(TransportError) {
        throw .tls("not there")
    }
}
