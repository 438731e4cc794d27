import HoldfastEngine
import HoldfastWire
import Synchronization

/// A store in memory that can crash: for tests, simulation and programs that need no durability.
///
/// It keeps what is committed, and beside it what is durable. Nothing in it depends on time, threads or randomness.
public final class MemoryStore: Store {
    private struct State {
        var committed = MemoryPairs()
        var position = CommitPosition.zero
        var durable = MemoryPairs()
        var durablePosition = CommitPosition.zero
        /// Fails the next calls, as a disk would.
        var failure: StorageError?
    }

    private let state = Mutex(State())

    /// Makes an empty store.
    public init() {}

    /// An empty transaction over this store.
    public func transaction() -> any Transaction {
        OverlaidTransaction(over: MemoryBase(store: self))
    }

    /// Makes the writes visible. Cost: O(log n) per write; the first write to a chunk that a snapshot shares copies it.
    public func commit(
        _ transaction: any Transaction, logged: (CommitPosition) -> Void
    ) throws(StorageError) -> CommitPosition {
        guard let transaction = transaction as? OverlaidTransaction<MemoryBase>, transaction.base.store === self else {
            throw .foreignTransaction
        }
        let overlay = transaction.overlay
        let position = try state.withLock { (state) throws(StorageError) in
            if let failure = state.failure { throw failure }
            guard !overlay.isEmpty else { return state.position }
            state.committed.apply(overlay)
            state.position = CommitPosition(rawValue: state.position.rawValue + 1)
            return state.position
        }
        transaction.clear()
        logged(position)
        return position
    }

    /// A view of the store as it is now.
    public func snapshot() -> any ReadableStore {
        MemorySnapshot(committed)
    }

    /// Makes everything that is committed survive `crash`.
    public func makeDurable() throws(StorageError) {
        try state.withLock { (state) throws(StorageError) in
            if let failure = state.failure { throw failure }
            state.durable = state.committed
            state.durablePosition = state.position
        }
    }

    /// The position of the newest commit.
    public var latestPosition: CommitPosition { state.withLock { $0.position } }

    /// Returns to what was durable, as after a power failure: transactions that were open must not be used again.
    public func crash() {
        state.withLock { state in
            state.committed = state.durable
            state.position = state.durablePosition
            state.failure = nil
        }
    }

    /// From now on until `crash`, or until nil is given, commits and syncs throw `failure`.
    public func fail(with failure: StorageError?) {
        state.withLock { $0.failure = failure }
    }

    fileprivate var committed: MemoryPairs { state.withLock { $0.committed } }
}

/// The pairs of all families; copies share what neither side changes.
struct MemoryPairs: Sendable {
    private var families: [OrderedMap<Bytes>] = Array(repeating: OrderedMap(), count: Family.indexCount)

    subscript(family: Family) -> OrderedMap<Bytes> { families[family.index] }

    mutating func apply(_ overlay: Overlay) {
        overlay.forEach { family, key, value in
            // A copy, because a slice would keep alive the whole buffer that it was cut from.
            if let value {
                families[family.index].set(key, Array(value)[...])
            } else {
                families[family.index].remove(key)
            }
        }
    }
}

/// The committed pairs, as transactions see them.
struct MemoryBase: CommittedPairs {
    let store: MemoryStore

    func get(_ family: Family, _ key: [UInt8]) -> Bytes? {
        store.committed[family][key]
    }

    func cursor(_ family: Family, from lower: [UInt8], to upper: [UInt8]) -> MemoryCursor {
        MemoryCursor(store.committed[family], from: lower, to: upper)
    }
}

/// Walks through a range of a map.
final class MemoryCursor: PairCursor {
    private let map: OrderedMap<Bytes>
    private let upper: [UInt8]
    private var pair: OrderedMap<Bytes>.Pair?

    init(_ map: OrderedMap<Bytes>, from lower: [UInt8], to upper: [UInt8]) {
        self.map = map
        self.upper = upper
        self.pair = map.pair(atOrAfter: lower)
    }

    func next() -> (key: Bytes, value: Bytes)? {
        guard let pair, compareBytes(pair.key, upper) < 0 else { return nil }
        self.pair = map.pair(after: pair.key[...])
        return (pair.key[...], pair.value)
    }
}

/// A view of a memory store, which its later commits do not change.
final class MemorySnapshot: ReadableStore {
    private let pairs: MemoryPairs

    init(_ pairs: MemoryPairs) {
        self.pairs = pairs
    }

    func get(_ family: Family, _ key: [UInt8]) throws(StorageError) -> Bytes? {
        pairs[family][key]
    }

    func scan(
        _ family: Family, from lower: [UInt8], to upper: [UInt8],
        _ visit: (_ key: Bytes, _ value: Bytes) throws(StorageError) -> Bool
    ) throws(StorageError) {
        let cursor = MemoryCursor(pairs[family], from: lower, to: upper)
        while let pair = cursor.next() {
            guard try visit(pair.key, pair.value) else { return }
        }
    }
}
