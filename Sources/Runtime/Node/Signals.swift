#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The process's signals, taken by the main thread one by one.
///
/// They are blocked before any other thread is started, so that no other thread can be interrupted by one.
struct Signals {
    private static let taken = [SIGINT, SIGTERM, SIGUSR1, SIGHUP]

    init() {
        var set = Self.set
        pthread_sigmask(SIG_BLOCK, &set, nil)
        signal(SIGPIPE, SIG_IGN)
    }

    /// Waits for the next signal.
    func wait() -> Int32 {
        var set = Self.set
        var number: Int32 = 0
        while sigwait(&set, &number) != 0 {}
        return number
    }

    /// From now on SIGINT and SIGTERM end the process at once: an operator who asks twice does not want to wait.
    func endOnNext() {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGINT)
        sigaddset(&set, SIGTERM)
        pthread_sigmask(SIG_UNBLOCK, &set, nil)
    }

    private static var set: sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for number in taken { sigaddset(&set, number) }
        return set
    }
}
