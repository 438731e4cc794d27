import HoldfastEngine
import HoldfastWire

/// A store that visits a range in pages: each scan goes on behind the last pair of the one before.
///
/// The engine's tables visit all of a range in one call, while a query asks for one row at a time and may stop soon.
/// Every scan through one of these must have the same range.
final class PagedStore: ReadableStore {
    private static let pairsMax = 256
    private static let bytesMax = 1 << 20

    private let store: any ReadableStore
    /// The first key of the next page.
    private var next: [UInt8]?
    /// Pages begin small, because many queries want a few rows only.
    private var pageSize = 16
    /// Whether nothing is behind the last page.
    private(set) var isAtEnd = false

    init(_ store: any ReadableStore) {
        self.store = store
    }

    func get(_ family: Family, _ key: [UInt8]) throws(StorageError) -> Bytes? {
        try store.get(family, key)
    }

    func scan(
        _ family: Family, from lower: [UInt8], to upper: [UInt8],
        _ visit: (_ key: Bytes, _ value: Bytes) throws(StorageError) -> Bool
    ) throws(StorageError) {
        var (pairs, bytes) = (0, 0)
        isAtEnd = true
        try store.scan(family, from: next ?? lower, to: upper) { key, value throws(StorageError) in
            guard pairs < pageSize, bytes < Self.bytesMax else {
                isAtEnd = false
                return false
            }
            pairs += 1
            bytes += value.count
            next = Array(key) + [0]
            return try visit(key, value)
        }
        pageSize = min(pageSize * 2, Self.pairsMax)
    }
}
