import HoldfastEngine

/// Where commits become durable: the log of the local store, or one that is replicated.
///
/// One thread calls `makeDurable`, one call at a time; any thread reads `latestPosition`.
public protocol CommitLog: Sendable {
    /// The newest commit that the log knows of.
    var latestPosition: CommitPosition { get }

    /// Returns when every commit up to `latestPosition`, as it is at the call, is durable; returns that position.
    ///
    /// After it has thrown, the log takes nothing any more.
    func makeDurable() throws(CommitEnd) -> CommitPosition
}

/// Why nothing becomes durable any more.
public enum CommitEnd: Error, Sendable {
    /// Another process writes the log now: what was not reported durable may or may not be in it.
    case fenced
    /// The log failed. What was not reported durable may or may not survive, so it must not be tried again blindly:
    /// a restart reads what is there.
    case unknown(StorageError)
}

/// The log of a store on this machine.
struct LocalLog: CommitLog {
    let store: any Store

    var latestPosition: CommitPosition { store.latestPosition }

    func makeDurable() throws(CommitEnd) -> CommitPosition {
        // Read before the sync: commits that arrive while it runs may miss it.
        let position = store.latestPosition
        do {
            try store.makeDurable()
        } catch {
            throw .unknown(error)
        }
        return position
    }
}
