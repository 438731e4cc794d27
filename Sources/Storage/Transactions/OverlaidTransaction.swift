import HoldfastEngine
import HoldfastWire

/// What lies beneath a transaction: the committed pairs of a store, or a view of them.
protocol CommittedPairs {
    associatedtype Cursor: PairCursor
    func get(_ family: Family, _ key: [UInt8]) throws(StorageError) -> Bytes?
    func cursor(_ family: Family, from lower: [UInt8], to upper: [UInt8]) throws(StorageError) -> Cursor
}

/// Walks through a range of committed pairs in key order.
protocol PairCursor: AnyObject {
    /// The next pair, or nil at the end of the range.
    func next() throws(StorageError) -> (key: Bytes, value: Bytes)?
}

/// A transaction: writes in memory over the committed pairs of a store.
///
/// A scan's visitor may write: what it writes beyond the visited key is seen by the rest of the scan.
final class OverlaidTransaction<Base: CommittedPairs>: Transaction {
    /// The committed pairs.
    let base: Base
    /// The writes so far.
    private(set) var overlay = Overlay()

    init(over base: Base) {
        self.base = base
    }

    func put(_ family: Family, _ key: [UInt8], _ value: Bytes) {
        overlay.write(family, key, value)
    }

    func delete(_ family: Family, _ key: [UInt8]) {
        overlay.write(family, key, nil)
    }

    func get(_ family: Family, _ key: [UInt8]) throws(StorageError) -> Bytes? {
        if let written = overlay.written(family, key) { return written }
        return try base.get(family, key)
    }

    func scan(
        _ family: Family, from lower: [UInt8], to upper: [UInt8],
        _ visit: (_ key: Bytes, _ value: Bytes) throws(StorageError) -> Bool
    ) throws(StorageError) {
        guard compareBytes(lower, upper) < 0 else { return }
        let cursor = try base.cursor(family, from: lower, to: upper)
        var below = try cursor.next()
        var above = overlay.first(in: family, atOrAfter: lower, below: upper)
        while above != nil || below != nil {
            let order = order(above, below)
            let key: Bytes
            let value: Bytes?
            if order <= 0, let above {
                (key, value) = (above.key[...], above.value)
            } else if let below {
                (key, value) = (below.key, below.value)
            } else {
                return
            }
            // A write hides the committed pair of its key, also if it is a deletion.
            if order >= 0 { below = try cursor.next() }
            let generation = overlay.generation
            if let value {
                guard try visit(key, value) else { return }
            }
            if order <= 0 || overlay.generation != generation {
                above = overlay.first(in: family, after: key, below: upper)
            }
        }
    }

    /// Forgets the writes.
    func clear() {
        overlay.removeAll()
    }

    private func order(_ above: OrderedMap<Bytes?>.Pair?, _ below: (key: Bytes, value: Bytes)?) -> Int {
        guard let above else { return 1 }
        guard let below else { return -1 }
        return compareBytes(above.key, below.key)
    }
}
