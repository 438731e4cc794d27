import HoldfastWire

/// Messages to other partitions that have not been acknowledged, and how far this one has received theirs.
///
///     partition · 0x24 · receiver (2) · sequence (8)   →   message
///     partition · 0x25 · sender (2)                    →   sequence of the last message received (8)
///     partition · 0x27 · receiver (2)                  →   sequence of the last message sent (8)
///     partition · 0x27                                 →   last number drawn of the partition's own sequence (8)
///
/// A message is written in the commit of its cause, and sent again after a restart; the receiver drops what it has
/// (rule 3), so that every message takes effect once.
struct OutboxTable {
    let partition: PartitionIndex

    func put(_ message: PartitionMessage, to receiver: PartitionIndex, sequence: UInt64, _ store: any Transaction) {
        store.put(.queues, key(receiver, sequence), message.stored[...])
        store.put(.queues, sent(receiver), Self.value(sequence))
    }

    /// Removes the messages that the receiver has.
    func remove(to receiver: PartitionIndex, upTo sequence: UInt64, _ store: any Transaction) throws(StorageError) {
        let (end, overflow) = sequence.addingReportingOverflow(1)
        let last = overflow ? sequence : end
        try store.deleteAll(.queues, from: key(receiver, 0), to: key(receiver, last))
    }

    /// Visits what has not been acknowledged of the messages behind `previous`, in order, until `visit` returns false.
    func pending(
        to receiver: PartitionIndex, after previous: UInt64 = 0, _ store: any ReadableStore,
        _ visit: (_ sequence: UInt64, _ message: PartitionMessage, _ size: Int) -> Bool
    ) throws(StorageError) {
        guard previous < .max else { return }
        let end = prefix(receiver).end
        try store.scan(.queues, from: key(receiver, previous + 1), to: end) { key, value throws(StorageError) in
            guard let sequence = UInt64(bigEndian: key.suffix(8)) else { throw .damagedKey(key) }
            return visit(sequence, try PartitionMessage(stored: value), value.count)
        }
    }

    func lastSent(to receiver: PartitionIndex, _ store: any ReadableStore) throws(StorageError) -> UInt64 {
        try Self.number(try store.get(.queues, sent(receiver)))
    }

    func lastReceived(from sender: PartitionIndex, _ store: any ReadableStore) throws(StorageError) -> UInt64 {
        try Self.number(try store.get(.queues, received(sender)))
    }

    func received(_ sequence: UInt64, from sender: PartitionIndex, _ store: any Transaction) {
        store.put(.queues, received(sender), Self.value(sequence))
    }

    func lastDrawn(_ store: any ReadableStore) throws(StorageError) -> UInt64 {
        try Self.number(try store.get(.queues, Key(partition, tag: .sequence).bytes))
    }

    func drawn(_ number: UInt64, _ store: any Transaction) {
        store.put(.queues, Key(partition, tag: .sequence).bytes, Self.value(number))
    }

    private static func value(_ number: UInt64) -> Bytes {
        var value: [UInt8] = []
        value.append(bigEndian: number)
        return value[...]
    }

    private static func number(_ value: Bytes?) throws(StorageError) -> UInt64 {
        guard let value else { return 0 }
        guard let number = UInt64(bigEndian: value) else {
            throw .damagedRecord("sequence", "it is \(value.count) bytes long")
        }
        return number
    }

    private func prefix(_ receiver: PartitionIndex) -> Key {
        var key = Key(partition, tag: .outbox)
        key.append(receiver)
        return key
    }

    private func key(_ receiver: PartitionIndex, _ sequence: UInt64) -> [UInt8] {
        var key = prefix(receiver)
        key.append(sequence)
        return key.bytes
    }

    private func sent(_ receiver: PartitionIndex) -> [UInt8] {
        var key = Key(partition, tag: .sequence)
        key.append(receiver)
        return key.bytes
    }

    private func received(_ sender: PartitionIndex) -> [UInt8] {
        var key = Key(partition, tag: .received)
        key.append(sender)
        return key.bytes
    }
}
