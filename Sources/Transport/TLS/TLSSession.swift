import CHoldfastOpenSSL
import HoldfastWire

/// One connection's TLS, without a socket: bytes of the peer go in by `receive`, bytes for the peer come out in `output`.
///
/// The C object is owned here and freed in `deinit`, and with it the two memory buffers (`BIO`s) that it reads from and
/// writes to.
final class TLSSession {
    /// Where the connection is.
    enum State {
        /// Next: `established`, `failed`.
        case handshaking
        /// Next: `failed`, `ended`.
        case established(applicationProtocol: String?)
        case failed(String)
        /// The peer has ended its output in an orderly way.
        case ended
    }

    private(set) var state = State.handshaking
    /// What is to be sent to the peer.
    var output = OutputBuffer()
    private let raw: OpaquePointer
    private let fromPeer: OpaquePointer
    private let toPeer: OpaquePointer
    private var isShutDown = false

    /// The largest record of TLS.
    private static let recordBytes = 16_384
    /// Encrypted bytes that may wait for the socket before more are encrypted.
    private static let outputMark = 262_144

    /// The side that accepts.
    init(server context: TLSContext) throws(TransportError) {
        (raw, fromPeer, toPeer) = try TLSSession.make(context)
        SSL_set_accept_state(raw)
    }

    /// The side that connects; the certificate must be for `host`.
    init(client context: TLSContext, host: String, policy: HTTPVersionPolicy) throws(TransportError) {
        (raw, fromPeer, toPeer) = try TLSSession.make(context)
        SSL_set_connect_state(raw)
        if SocketAddress(numeric: host, port: 0) != nil {
            X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(raw), host)
        } else {
            SSL_set1_host(raw, host)
            // A macro of OpenSSL's that Swift does not see: SSL_set_tlsext_host_name.
            let setServerName: Int32 = 55
            var name = Array(host.utf8CString)
            name.withUnsafeMutableBytes { _ = SSL_ctrl(raw, setServerName, 0, $0.baseAddress) }
        }
        let protocols = policy.applicationProtocols
        SSL_set_alpn_protos(raw, protocols, UInt32(protocols.count))
    }

    deinit { SSL_free(raw) }

    var isEstablished: Bool { if case .established = state { true } else { false } }
    var hasOutput: Bool { !output.isEmpty }
    /// Whether there are bytes that `decrypt` has not looked at, or not handed on.
    var hasInput: Bool { SSL_pending(raw) > 0 || BIO_ctrl_pending(fromPeer) > 0 }

    /// Takes bytes from the peer.
    func receive(_ bytes: RawSpan) {
        bytes.withUnsafeBytes { _ = BIO_write(fromPeer, $0.baseAddress, Int32(clamping: $0.count)) }
    }

    /// Goes on with the handshake as far as the bytes of the peer allow.
    func advanceHandshake() {
        guard case .handshaking = state else { return }
        ERR_clear_error()
        let result = SSL_do_handshake(raw)
        if result == 1 {
            state = .established(applicationProtocol: negotiatedProtocol)
        } else {
            stopped(result)
        }
        collectOutput()
    }

    /// Calls `body` with the next decrypted bytes.
    /// - Returns: false when there are none.
    func decrypt(_ body: (RawSpan) -> Void) -> Bool {
        guard case .established = state else { return false }
        return withUnsafeTemporaryAllocation(byteCount: TLSSession.recordBytes, alignment: 1) { buffer in
            ERR_clear_error()
            let count = SSL_read(raw, buffer.baseAddress, Int32(buffer.count))
            if count <= 0 { stopped(count) }
            collectOutput()
            guard count > 0 else { return false }
            body(UnsafeRawBufferPointer(rebasing: buffer[..<Int(count)]).bytes)
            return true
        }
    }

    /// Moves bytes from `plain`, encrypted, to the output.
    func encrypt(_ plain: inout OutputBuffer) {
        guard case .established = state, !plain.isEmpty, output.count < TLSSession.outputMark else { return }
        ERR_clear_error()
        let count = plain.withSpan { span in
            span.withUnsafeBytes { SSL_write(raw, $0.baseAddress, Int32(clamping: $0.count)) }
        }
        if count > 0 { plain.removeFirst(Int(count)) } else { stopped(count) }
        collectOutput()
    }

    /// Tells the peer that no more comes.
    /// - Returns: true the first time, when there is something to be sent.
    func shutDown() -> Bool {
        guard case .established = state, !isShutDown else { return false }
        isShutDown = true
        ERR_clear_error()
        SSL_shutdown(raw)
        collectOutput()
        return hasOutput
    }

    private func stopped(_ result: Int32) {
        switch SSL_get_error(raw, result) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: break  // More bytes of the peer are needed.
        case SSL_ERROR_ZERO_RETURN: state = .ended
        default:
            let verification = SSL_get_verify_result(raw)
            let reason = TLSContext.reason()
            if verification != Int(X509_V_OK), let text = X509_verify_cert_error_string(verification) {
                state = .failed("\(reason): \(String(cString: text))")
            } else {
                state = .failed(reason)
            }
        }
    }

    private func collectOutput() {
        while BIO_ctrl_pending(toPeer) > 0 {
            let isRead = withUnsafeTemporaryAllocation(byteCount: TLSSession.recordBytes, alignment: 1) { buffer in
                let count = BIO_read(toPeer, buffer.baseAddress, Int32(buffer.count))
                guard count > 0 else { return false }
                output.append(UnsafeRawBufferPointer(rebasing: buffer[..<Int(count)]).bytes)
                return true
            }
            guard isRead else { return }
        }
    }

    private var negotiatedProtocol: String? {
        var name: UnsafePointer<UInt8>?
        var length: UInt32 = 0
        SSL_get0_alpn_selected(raw, &name, &length)
        guard let name, length > 0 else { return nil }
        return String(decoding: UnsafeBufferPointer(start: name, count: Int(length)), as: UTF8.self)
    }

    private static func make(
        _ context: TLSContext
    ) throws(TransportError) -> (session: OpaquePointer, fromPeer: OpaquePointer, toPeer: OpaquePointer) {
        let session = try context.makeSession()
        guard let fromPeer = BIO_new(BIO_s_mem()), let toPeer = BIO_new(BIO_s_mem()) else {
            SSL_free(session)
            throw .tls(TLSContext.reason())
        }
        SSL_set_bio(session, fromPeer, toPeer)  // From here on the session frees them.
        return (session, fromPeer, toPeer)
    }
}

extension HTTPVersionPolicy {
    /// The names that ALPN offers, each with its length before it.
    fileprivate var applicationProtocols: [UInt8] {
        let names: [String]
        switch self {
        case .http1: names = ["http/1.1"]
        case .http2PriorKnowledge: names = ["h2"]
        case .alpn: names = ["h2", "http/1.1"]
        }
        return names.flatMap { [UInt8(truncatingIfNeeded: $0.utf8.count)] + Array($0.utf8) }
    }
}
