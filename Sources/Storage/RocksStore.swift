import HoldfastEngine
import HoldfastWire
import Synchronization

/// The store on disk: RocksDB and a log in a data directory, which belongs to one process at a time.
///
/// The data directory holds `FORMAT` (what wrote it), `LOCK` (who uses it), `store/` (RocksDB) and `log/` (`DiskLog`).
public final class RocksStore: Store {
    /// What is open until the store is closed.
    struct Open: Sendable {
        let database: Database
        let log: DiskLog
    }

    /// How many partitions the store was made for; fixed when the data directory was made.
    public let partitionCount: Int
    /// Nil once the store is closed.
    private let open: Mutex<Open?>

    private init(_ open: Open, partitionCount: Int) {
        self.open = Mutex(open)
        self.partitionCount = partitionCount
    }

    /// Opens the store in a data directory, which is made if it does not exist.
    ///
    /// What was durable when the last process ended is there again. Takes as long as it takes to read the log, some
    /// `options.memtablesSize` bytes.
    ///
    /// - Parameter partitions: How many partitions a new store gets; a store that exists keeps its number.
    /// - Throws: `locked` if another process uses the directory, `tooNew` if a newer program wrote it, `damaged` or
    ///   `failed` if it cannot be read. In all these cases nothing that was stored is lost.
    public static func open(
        directory: String, options: RocksOptions, partitions: Int
    ) throws(StorageError) -> RocksStore {
        try open(directory: directory, options: options, partitions: partitions, disk: LocalDisk())
    }

    /// The same, with a log that writes to `disk`.
    static func open(
        directory: String, options: RocksOptions, partitions: Int, disk: any LogDisk
    ) throws(StorageError) -> RocksStore {
        try Files.makeDirectory(directory)
        let lock = try DirectoryLock(directory: directory)
        let format = try StoreFormat.readOrWrite(in: directory, partitions: partitions)
        let logDirectory = "\(directory)/log"
        let path = "\(directory)/store"
        for part in [path, logDirectory] { try Files.makeDirectory(part) }
        // A process that was killed may have made them, and not have come so far.
        try Files.sync(directory: directory)
        let (database, recovered) = try recover(path, logDirectory, options, lock, disk)
        let spare = try SpareFiles(recovered, in: logDirectory, fileSize: options.logFileSize, disk: disk)
        let log = try DiskLog(database, spare, behind: recovered)
        return RocksStore(Open(database: database, log: log), partitionCount: format.partitionCount)
    }

    /// Opens the database with what the log holds in its table files.
    private static func recover(
        _ path: String, _ logDirectory: String, _ options: RocksOptions, _ lock: DirectoryLock, _ disk: any LogDisk
    ) throws(StorageError) -> (Database, LogRecovery) {
        let recovered: LogRecovery
        do {
            let database = try Database(path: path, options: options, lock: lock)
            recovered = try LogRecovery(logDirectory, on: disk, into: database)
            if recovered.replayedCount == 0 { return (database, recovered) }
        }
        // Closing writes the memtables of all families to table files, together; the C library has no other way.
        let database = try Database(path: path, options: options, lock: lock)
        guard try database.storedPosition() == recovered.last else {
            throw .database("wrote the log's commits to table files", "they are not there")
        }
        return (database, recovered)
    }

    /// An empty transaction over this store.
    public func transaction() -> any Transaction {
        guard let open = open.withLock({ $0 }) else { return OverlaidTransaction(over: ClosedStore()) }
        return OverlaidTransaction(over: RocksBase(open))
    }

    /// Makes the writes visible; they reach the disk with the next `makeDurable`. Cost: one RocksDB write, under a lock.
    public func commit(
        _ transaction: any Transaction, logged: (CommitPosition) -> Void
    ) throws(StorageError) -> CommitPosition {
        let transaction = try Self.own(transaction)
        let base = transaction.base
        if transaction.overlay.isEmpty {
            let latest = CommitPosition(rawValue: base.log.latestPosition)
            logged(latest)
            return latest
        }
        base.batch.fill(with: transaction.overlay, for: base.database)
        let position = try base.log.commit(base.batch) { logged(CommitPosition(rawValue: $0)) }
        transaction.clear()
        return CommitPosition(rawValue: position)
    }

    /// Makes the writes visible and durable, if no other thread syncs just now and the disk is quick.
    public func commitDurably(_ transaction: any Transaction) throws(StorageError) -> CommitPosition? {
        let transaction = try Self.own(transaction)
        let base = transaction.base
        guard !transaction.overlay.isEmpty else { return nil }
        base.batch.fill(with: transaction.overlay, for: base.database)
        guard let position = try base.log.commitDurably(base.batch) else { return nil }
        transaction.clear()
        return CommitPosition(rawValue: position)
    }

    private static func own(_ transaction: any Transaction) throws(StorageError) -> OverlaidTransaction<RocksBase> {
        if let own = transaction as? OverlaidTransaction<RocksBase> { return own }
        throw transaction is OverlaidTransaction<ClosedStore> ? .closed : .foreignTransaction
    }

    /// A view of the store as it is now. It keeps the store's files open, also beyond `close`.
    public func snapshot() -> any ReadableStore {
        guard let open = open.withLock({ $0 }) else { return OverlaidTransaction(over: ClosedStore()) }
        return RocksSnapshot(open.database)
    }

    /// Returns when all commits that returned before the call are durable. Cost: one sync of the log.
    public func makeDurable() throws(StorageError) {
        guard let open = open.withLock({ $0 }) else { throw .closed }
        try open.log.makeDurable()
    }

    /// The position of the newest commit.
    public var latestPosition: CommitPosition {
        open.withLock { CommitPosition(rawValue: $0?.log.latestPosition ?? 0) }
    }

    /// Makes everything durable, and gives the data directory free once no transaction or snapshot remains.
    public func close() {
        // A sync that fails here loses nothing that anybody was told to be durable.
        try? makeDurable()
        open.withLock { $0 = nil }
    }
}

/// The committed pairs of a database, as transactions see them.
final class RocksBase: CommittedPairs {
    let database: Database
    let log: DiskLog
    /// Reused from commit to commit, so that its memory is, too.
    let batch = WriteBatch()

    init(_ open: RocksStore.Open) {
        database = open.database
        log = open.log
    }

    func get(_ family: Family, _ key: [UInt8]) throws(StorageError) -> Bytes? {
        try database.get(family, key)
    }

    func cursor(_ family: Family, from lower: [UInt8], to upper: [UInt8]) throws(StorageError) -> RocksCursor {
        RocksCursor(database, family, from: lower, to: upper)
    }
}

/// A view of a database, which later commits do not change.
final class RocksSnapshot: ReadableStore {
    private let database: Database
    private let handle: SnapshotHandle

    init(_ database: Database) {
        self.database = database
        handle = SnapshotHandle(of: database)
    }

    func get(_ family: Family, _ key: [UInt8]) throws(StorageError) -> Bytes? {
        try database.get(family, key, readOptions: handle.readOptions)
    }

    func scan(
        _ family: Family, from lower: [UInt8], to upper: [UInt8],
        _ visit: (_ key: Bytes, _ value: Bytes) throws(StorageError) -> Bool
    ) throws(StorageError) {
        guard compareBytes(lower, upper) < 0 else { return }
        let cursor = RocksCursor(database, family, from: lower, to: upper) { handle.use(in: $0) }
        while let pair = try cursor.next() {
            guard try visit(pair.key, pair.value) else { return }
        }
    }
}

/// What is left of a store that was closed.
struct ClosedStore: CommittedPairs {
    func get(_ family: Family, _ key: [UInt8]) throws(StorageError) -> Bytes? { throw .closed }

    func cursor(_ family: Family, from lower: [UInt8], to upper: [UInt8]) throws(StorageError) -> MemoryCursor {
        throw .closed
    }
}
