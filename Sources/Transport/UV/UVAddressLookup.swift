import CHoldfastUV

/// Asks for the addresses of a name without blocking the loop: libuv's thread pool waits for the name server.
///
/// The request's memory lives until its callback, which libuv calls exactly once; it holds the only reference to this
/// object that C code has.
final class UVAddressLookup {
    private var completion: ((Result<[SocketAddress], TransportError>) -> Void)?
    private let host: String

    /// - Parameter completion: Called on the loop's thread, exactly once unless `cancel` comes before.
    init(
        _ loop: UVLoop, host: String, port: Int,
        completion: @escaping (Result<[SocketAddress], TransportError>) -> Void
    ) {
        self.host = host
        self.completion = completion
        let request = UnsafeMutablePointer<uv_getaddrinfo_t>.allocate(capacity: 1)
        request.pointee.data = Unmanaged.passRetained(self).toOpaque()
        var hints = addrinfo()
        hints.ai_socktype = 1  // SOCK_STREAM on every system
        let status = uv_getaddrinfo(
            loop.raw, request,
            { request, status, list in
                defer {
                    uv_freeaddrinfo(list)
                    request?.deallocate()
                }
                guard let data = request?.pointee.data else { return }
                let lookup = Unmanaged<UVAddressLookup>.fromOpaque(data).takeRetainedValue()
                lookup.ended(status, SocketAddress.all(in: list))
            }, host, String(port), &hints)
        if status != 0 {
            Unmanaged.passUnretained(self).release()
            request.deallocate()
            // Not from `init`: the caller does not have the object yet.
            self.failure = status
        }
    }

    /// Set when the look-up could not even begin.
    private var failure: Int32?

    /// Reports a look-up that could not begin. Called once the owner has stored this object.
    func begin() { if let failure { ended(failure, []) } }

    /// `completion` is not called any more.
    func cancel() { completion = nil }

    private func ended(_ status: Int32, _ addresses: [SocketAddress]) {
        let completion = self.completion
        self.completion = nil
        if status == 0, !addresses.isEmpty {
            completion?(.success(addresses))
        } else {
            let reason = status == 0 ? "no IPv4 or IPv6 address" : UVLoop.text(status)
            completion?(.failure(.nameNotFound(host, reason: reason)))
        }
    }
}
