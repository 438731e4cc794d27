import HoldfastWire

/// The key spaces of the store, by access pattern. Each begins its keys with the partition (two bytes, big-endian).
///
/// The raw values are written into stores: they never change, and new families get new numbers.
public enum Family: UInt8, CaseIterable, Sendable {
    /// One record per invocation, read and rewritten with each of its events.
    case invocations = 1
    /// Journal entries, events and further callers: written once, read in order, deleted together.
    case journals = 2
    /// State of virtual objects and workflows, and durable promises.
    case state = 3
    /// What is read in order and deleted soon: timers, inboxes, the outbox, locks, deduplication.
    case queues = 4
    /// The registry and what else belongs to no partition.
    case metadata = 5
}

/// What can be read of the store: a transaction, or a snapshot.
public protocol ReadableStore: AnyObject {
    /// The value under `key`, or nil. Cost: one read.
    func get(_ family: Family, _ key: [UInt8]) throws(StorageError) -> Bytes?

    /// Visits the pairs with `lower <= key < upper` in the keys' byte order, until `visit` returns false.
    ///
    /// The slices are valid after the visit, too. Cost: one seek, and a read per visited pair.
    func scan(
        _ family: Family, from lower: [UInt8], to upper: [UInt8],
        _ visit: (_ key: Bytes, _ value: Bytes) throws(StorageError) -> Bool
    ) throws(StorageError)
}

/// Reads and writes of one turn of a partition: they become visible together, and durable together.
///
/// A transaction reads its own writes.
public protocol Transaction: ReadableStore {
    /// Sets the value under `key`.
    func put(_ family: Family, _ key: [UInt8], _ value: Bytes)

    /// Removes `key`; a key that does not exist is fine.
    func delete(_ family: Family, _ key: [UInt8])
}

extension Transaction {
    /// Removes the pairs with `lower <= key < upper`. Cost: one seek, and a read and a write per pair.
    ///
    /// The keys are collected first: a scan must not see its own deletions.
    func deleteAll(_ family: Family, from lower: [UInt8], to upper: [UInt8]) throws(StorageError) {
        var keys: [[UInt8]] = []
        try scan(family, from: lower, to: upper) { key, _ throws(StorageError) in
            keys.append([UInt8](key))
            return true
        }
        for key in keys { delete(family, key) }
    }
}

/// The store could not be read or written, or holds what no version of this program writes.
public struct StorageError: Error, Sendable, CustomStringConvertible {
    /// What kind of trouble it is.
    public enum Code: Sendable {
        /// The disk, or the library that writes to it, refused.
        case failed
        /// Bytes that cannot be decoded.
        case damaged
        /// Another process uses the data directory.
        case locked
        /// The store was written by a newer program.
        case tooNew
    }

    /// What kind of trouble it is.
    public let code: Code
    /// What happened, why, and what to do.
    public let message: String

    /// Makes an error.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The message.
    public var description: String { message }
}
