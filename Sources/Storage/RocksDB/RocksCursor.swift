import CHoldfastRocksDB
import HoldfastEngine
import HoldfastWire

/// Walks through a range of a column family.
///
/// RocksDB stops at the upper bound by itself, because otherwise it would look for the next living key behind it, over
/// as many deletions as may lie there.
final class RocksCursor: PairCursor {
    private let database: Database
    private let options: OpaquePointer
    private let iterator: OpaquePointer
    /// The upper bound, which RocksDB does not copy.
    private let bound: UnsafeMutableBufferPointer<CChar>
    private var isAtFirst = true

    init(
        _ database: Database, _ family: Family, from lower: [UInt8], to upper: [UInt8],
        useSnapshot: (_ readOptions: OpaquePointer) -> Void = { _ in }
    ) {
        self.database = database
        options = rocksdb_readoptions_create()
        bound = .allocate(capacity: upper.count)
        _ = bound.initialize(from: upper.lazy.map { CChar(bitPattern: $0) })
        rocksdb_readoptions_set_iterate_upper_bound(options, bound.baseAddress, bound.count)
        useSnapshot(options)
        iterator = rocksdb_create_iterator_cf(database.pointer, options, database.columnFamily(family))
        lower.withCharacters { rocksdb_iter_seek(iterator, $0, $1) }
    }

    deinit {
        rocksdb_iter_destroy(iterator)
        rocksdb_readoptions_destroy(options)
        bound.deallocate()
    }

    /// Cost: one allocation for key and value together.
    func next() throws(StorageError) -> (key: Bytes, value: Bytes)? {
        if isAtFirst { isAtFirst = false } else { rocksdb_iter_next(iterator) }
        guard rocksdb_iter_valid(iterator) != 0 else {
            try throwing("read a range") { rocksdb_iter_get_error(iterator, $0) }
            return nil
        }
        var keyCount = 0
        var valueCount = 0
        guard let key = rocksdb_iter_key(iterator, &keyCount), let value = rocksdb_iter_value(iterator, &valueCount)
        else { return nil }
        let pair = [UInt8](unsafeUninitializedCapacity: keyCount + valueCount) { buffer, count in
            let bytes = UnsafeMutableRawBufferPointer(buffer)
            bytes.copyMemory(from: UnsafeRawBufferPointer(start: key, count: keyCount))
            UnsafeMutableRawBufferPointer(rebasing: bytes[keyCount...])
                .copyMemory(from: UnsafeRawBufferPointer(start: value, count: valueCount))
            count = keyCount + valueCount
        }
        return (pair[..<keyCount], pair[keyCount...])
    }
}
