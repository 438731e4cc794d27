import CHoldfastUV

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// An IPv4 or IPv6 address with a port.
///
/// The only place that looks into `sockaddr` structures: `storage` is always a whole `sockaddr_storage`, which is large
/// enough and aligned for each of them, and `length` says how much of it counts.
struct SocketAddress: Sendable {
    private var storage = sockaddr_storage()
    private var length: socklen_t

    /// An address written in numbers; nil when `host` is a name.
    init?(numeric host: String, port: Int) {
        guard let port = UInt16(exactly: port) else { return nil }
        length = 0
        var version4 = sockaddr_in()
        var version6 = sockaddr_in6()
        if uv_ip4_addr(host, Int32(port), &version4) == 0 {
            withUnsafeBytes(of: version4) { copy($0) }
        } else if uv_ip6_addr(host, Int32(port), &version6) == 0 {
            withUnsafeBytes(of: version6) { copy($0) }
        } else {
            return nil
        }
    }

    /// A copy of an address that the system gave; nil when it is neither IPv4 nor IPv6.
    init?(copying address: UnsafePointer<sockaddr>, length: socklen_t) {
        let family = Int32(address.pointee.sa_family)
        guard family == AF_INET || family == AF_INET6, Int(length) <= MemoryLayout<sockaddr_storage>.size else {
            return nil
        }
        self.length = 0
        copy(UnsafeRawBufferPointer(start: address, count: Int(length)))
    }

    /// The address of this end of a socket, or of the other.
    init?(of descriptor: Int32, peer: Bool) {
        length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        var length = length
        let status = withUnsafeMutablePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                peer ? getpeername(descriptor, $0, &length) : getsockname(descriptor, $0, &length)
            }
        }
        guard status == 0, family == AF_INET || family == AF_INET6 else { return nil }
        self.length = length
    }

    /// The addresses of a name, asked for on the calling thread. For listening, where it happens once.
    static func lookUp(_ host: String, port: Int) throws(TransportError) -> [SocketAddress] {
        if let address = SocketAddress(numeric: host, port: port) { return [address] }
        var hints = addrinfo()
        hints.ai_socktype = streamType
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, String(port), &hints, &list)
        guard status == 0 else { throw .nameNotFound(host, reason: String(cString: gai_strerror(status))) }
        defer { freeaddrinfo(list) }
        return SocketAddress.all(in: list)
    }

    /// The addresses of a list that the system's look-up made.
    static func all(in list: UnsafeMutablePointer<addrinfo>?) -> [SocketAddress] {
        var addresses: [SocketAddress] = []
        var next = list
        while let info = next {
            if let address = info.pointee.ai_addr,
                let copy = SocketAddress(copying: address, length: info.pointee.ai_addrlen)
            {
                addresses.append(copy)
            }
            next = info.pointee.ai_next
        }
        return addresses
    }

    var family: Int32 { Int32(storage.ss_family) }
    var isVersion6: Bool { family == AF_INET6 }

    var port: Int {
        var storage = storage
        return withUnsafeBytes(of: &storage) { bytes in
            // `sin_port` and `sin6_port` are at the same place.
            Int(UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self)))
        }
    }

    /// The address in numbers, without the port. IPv4 in IPv6 is written as IPv4.
    var host: String {
        var text = [CChar](repeating: 0, count: 64)
        let status = withSystemAddress { address, _ in uv_ip_name(address, &text, text.count) }
        guard status == 0 else { return "?" }
        let name = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return name.hasPrefix("::ffff:") && name.contains(".") ? String(name.dropFirst(7)) : name
    }

    func connect(_ descriptor: Int32) -> Int32 {
        withSystemAddress { address, length in
            #if canImport(Darwin)
                Darwin.connect(descriptor, address, length)
            #else
                Glibc.connect(descriptor, address, length)
            #endif
        }
    }

    func bind(_ descriptor: Int32) -> Int32 {
        withSystemAddress { address, length in
            #if canImport(Darwin)
                Darwin.bind(descriptor, address, length)
            #else
                Glibc.bind(descriptor, address, length)
            #endif
        }
    }

    private func withSystemAddress<R>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
        withUnsafePointer(to: storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
        }
    }

    private mutating func copy(_ bytes: UnsafeRawBufferPointer) {
        withUnsafeMutableBytes(of: &storage) { $0.copyMemory(from: bytes) }
        length = socklen_t(bytes.count)
    }

    #if canImport(Darwin)
        private static let streamType = SOCK_STREAM
    #else
        private static let streamType = Int32(SOCK_STREAM.rawValue)
    #endif
}
