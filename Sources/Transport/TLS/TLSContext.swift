import CHoldfastOpenSSL

/// What TLS connections of one kind share: certificates, trust and protocol versions.
///
/// `@unchecked Sendable`: the C object counts its references atomically and is not changed after `init`; it is freed in
/// `deinit`, and sessions hold references of their own.
final class TLSContext: @unchecked Sendable {
    fileprivate let raw: OpaquePointer

    /// - Throws: `TransportError.Code.tls` when a file cannot be used. The message names it.
    init(server options: TLSServerOptions) throws(TransportError) {
        raw = try TLSContext.make(TLS_server_method())
        guard SSL_CTX_use_certificate_chain_file(raw, options.certificateChainFile) == 1 else {
            throw .tlsFile(options.certificateChainFile, role: "certificate chain", reason: TLSContext.reason())
        }
        guard SSL_CTX_use_PrivateKey_file(raw, options.privateKeyFile, SSL_FILETYPE_PEM) == 1,
            SSL_CTX_check_private_key(raw) == 1
        else { throw .tlsFile(options.privateKeyFile, role: "private key", reason: TLSContext.reason()) }
        SSL_CTX_set_alpn_select_cb(
            raw,
            { _, chosen, length, offered, size, _ in
                TLSContext.choose(from: offered, Int(size), chosen, length)
            }, nil)
    }

    /// - Throws: `TransportError.Code.tls` when a file cannot be used. The message names it.
    init(client trust: TLSTrust) throws(TransportError) {
        raw = try TLSContext.make(TLS_client_method())
        switch trust {
        case .system:
            SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, nil)
            SSL_CTX_set_default_verify_paths(raw)
        case .authorities(let file):
            SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, nil)
            guard SSL_CTX_load_verify_file(raw, file) == 1 else {
                throw .tlsFile(file, role: "list of authorities", reason: TLSContext.reason())
            }
        case .anything: SSL_CTX_set_verify(raw, SSL_VERIFY_NONE, nil)
        }
    }

    deinit { SSL_CTX_free(raw) }

    /// A new connection's state; the caller frees it.
    func makeSession() throws(TransportError) -> OpaquePointer {
        guard let session = SSL_new(raw) else { throw .tls(TLSContext.reason()) }
        return session
    }

    private static func make(_ method: OpaquePointer?) throws(TransportError) -> OpaquePointer {
        guard let context = SSL_CTX_new(method) else { throw .tls(reason()) }
        // The names below are macros of OpenSSL's that Swift does not see; the numbers are part of its stable interface.
        let setMinimumVersion: Int32 = 123
        SSL_CTX_ctrl(context, setMinimumVersion, Int(TLS1_2_VERSION), nil)
        let noRenegotiation: UInt64 = 1 << 30
        SSL_CTX_set_options(context, noRenegotiation)
        // For TLS 1.2, only what HTTP/2 allows (RFC 9113 §9.2.2). Those of TLS 1.3 are all allowed.
        SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20")
        return context
    }

    /// Picks HTTP/2, else HTTP/1.1, from a list of names that have their length before them.
    private static func choose(
        from offered: UnsafePointer<UInt8>?, _ size: Int, _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
        _ length: UnsafeMutablePointer<UInt8>?
    ) -> Int32 {
        for name in ["h2", "http/1.1"] {
            var position = 0
            while let offered, position < size {
                let count = Int(offered[position])
                guard position + 1 + count <= size else { break }
                let candidate = UnsafeBufferPointer(start: offered + position + 1, count: count)
                if candidate.elementsEqual(name.utf8) {
                    chosen?.pointee = candidate.baseAddress
                    length?.pointee = UInt8(truncatingIfNeeded: count)
                    return SSL_TLSEXT_ERR_OK
                }
                position += 1 + count
            }
        }
        return SSL_TLSEXT_ERR_NOACK
    }

    /// OpenSSL's words for the last error of this thread, and forgets all of them.
    static func reason() -> String {
        let code = ERR_get_error()
        ERR_clear_error()
        guard code != 0, let text = ERR_reason_error_string(code) else { return "no reason given" }
        return String(cString: text)
    }
}
