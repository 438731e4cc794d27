import HoldfastStorage

/// What was read of the store and may not leave yet, since it rests on commits that are visible and not durable.
///
/// A crash would take them back, and then somebody outside would know what never was (rule 1).
struct DurableReads {
    private var waiting: [(position: CommitPosition, leave: () -> Void)] = []

    /// Keeps `leave` until all commits up to `position` are durable.
    mutating func wait(for position: CommitPosition, _ leave: @escaping () -> Void) {
        waiting.append((position, leave))
    }

    /// Removes and returns what rests on nothing behind `durable`, in the order in which it came.
    mutating func take(upTo durable: CommitPosition) -> [() -> Void] {
        guard waiting.contains(where: { $0.position <= durable }) else { return [] }
        let ready = waiting.filter { $0.position <= durable }
        waiting.removeAll { $0.position <= durable }
        return ready.map(\.leave)
    }
}
