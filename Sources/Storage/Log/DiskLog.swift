import HoldfastEngine
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The log of a store on disk: what was committed and is not yet in table files.
///
///     commit ──▶ pending ──makeDurable──▶ log file, synced
///        └─────▶ RocksDB's memtables ──▶ (when they are full, all at once) table files
///
/// 1. Commits have consecutive positions. They enter `pending` and the memtables in that order, under one lock, and
///    each carries its position as a pair of the default column family. RocksDB writes the memtables of all families to
///    table files atomically (`atomic_flush`), so the position in the table files tells exactly which commits they hold.
/// 2. A record is durable when the file that it is in was synced; a file is begun after the one before it was synced.
///    So durable records have no gaps, and a gap is damage.
/// 3. A file is used again once all its records are in table files.
/// 4. After opening, the log is empty: what it held is in table files (`LogRecovery`).
/// 5. When a write or sync fails, what the disk holds is not known. Nothing is committed any more; a restart reads what
///    is there.
///
/// Sendable: `commitLock` keeps the order of commits, `fileLock` guards the files, `appendLock` what is pending. Who
/// takes `fileLock` and `commitLock` both takes them in that order; `appendLock` is taken last, and nobody waits for the
/// disk or the memtables while he holds it.
final class DiskLog: @unchecked Sendable {
    /// Pending bytes beyond which a commit writes them to the file itself, so that memory is bounded.
    private static let pendingMax = 4 << 20
    /// A disk whose syncs take longer is left to the thread that does nothing else.
    private static let quickSync: Duration = .microseconds(500)

    private let database: Database
    private let life: UInt64

    private let commitLock = Lock()
    private let appendLock = Lock()
    private var pending: [UInt8] = []
    private var failure: StorageError?
    private let last: Atomic<UInt64>

    private let fileLock = Lock()
    /// Taken in turns with `pending`, so that their memory is used again.
    private var writing: [UInt8] = []
    private let writer: LogWriter
    private var hasUnsynced = true
    /// How long the last sync took.
    private var syncTime = Duration.zero
    private var written: UInt64
    /// Full files whose records may not be in table files yet, oldest first, with the position of their last record.
    private var full: [(file: LogFile, last: UInt64)] = []
    private let spare: SpareFiles

    /// Begins a log behind what was recovered, which must be in table files.
    init(_ database: Database, _ spare: SpareFiles, behind recovered: LogRecovery) throws(StorageError) {
        let last = recovered.last
        self.database = database
        self.spare = spare
        life = .random(in: .min ... .max)
        self.last = Atomic(last)
        written = last
        let header = LogFile.Header(life: life, number: recovered.nextNumber, first: last + 1)
        writer = try LogWriter(spare.take(holding: LogFile.Header.size), header)
    }

    deinit {
        // Who opens the directory next must not find a file that is still being made.
        finishMaking()
    }

    /// The newest position.
    var latestPosition: UInt64 { last.load(ordering: .acquiring) }

    /// Makes a batch visible, and has it written with the next `makeDurable`.
    ///
    /// - Parameter logged: Called with the position as soon as `makeDurable` finds the batch, before it is visible: so the
    ///   disk need not wait for the memtables.
    func commit(_ batch: borrowing WriteBatch, logged: (UInt64) -> Void) throws(StorageError) -> UInt64 {
        let (position, size) = try commitLock.withLock { () throws(StorageError) in
            let (position, size) = try append(batch)
            logged(position)
            try failing { () throws(StorageError) in try database.write(batch) }
            return (position, size)
        }
        if size > Self.pendingMax {
            try fileLock.withLock { () throws(StorageError) in try failing { () throws(StorageError) in try write() } }
        }
        return position
    }

    /// Makes a batch visible and durable, on this thread: that is quicker than two hand-overs to another one, as long as
    /// nobody else wants anything. It enters the memtables while the disk writes it.
    ///
    /// - Returns: Nil, and nothing is committed, if another thread writes or syncs, or the disk is slow.
    func commitDurably(_ batch: borrowing WriteBatch) throws(StorageError) -> UInt64? {
        let position = try fileLock.withLockIfAvailable { () throws(StorageError) -> UInt64? in
            guard syncTime < Self.quickSync else { return nil }
            let position = try commitLock.withLock { () throws(StorageError) in
                let (position, _) = try append(batch)
                try failing { () throws(StorageError) in
                    var failure: StorageError?
                    try write(meanwhile: {
                        do throws(StorageError) { try database.write(batch) } catch { failure = error }
                    })
                    if let failure { throw failure }
                }
                return position
            }
            try failing { () throws(StorageError) in try sync() }
            return position
        }
        return position ?? nil
    }

    /// Returns when all commits that returned before the call are durable.
    func makeDurable() throws(StorageError) {
        try fileLock.withLock { () throws(StorageError) in
            try failing { () throws(StorageError) in
                try write()
                try sync()
            }
        }
    }

    /// Gives a batch its position, and adds it to what is pending (under `commitLock`).
    private func append(_ batch: borrowing WriteBatch) throws(StorageError) -> (position: UInt64, pendingSize: Int) {
        let position = last.load(ordering: .relaxed) + 1
        batch.put(position: position, for: database)
        return try appendLock.withLock { () throws(StorageError) in
            if let failure { throw failure }
            batch.withBytes { LogRecord.append($0, position: position, life: life, to: &pending) }
            last.store(position, ordering: .releasing)
            return (position, pending.count)
        }
    }

    /// Returns when no file is being made in the background.
    func finishMaking() { spare.finish() }

    // MARK: - Files (under `fileLock`)

    private func sync() throws(StorageError) {
        guard hasUnsynced else { return }
        let start = ContinuousClock.now
        try writer.sync()
        syncTime = ContinuousClock.now - start
        hasUnsynced = false
    }

    /// Writes what is pending to the file, and to the next ones if it does not fit.
    ///
    /// - Parameter body: Called once, if possible while the disk writes, if something is pending.
    private func write(meanwhile body: () -> Void = {}) throws(StorageError) {
        let previous = appendLock.withLock {
            swap(&pending, &writing)
            return failure
        }
        if let previous { throw previous }
        guard !writing.isEmpty else { return }
        defer { writing.removeAll(keepingCapacity: writing.capacity <= 2 * Self.pendingMax) }
        try writing.withRawBytes { (bytes) throws(StorageError) in
            var (start, end) = (0, 0)
            while end < bytes.count {
                let size = LogRecord.size(at: end, in: bytes)
                if !writer.hasRoom(for: end + size - start) {
                    try append(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
                    try nextFile(holding: size)
                    start = end
                }
                end += size
                written += 1
            }
            try append(UnsafeRawBufferPointer(rebasing: bytes[start...]), meanwhile: body)
        }
    }

    private func append(
        _ records: UnsafeRawBufferPointer, meanwhile body: () -> Void = {}
    ) throws(StorageError) {
        guard !records.isEmpty else { return }
        hasUnsynced = true
        try writer.append(records, meanwhile: body)
    }

    private func nextFile(holding size: Int) throws(StorageError) {
        // Before the next file begins, so that no file is there whose predecessor lacks records.
        try writer.sync()
        let number = (writer.file.header?.number ?? 0) + 1
        full.append((writer.file, written))
        let stored = try database.storedPosition()
        while let oldest = full.first, oldest.last <= stored {
            full.removeFirst()
            spare.give(oldest.file)
        }
        let file = try spare.take(holding: LogFile.Header.size + size)
        try writer.begin(file, .init(life: life, number: number, first: written + 1))
        hasUnsynced = true
        spare.makeAhead()
    }

    /// Remembers a failure, so that nothing is committed behind it.
    private func failing(_ body: () throws(StorageError) -> Void) throws(StorageError) {
        do throws(StorageError) {
            try body()
        } catch {
            appendLock.withLock { failure = failure ?? error }
            throw error
        }
    }
}
