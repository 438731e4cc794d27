import Glibc

/// What a person sees: results on standard output, everything else on standard error.
enum Terminal {
    /// True when a person can be asked.
    static var isInteractive: Bool { isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1 }

    /// A result.
    static func print(_ text: String) {
        write(Array((text.hasSuffix("\n") ? text : text + "\n").utf8), to: STDOUT_FILENO)
    }

    /// A result, byte for byte.
    static func print(bytes: [UInt8]) { write(bytes, to: STDOUT_FILENO) }

    /// Progress, questions, errors.
    static func printError(_ text: String, terminator: String = "\n") {
        write(Array((text + terminator).utf8), to: STDERR_FILENO)
    }

    private static func write(_ bytes: [UInt8], to file: Int32) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            guard written > 0 || errno == EINTR else { return }
            rest = rest.dropFirst(max(0, written))
        }
    }

    /// All of standard input.
    static func readAll() -> [UInt8] { read(STDIN_FILENO) }

    /// All of a file; nil when it cannot be read.
    static func read(path: String) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        return read(file)
    }

    private static func read(_ file: Int32) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(file, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return bytes }
            bytes += chunk[..<count]
        }
    }

    /// Shows on a terminal what takes so long, with the seconds, while `work` runs; elsewhere it stays silent.
    static func progress<Result>(
        _ what: String, _ work: () throws(CommandError) -> Result
    ) throws(CommandError) -> Result {
        guard isatty(STDERR_FILENO) == 1 else { return try work() }
        let ticker = Ticker(what)
        defer { ticker.stop() }
        return try work()
    }
}

/// A line on standard error that counts the seconds, from a thread of its own.
private final class Ticker {
    private let state: UnsafeMutablePointer<TickerState>
    private var thread = pthread_t()
    private let isStarted: Bool

    init(_ what: String) {
        state = .allocate(capacity: 1)
        state.initialize(to: TickerState(what: what))
        isStarted =
            pthread_create(
                &thread, nil,
                { pointer in
                    guard let pointer else { return nil }
                    pointer.assumingMemoryBound(to: TickerState.self).pointee.run()
                    return nil
                }, state) == 0
    }

    /// Ends the thread and takes the line away; afterwards nothing of it is on the screen.
    func stop() {
        if isStarted {
            state.pointee.stop()
            pthread_join(thread, nil)
        }
        state.deinitialize(count: 1)
        state.deallocate()
    }
}

private final class TickerState {
    private let what: String
    private var pipe: (Int32, Int32) = (-1, -1)

    init(what: String) {
        self.what = what
        var ends: [Int32] = [-1, -1]
        if Glibc.pipe(&ends) == 0 { pipe = (ends[0], ends[1]) }
    }

    func stop() { close(pipe.1) }

    /// The first line comes after half a second: what is quick needs no progress.
    func run() {
        var halves = 0
        while true {
            var poller = pollfd(fd: pipe.0, events: Int16(POLLIN), revents: 0)
            if poll(&poller, 1, 500) != 0 { break }
            halves += 1
            Terminal.printError("\r\(what) … \(halves / 2) s", terminator: "")
        }
        if halves > 0 { Terminal.printError("\r\u{1B}[K", terminator: "") }
        close(pipe.0)
    }
}
