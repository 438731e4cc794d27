import CHoldfastRocksDB
import HoldfastEngine
import HoldfastWire

/// An open RocksDB database with one column family per `Family`; closed with its last reference.
///
/// Sendable, because RocksDB's handles may be used by any thread, and nothing here changes after `init`.
final class Database: @unchecked Sendable {
    private let handle: OpaquePointer
    /// The column families, by `Family.index`.
    private let families: [OpaquePointer?]
    /// The default family, which RocksDB demands; it has the position only.
    private let defaultFamily: OpaquePointer
    private let readOptions: OpaquePointer
    private let writeOptions: OpaquePointer
    /// Released after the database, which may still write until then.
    private let lock: DirectoryLock

    init(path: String, options: RocksOptions, lock: DirectoryLock) throws(StorageError) {
        let made = DatabaseOptions(options)
        let names = ["default"] + Family.allCases.map { "\($0)" }
        let familyOptions = [made.database] + made.families
        var handles = [OpaquePointer?](repeating: nil, count: names.count)
        let opened = try throwing("opened '\(path)'") { error in
            let copies = names.map { Self.duplicate($0) }
            defer { copies.forEach { $0.deallocate() } }
            let namePointers: [UnsafePointer<CChar>?] = copies.map { UnsafePointer($0) }
            let optionPointers: [OpaquePointer?] = familyOptions
            return rocksdb_open_column_families(
                made.database, path, CInt(names.count), namePointers, optionPointers, &handles, error)
        }
        guard let opened, let first = handles[0] else { throw .database("opened '\(path)'", "no handle") }
        handle = opened
        defaultFamily = first
        var families = [OpaquePointer?](repeating: nil, count: Family.indexCount)
        for (family, handle) in zip(Family.allCases, handles.dropFirst()) { families[family.index] = handle }
        self.families = families
        readOptions = rocksdb_readoptions_create()
        writeOptions = rocksdb_writeoptions_create()
        // The log is ours (`DiskLog`).
        rocksdb_writeoptions_disable_WAL(writeOptions, 1)
        self.lock = lock
    }

    deinit {
        rocksdb_readoptions_destroy(readOptions)
        rocksdb_writeoptions_destroy(writeOptions)
        for case let family? in families { rocksdb_column_family_handle_destroy(family) }
        rocksdb_column_family_handle_destroy(defaultFamily)
        rocksdb_close(handle)
    }

    /// The value as it is now, or in the snapshot. Cost: one copy.
    func get(
        _ family: Family, _ key: [UInt8], readOptions: OpaquePointer? = nil
    ) throws(StorageError) -> Bytes? {
        let options = readOptions ?? self.readOptions
        let pinned = try throwing("read a value") { error in
            key.withCharacters { rocksdb_get_pinned_cf(handle, options, families[family.index], $0, $1, error) }
        }
        guard let pinned else { return nil }
        defer { rocksdb_pinnableslice_destroy(pinned) }
        var count = 0
        guard let start = rocksdb_pinnableslice_value(pinned, &count) else { return [] }
        return Array(copying: start, count: count)[...]
    }

    func write(_ batch: borrowing WriteBatch) throws(StorageError) {
        try throwing("committed") { rocksdb_write(handle, writeOptions, batch.handle, $0) }
    }

    /// The position of the newest commit that is in table files; 0 if there is none.
    func storedPosition() throws(StorageError) -> UInt64 {
        let options: OpaquePointer = rocksdb_readoptions_create()
        defer { rocksdb_readoptions_destroy(options) }
        let onlyTableFiles: CInt = 2
        rocksdb_readoptions_set_read_tier(options, onlyTableFiles)
        let pinned = try throwing("read its position") { error in
            WriteBatch.positionKey.withCharacters { rocksdb_get_pinned(handle, options, $0, $1, error) }
        }
        guard let pinned else { return 0 }
        defer { rocksdb_pinnableslice_destroy(pinned) }
        var count = 0
        guard let start = rocksdb_pinnableslice_value(pinned, &count), count == 8 else {
            throw .database("read its position", "Corruption: it has \(count) bytes")
        }
        return UnsafeRawBufferPointer(start: start, count: count).number(at: 0)
    }

    /// The handle of a family, for batches and iterators, which live shorter than the database.
    func columnFamily(_ family: Family) -> OpaquePointer? { families[family.index] }

    /// The handle of the database, for snapshots and iterators, which keep a reference to it.
    var pointer: OpaquePointer { handle }

    private static func duplicate(_ text: String) -> UnsafeMutablePointer<CChar> {
        let bytes = text.utf8CString
        let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
        for (offset, byte) in bytes.enumerated() { copy[offset] = byte }
        return copy
    }
}

/// A batch of writes, reused from commit to commit.
struct WriteBatch: ~Copyable {
    let handle: OpaquePointer

    init() {
        handle = rocksdb_writebatch_create()
    }

    /// A batch as the log has it.
    init(copying bytes: UnsafeRawBufferPointer) {
        handle = rocksdb_writebatch_create_from(
            bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
    }

    deinit {
        rocksdb_writebatch_destroy(handle)
    }

    /// The key of the position in the default family.
    static let positionKey = Array("position".utf8)

    /// Adds the position of the commit.
    func put(position: UInt64, for database: Database) {
        var value: [UInt8] = []
        value.append(littleEndian: position)
        Self.positionKey.withCharacters { key, keyCount in
            value.withCharacters { value, count in rocksdb_writebatch_put(handle, key, keyCount, value, count) }
        }
    }

    /// Calls `body` with the batch in RocksDB's own form.
    func withBytes(_ body: (UnsafeRawBufferPointer) -> Void) {
        var count = 0
        let start = rocksdb_writebatch_data(handle, &count)
        body(UnsafeRawBufferPointer(start: start, count: count))
    }

    func fill(with overlay: Overlay, for database: Database) {
        rocksdb_writebatch_clear(handle)
        overlay.forEach { family, key, value in
            let column = database.columnFamily(family)
            key.withCharacters { keyStart, keyCount in
                guard let value else {
                    rocksdb_writebatch_delete_cf(handle, column, keyStart, keyCount)
                    return
                }
                value.withUnsafeBytes { value in
                    let start = value.baseAddress?.assumingMemoryBound(to: CChar.self)
                    rocksdb_writebatch_put_cf(handle, column, keyStart, keyCount, start, value.count)
                }
            }
        }
    }
}

/// A view of the database as it was when this was made.
struct SnapshotHandle: ~Copyable {
    private let database: Database
    private let handle: OpaquePointer
    /// Options that read from the snapshot.
    let readOptions: OpaquePointer

    init(of database: Database) {
        self.database = database
        handle = rocksdb_create_snapshot(database.pointer)
        readOptions = rocksdb_readoptions_create()
        rocksdb_readoptions_set_snapshot(readOptions, handle)
    }

    deinit {
        rocksdb_readoptions_destroy(readOptions)
        rocksdb_release_snapshot(database.pointer, handle)
    }

    /// Lets other options read from the snapshot.
    func use(in options: OpaquePointer) {
        rocksdb_readoptions_set_snapshot(options, handle)
    }
}
