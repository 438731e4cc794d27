import CHoldfastRocksDB
import HoldfastEngine
import Synchronization
import Testing

@testable import HoldfastStorage

#if canImport(Glibc)
    import Glibc
#endif

/// A store under a scripted load, on a disk that remembers each step.
///
/// Commit number n sets `last` to n, and one of a few keys to a value that tells n and the *life*: which opening of the
/// store it was made in. Its size depends on n only, so that in each life the records lie where those of the former one
/// did.
final class RecordedRun {
    /// A moment at which the power may fail.
    struct Moment {
        let disk: RecordingDisk.Contents
        /// The copy of RocksDB's files, which are durable as they are.
        let tables: Int
        /// How many commits were reported durable.
        let durable: Int
        /// How many commits had begun.
        let begun: Int
    }

    /// The moments so far; the disk adds them.
    private final class Memory: Sendable {
        struct State {
            var moments: [Moment] = []
            var tables = 0
            var durable = 0
            var begun = 0
        }

        let state = Mutex(State())

        func add(_ disk: RecordingDisk.Contents) {
            state.withLock {
                $0.moments.append(Moment(disk: disk, tables: $0.tables, durable: $0.durable, begun: $0.begun))
            }
        }
    }

    /// Small, so that log files are used again and memtables become table files in a short run.
    static let options: RocksOptions = {
        var options = RocksOptions()
        options.logFileSize = 16 << 10
        options.memtablesSize = 64 << 10
        options.memtableSize = 64 << 10
        options.blockCacheSize = 1 << 20
        return options
    }()

    let store: RocksStore
    /// The life that each commit was made in.
    private(set) var history: [Int]
    private let directory: String
    private let copies: String
    private let life: Int
    private let memory: Memory
    private let base: RocksBase
    private var stored: UInt64 = 0

    var moments: [Moment] { memory.state.withLock { $0.moments } }

    /// Opens the store that a power loss left in a directory.
    ///
    /// - Parameters:
    ///   - files: The files of its log.
    ///   - history: The commits that had begun.
    ///   - copies: A directory for the copies of RocksDB's files.
    init(_ directory: String, holding files: [String: [UInt8]], after history: [Int], copies: String) throws {
        self.directory = directory
        self.copies = copies
        life = (history.max() ?? 0) + 1
        let memory = Memory()
        self.memory = memory
        let disk = RecordingDisk(holding: files) { memory.add($0) }
        store = try RocksStore.open(directory: directory, options: Self.options, partitions: 1, disk: disk)
        base = try #require(store.transaction() as? OverlaidTransaction<RocksBase>).base
        self.history = Array(history.prefix(Int(store.latestPosition.rawValue)))
        let count = self.history.count
        memory.state.withLock { state in
            // What was recovered is durable, also while the log was being begun.
            state.moments = state.moments.map { Moment(disk: $0.disk, tables: 0, durable: count, begun: count) }
            (state.durable, state.begun) = (count, count)
        }
        stored = try base.database.storedPosition()
        mkdir(copies, 0o700)
        try copy(tree: "\(directory)/store", to: tables(0))
    }

    /// The directory of a copy of RocksDB's files.
    func tables(_ number: Int) -> String { "\(copies)/\(number)" }

    /// Commits as often as each number says, making it durable after each.
    func commit(_ counts: [Int]) throws {
        for count in counts {
            for _ in 0..<count { try commitNext() }
            try store.makeDurable()
            memory.state.withLock { $0.durable = history.count }
            // Whether the next file is ready must not depend on how fast it is made.
            base.log.finishMaking()
        }
    }

    private func commitNext() throws {
        history.append(life)
        memory.state.withLock { $0.begun = history.count }
        let pairs = Self.pairs(of: history.count, life: life)
        let transaction = store.transaction()
        for (key, value) in pairs { transaction.put(key, value) }
        try store.commit(transaction)
        try rememberTables()
    }

    /// Waits until full memtables are in table files, and copies these if they are new: so the tables of a moment do not
    /// depend on how fast RocksDB's threads are.
    private func rememberTables() throws {
        for family in Family.allCases {
            var count: UInt64 = 1
            while count > 0 {
                let name = "rocksdb.num-immutable-mem-table"
                let column = base.database.columnFamily(family)
                try #require(rocksdb_property_int_cf(base.database.pointer, column, name, &count) == 0)
                if count > 0 { sched_yield() }
            }
        }
        let now = try base.database.storedPosition()
        guard now > stored else { return }
        stored = now
        let number = memory.state.withLock { $0.tables } + 1
        try copy(tree: "\(directory)/store", to: tables(number))
        memory.state.withLock { $0.tables = number }
        if let last = moments.last { memory.add(last.disk) }
    }
}

extension RecordedRun {
    /// What commit number n writes.
    static func pairs(of number: Int, life: Int) -> [(String, String)] {
        let sizes = [300, 300, 40, 1500, 300, 700, 300, 3000]
        // One is too large for a file.
        let size = number % 50 == 33 ? 20_000 : sizes[number % sizes.count]
        let value = "\(1000 + number) \(10 + life) " + String(repeating: "x", count: size)
        return [("last", "\(1000 + number)"), ("key \(10 + number % 16)", value)]
    }

    /// What is in a store after commits in these lives.
    static func pairs(after history: [Int]) -> [String] {
        var pairs: [String: String] = [:]
        for (index, life) in history.enumerated() {
            for (key, value) in Self.pairs(of: index + 1, life: life) { pairs[key] = value }
        }
        return pairs.map { "\($0.key)=\($0.value)" }.sorted()
    }
}
