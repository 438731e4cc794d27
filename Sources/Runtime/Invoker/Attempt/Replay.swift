import HoldfastEngine
import HoldfastServiceProtocol
import HoldfastWire

/// How much of the journal an attempt was sent.
///
/// What is behind is read from the store in pieces, when there is room for it; so a journal of any length, and any number
/// of notifications for an endpoint that does not read, cost no memory.
struct Replay {
    /// How many entries are replayed; what comes later is new to the invocation as well.
    let length: UInt32
    /// Index of the next entry to write: the attempt knows, or has itself sent, all entries below.
    private(set) var next: UInt32 = 0
    /// Bound of the indexes that there are to write.
    private(set) var known: UInt32

    init(length: UInt32) {
        self.length = length
        known = length
    }

    /// Whether everything known was written.
    var isComplete: Bool { next >= known }

    /// An entry that exists; true when it is the only one that is left to write.
    mutating func learned(of index: UInt32) -> Bool {
        guard index >= known, index < .max else { return false }
        let wasComplete = isComplete
        if wasComplete { next = index }
        known = index + 1
        return wasComplete
    }

    /// The entry at `next` was written by the caller.
    mutating func wrote(_ index: UInt32) { next = max(next, index &+ 1) }

    /// Appends what is left to `buffer` until that has `size` bytes.
    ///
    /// Commands behind the replay are the attempt's own, and are left out. `write` is told whether an entry belongs to
    /// the replay.
    mutating func fill(
        _ buffer: inout [UInt8], to size: Int, from source: Source,
        write: (MessageType, Bytes, Bool, inout [UInt8]) throws(AttemptError) -> Void
    ) throws(AttemptError) {
        let range = next..<known
        var index = next
        var failure: AttemptError?
        let length = length
        do throws(StorageError) {
            try source.door.journal(of: source.id, in: source.partition, range: range) { type, payload in
                if index < length || type.isNotification {
                    do throws(AttemptError) { try write(type, payload, index < length, &buffer) } catch {
                        failure = error
                    }
                }
                index &+= 1
                return failure == nil && buffer.count < size
            }
        } catch {
            throw .storeUnreadable(error.message)
        }
        if let failure { throw failure }
        guard index > range.lowerBound else {
            throw .storeUnreadable("journal entry \(index) of \(known) is missing")
        }
        next = index
    }

    /// Where the journal is read.
    struct Source {
        unowned let door: any InvokerDoor
        let id: InvocationID
        let partition: PartitionIndex
    }
}

/// The state that an attempt starts with, as far as it fits.
struct EagerState {
    private(set) var entries: [StartMessage.StateEntry] = []
    /// Whether there may be more.
    private(set) var isPartial: Bool

    /// No state: the handler has none, or reads it when it needs it.
    init() { isPartial = true }

    /// The entries in key order, up to the first that would exceed `limit` bytes of keys and values.
    init(
        of object: ObjectID, in partition: PartitionIndex, limit: Int, from door: any InvokerDoor
    ) throws(AttemptError) {
        isPartial = false
        var size = 0
        var entries: [StartMessage.StateEntry] = []
        var isPartial = false
        do throws(StorageError) {
            try door.state(of: object, in: partition) { key, value in
                size += key.count + value.count
                isPartial = size > limit
                if !isPartial { entries.append(StartMessage.StateEntry(key: key, value: value)) }
                return !isPartial
            }
        } catch {
            throw .storeUnreadable(error.message)
        }
        self.entries = entries
        self.isPartial = isPartial
    }
}
