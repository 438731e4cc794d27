#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A thread of the operating system.
enum Thread {
    /// Starts a thread that ends when `body` returns. Names have at most 15 letters on Linux.
    static func start(name: String, _ body: @escaping @Sendable () -> Void) {
        let argument = Unmanaged.passRetained(ThreadBody(name: name, run: body)).toOpaque()
        #if canImport(Glibc)
            var thread = pthread_t()
            let result = pthread_create(&thread, nil, runThread, argument)
            precondition(result == 0, "the process may start another thread")
            pthread_detach(thread)
        #else
            var thread: pthread_t?
            let result = pthread_create(&thread, nil, { runThread($0) }, argument)
            precondition(result == 0, "the process may start another thread")
            if let thread { pthread_detach(thread) }
        #endif
    }
}

/// What a thread runs; a class, because a thread's argument is a pointer.
private final class ThreadBody: Sendable {
    let name: String
    let run: @Sendable () -> Void

    init(name: String, run: @escaping @Sendable () -> Void) {
        self.name = name
        self.run = run
    }
}

private func runThread(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    let body = Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue()
    nameThread(body.name)
    body.run()
    return nil
}

/// Names the calling thread, for `top` and profilers.
private func nameThread(_ name: String) {
    #if canImport(Glibc)
        // The C function for this is a GNU extension, which Swift does not see.
        let file = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        let bytes = Array(name.utf8)
        _ = write(file, bytes, bytes.count)
        close(file)
    #else
        pthread_setname_np(name)
    #endif
}
