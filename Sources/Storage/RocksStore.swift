import HoldfastEngine
import HoldfastWire
import Synchronization

/// The store on disk: RocksDB in a data directory, which belongs to one process at a time.
///
/// The data directory holds `FORMAT` (what wrote it), `LOCK` (who uses it) and `store/` (RocksDB).
public final class RocksStore: Store {
    /// How many partitions the store was made for; fixed when the data directory was made.
    public let partitionCount: Int
    /// Nil once the store is closed.
    private let database: Mutex<Database?>

    private init(_ database: Database, partitionCount: Int) {
        self.database = Mutex(database)
        self.partitionCount = partitionCount
    }

    /// Opens the store in a data directory, which is made if it does not exist.
    ///
    /// What was durable when the last process ended is there again. Takes as long as it takes to read the log, at most
    /// `options.logSize` bytes.
    ///
    /// - Parameter partitions: How many partitions a new store gets; a store that exists keeps its number.
    /// - Throws: `locked` if another process uses the directory, `tooNew` if a newer program wrote it, `damaged` or
    ///   `failed` if it cannot be read. In all these cases nothing was changed.
    public static func open(
        directory: String, options: RocksOptions, partitions: Int
    ) throws(StorageError) -> RocksStore {
        try StoreFormat.makeDirectory(directory)
        let lock = try DirectoryLock(directory: directory)
        let format = try StoreFormat.readOrWrite(in: directory, partitions: partitions)
        let database = try Database(path: "\(directory)/store", options: options, lock: lock)
        return RocksStore(database, partitionCount: format.partitionCount)
    }

    /// An empty transaction over this store.
    public func transaction() -> any Transaction {
        guard let database = database.withLock({ $0 }) else { return OverlaidTransaction(over: ClosedStore()) }
        return OverlaidTransaction(over: RocksBase(database: database))
    }

    /// Makes the writes visible; they reach the disk with the next `makeDurable`. Cost: one RocksDB write.
    public func commit(_ transaction: any Transaction) throws(StorageError) -> CommitPosition {
        guard let transaction = transaction as? OverlaidTransaction<RocksBase> else {
            throw transaction is OverlaidTransaction<ClosedStore> ? .closed : .foreignTransaction
        }
        let base = transaction.base
        if !transaction.overlay.isEmpty {
            base.batch.fill(with: transaction.overlay, for: base.database)
            try base.database.write(base.batch)
            transaction.clear()
        }
        return CommitPosition(rawValue: base.database.latestSequence)
    }

    /// A view of the store as it is now. It keeps the store's files open, also beyond `close`.
    public func snapshot() -> any ReadableStore {
        guard let database = database.withLock({ $0 }) else { return OverlaidTransaction(over: ClosedStore()) }
        return RocksSnapshot(database)
    }

    /// Returns when all commits that returned before the call are durable. Cost: one sync of the log.
    public func makeDurable() throws(StorageError) {
        guard let database = database.withLock({ $0 }) else { throw .closed }
        try database.syncLog()
    }

    /// The position of the newest commit.
    public var latestPosition: CommitPosition {
        database.withLock { CommitPosition(rawValue: $0?.latestSequence ?? 0) }
    }

    /// Makes everything durable, and gives the data directory free once no transaction or snapshot remains.
    public func close() {
        // A sync that fails here loses nothing that anybody was told to be durable.
        try? makeDurable()
        database.withLock { $0 = nil }
    }
}

/// The committed pairs of a database, as transactions see them.
final class RocksBase: CommittedPairs {
    let database: Database
    /// Reused from commit to commit, so that its memory is, too.
    let batch = WriteBatch()

    init(database: Database) {
        self.database = database
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
