import CHoldfastUV

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// What a read or write of a non-blocking socket came to.
enum Transfer {
    /// So many bytes; 0 when reading means that the peer sends no more.
    case bytes(Int)
    case wouldBlock
    case failed(Int32)
}

func systemClose(_ descriptor: Int32) { if descriptor >= 0 { close(descriptor) } }

/// The system's words for an error number.
func systemText(_ number: Int32) -> String { String(cString: strerror(number)) }

/// The few system calls that sockets need. Descriptors are non-blocking and not inherited by child processes.
enum SystemSocket {
    static func open(family: Int32) -> Int32 {
        #if canImport(Darwin)
            let descriptor = socket(family, SOCK_STREAM, 0)
            setFlags(descriptor)
            return descriptor
        #else
            return socket(family, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        #endif
    }

    /// The next connection of a listening socket; negative when there is none, or on an error in `errno`.
    static func acceptConnection(_ listener: Int32) -> Int32 {
        let descriptor = accept(listener, nil, nil)
        setFlags(descriptor)
        return descriptor
    }

    static func receive(_ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer) -> Transfer {
        while true {
            let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
            if count >= 0 { return .bytes(count) }
            if errno == EINTR { continue }
            return errno == EAGAIN || errno == EWOULDBLOCK ? .wouldBlock : .failed(errno)
        }
    }

    static func transmit(_ descriptor: Int32, _ bytes: RawSpan) -> Transfer {
        while true {
            let count = bytes.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, noSignal) }
            if count >= 0 { return .bytes(count) }
            if errno == EINTR { continue }
            return errno == EAGAIN || errno == EWOULDBLOCK ? .wouldBlock : .failed(errno)
        }
    }

    /// The peer reads the end of input once it has read what was sent.
    static func shutDownOutput(_ descriptor: Int32) { shutdown(descriptor, Int32(SHUT_WR)) }

    static func setOption(_ descriptor: Int32, _ level: Int32, _ name: Int32, _ value: Int32) {
        var value = value
        setsockopt(descriptor, level, name, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    /// Small writes leave at once: output is gathered per turn already, and waiting for more would only add latency.
    static func setNoDelay(_ descriptor: Int32) { setOption(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1) }

    /// The error that a connection attempt ended with; 0 when it is connected.
    static func pendingError(_ descriptor: Int32) -> Int32 {
        var error: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size) == 0 else { return errno }
        return error
    }

    #if canImport(Darwin)
        private static let noSignal: Int32 = 0  // SIGPIPE is ignored as a whole.
    #else
        private static let noSignal = Int32(MSG_NOSIGNAL)
    #endif

    private static func setFlags(_ descriptor: Int32) {
        guard descriptor >= 0 else { return }
        let error = errno
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        errno = error
    }
}
