import HoldfastWire

/// Everything that was under way is derived again from the store (rule 4).
extension Partition {
    /// The numbers of the last messages that this partition has sent, by receiver.
    public var lastMessages: [UInt64] { lastSent }

    /// Messages to `receiver` behind `previous` and up to `last` that were not acknowledged, to be sent again; their
    /// receiver drops doubles. As many as `limits` allow, but at least one.
    public func unacknowledged(
        to receiver: PartitionIndex, after previous: UInt64 = 0, upTo last: UInt64 = .max,
        limits: (count: Int, bytes: Int) = (.max, .max), _ store: any ReadableStore
    ) throws(StorageError) -> [Action] {
        var actions: [Action] = []
        var bytes = 0
        try OutboxTable(partition: index).pending(to: receiver, after: previous, store) { sequence, message, size in
            guard sequence <= last else { return false }
            actions.append(.send(message, to: receiver, sequence: sequence))
            bytes += size
            return actions.count < limits.count && bytes < limits.bytes
        }
        return actions
    }

    /// The deployments that have starts waiting in the store.
    public func deploymentsWithDeferredStarts(_ store: any ReadableStore) throws(StorageError) -> [DeploymentID] {
        try DeferredStartTable(partition: index).deployments(store)
    }

    /// Invocations behind `previous` that are `invoked`, hence need an attempt: at most `limit` records are looked at.
    ///
    /// - Returns: what to apply (`Command.startAttempt`), and where to go on; nil when all were looked at.
    public func interrupted(
        after previous: InvocationID?, limit: Int, _ store: any ReadableStore
    ) throws(StorageError) -> (commands: [Command], last: InvocationID?) {
        var commands: [Command] = []
        var last: InvocationID?
        var seen = 0
        try InvocationTable(partition: index).rows(after: previous, store) { id, value in
            do throws(StorageError) {
                let record = try InvocationRecord(stored: value)
                // A start that waits in the store is found there, in its turn; a back-off there has its timer.
                if record.status == .invoked, record.deferredSequence == 0, !record.isBackingOff {
                    commands.append(.startAttempt(id, epoch: record.epoch))
                }
            } catch {
                // Nobody knows what it was doing. Its command will be refused, and that said; the others go on.
                commands.append(.startAttempt(id, epoch: 0))
            }
            seen += 1
            last = id
            return seen < limit
        }
        return (commands, seen < limit ? nil : last)
    }
}
