import HoldfastEngine
import HoldfastStorage
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// A process that commits without end, and can be killed at any moment.
///
/// It is the test program again, told by its environment to run `StorageChild` only. After each sync it appends a byte
/// to a file, which is how the parent knows what must have survived.
final class ChildProcess {
    private static let variable = "HOLDFAST_STORAGE_CHILD"
    /// The data directory that this process shall commit to, if it is a child.
    static var directory: String? { getenv(variable).map { String(cString: $0) } }

    private let directory: String
    private var process = pid_t()

    init(committingIn directory: String) throws {
        self.directory = directory
        let program = try #require(realpath("/proc/self/exe", nil))
        defer { free(program) }
        let arguments = [
            String(cString: program), "--testing-library", "swift-testing", "--filter", "StorageChild",
        ]
        let null = open("/dev/null", O_RDWR)
        defer { close(null) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, null, 1)
        posix_spawn_file_actions_adddup2(&actions, null, 2)
        var argv = arguments.map { strdup($0) } + [nil]
        defer { argv.forEach { free($0) } }
        // Tests run side by side, so the environment is the child's own.
        let variables = ["\(Self.variable)=\(directory)", "PATH=/usr/bin:/bin"]
        var environment = variables.map { strdup($0) } + [nil]
        defer { environment.forEach { free($0) } }
        let result = posix_spawn(&process, program, &actions, nil, &argv, &environment)
        try #require(result == 0)
    }

    /// Waits until the child has synced `count` times, and returns how often it has by then.
    func awaitSyncs(_ count: Int) throws -> Int {
        let deadline = time(nil) + 60
        while true {
            let done = Self.syncCount(directory)
            if done >= count { return done }
            try #require(time(nil) < deadline, "the child process makes progress")
            usleep(1000)
        }
    }

    func kill() {
        _ = Glibc.kill(process, SIGKILL)
        var status: CInt = 0
        waitpid(process, &status, 0)
    }

    private static func syncCount(_ directory: String) -> Int {
        var information = stat()
        return stat(progress(directory), &information) == 0 ? Int(information.st_size) : 0
    }

    fileprivate static func progress(_ directory: String) -> String { "\(directory)/syncs" }
}

@Suite(.enabled(if: ChildProcess.directory != nil)) struct StorageChild {
    /// Commit number n sets `last` to n and adds one key of its own; every third commit is followed by a sync, whose
    /// byte is written only when the sync is done.
    @Test func `commits until it is killed`() throws {
        let directory = try #require(ChildProcess.directory)
        // Small, so that log files are used again and memtables become table files while it runs.
        var options = RocksOptions()
        options.logFileSize = 64 << 10
        options.memtablesSize = 256 << 10
        options.memtableSize = 128 << 10
        let store = try RocksStore.open(directory: directory, options: options, partitions: 1)
        let progress = open(ChildProcess.progress(directory), O_WRONLY | O_CREAT | O_APPEND, 0o600)
        for number in 1... {
            let transaction = store.transaction()
            transaction.put("last", "\(number)")
            transaction.put("commit \(number)", String(repeating: "x", count: number % 5000), .journals)
            _ = try store.commit(transaction)
            if number % ChildProcess.commitsPerSync == 0 {
                try store.makeDurable()
                _ = write(progress, "s", 1)
            }
        }
    }
}

extension ChildProcess {
    static let commitsPerSync = 3
}
