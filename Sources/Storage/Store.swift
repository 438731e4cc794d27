import HoldfastEngine

/// The ordered key-value store of one process: all partitions, one log.
///
/// 1. A commit is visible to every reader when `commit` returns, and durable after the next `makeDurable` that begins
///    after it was logged. In between a crash may lose it, together with all commits after it and none before it.
/// 2. A commit is atomic, in both respects.
/// 3. Two threads never write the same key: a partition belongs to one event loop. The store does not check this.
public protocol Store: AnyObject, Sendable {
    /// An empty transaction, confined to the thread that makes it, and usable again after each commit.
    func transaction() -> any Transaction

    /// Makes the transaction's writes visible, and clears it for its next use.
    ///
    /// An empty transaction writes nothing and returns the latest position. When this throws, nothing of the writes is
    /// visible, and the transaction keeps them; if it was logged before, a restart may bring them.
    ///
    /// - Parameter logged: Called with the position, on this thread, as soon as a `makeDurable` that begins then covers the
    ///   commit; that can be a little before it is visible.
    func commit(
        _ transaction: any Transaction, logged: (CommitPosition) -> Void
    ) throws(StorageError) -> CommitPosition

    /// Makes the transaction's writes visible and durable before it returns, if the calling thread can do that well: for
    /// who has nothing else to do, and would wait for another thread's `makeDurable`.
    ///
    /// When this throws, the writes may be visible and may be durable; nothing can be committed any more.
    ///
    /// - Returns: Nil, and nothing is committed, if the transaction is empty, another thread syncs just now, or a sync
    ///   takes long here.
    func commitDurably(_ transaction: any Transaction) throws(StorageError) -> CommitPosition?

    /// A view of the store as it is now, which later commits do not change; it is released with its last reference.
    ///
    /// It may be used by any one thread at a time.
    func snapshot() -> any ReadableStore

    /// Returns when all commits that returned before the call are durable. Cost: one sync of the log.
    func makeDurable() throws(StorageError)

    /// The position of the newest commit.
    var latestPosition: CommitPosition { get }
}

extension Store {
    /// Leaves it to `commit` and `makeDurable`.
    public func commitDurably(_ transaction: any Transaction) throws(StorageError) -> CommitPosition? { nil }

    /// `commit(_:logged:)` for who does not wait for the disk.
    @discardableResult
    public func commit(_ transaction: any Transaction) throws(StorageError) -> CommitPosition {
        try commit(transaction, logged: { _ in })
    }
}
