import HoldfastWire

/// Timers, in the order in which they fire.
///
///     partition · 0x21 · due ms · kind · invocation id · incarnation · completion id   →   (empty)
///
/// A row is the timer: firing it is a command, which deletes the row and so takes effect once.
public struct TimerTable {
    let partition: PartitionIndex

    /// The table of one partition.
    public init(partition: PartitionIndex) { self.partition = partition }

    func put(_ timer: TimerKey, _ store: any Transaction) {
        store.put(.queues, row(timer), [])
    }

    /// Removes the timer; false if it was gone already.
    func take(_ timer: TimerKey, _ store: any Transaction) throws(StorageError) -> Bool {
        let key = row(timer)
        guard try store.get(.queues, key) != nil else { return false }
        store.delete(.queues, key)
        return true
    }

    func remove(_ timer: TimerKey, _ store: any Transaction) {
        store.delete(.queues, row(timer))
    }

    /// The first timers behind `previous`, at most `limit`.
    public func next(
        after previous: TimerKey?, limit: Int, _ store: any ReadableStore
    ) throws(StorageError) -> [TimerKey] {
        let rows = Key(partition, tag: .timer)
        var from = rows.bytes
        if let previous { from = row(previous) + [0] }
        var timers: [TimerKey] = []
        try store.scan(.queues, from: from, to: rows.end) { key, _ throws(StorageError) in
            var reader = try StoreReader(key: key, tag: .timer)
            let due = Timestamp(millis: try reader.integer())
            guard let kind = TimerKey.Kind(rawValue: try reader.integer()) else { throw .damagedKey(key) }
            timers.append(
                TimerKey(
                    due: due, kind: kind, id: try reader.invocationID(), incarnation: try reader.integer(),
                    completionID: try reader.integer()))
            return timers.count < limit
        }
        return timers
    }

    private func row(_ timer: TimerKey) -> [UInt8] {
        var key = Key(partition, tag: .timer)
        key.append(timer.due.millis)
        key.append(timer.kind.rawValue)
        key.append(timer.id)
        key.append(timer.incarnation)
        key.append(timer.completionID)
        return key.bytes
    }
}
