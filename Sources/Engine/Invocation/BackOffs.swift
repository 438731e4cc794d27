import HoldfastWire

/// Back-offs that wait in the store, since the invoker has no room for them (semantics §7).
extension Transition {
    /// The next try waits for its timer, and nothing of the invocation stays in memory.
    mutating func becomeBackingOff(_ id: InvocationID, _ record: inout InvocationRecord, _ backOff: BackOff) {
        keep(backOff, of: id, &record)
        let timer = retryTimer(of: id, record, backOff)
        timers.put(timer, store)
        release(.setTimer(timer))
        release(.backOffStored(id, epoch: record.epoch))
    }

    /// The next try begins, and counts on from the former ones.
    mutating func endBackOff(_ id: InvocationID, _ record: inout InvocationRecord) {
        let backOff = forgetBackOff(of: id, &record)
        release(.startAttempt(AttemptStart(id, record, input: nil, isNewSeries: false, backOff: backOff)))
    }

    /// Services were registered: ends the back-offs that a registration may help, `limit` of them by each command.
    mutating func endBackOffs(after previous: InvocationID?, limit: Int) throws(StorageError) {
        let ids = try backOffs.awaitingRegistration(after: previous, limit: limit, store)
        for id in ids {
            // Whoever was paused stays so. A damaged record must not block the others.
            guard var record = try readableRecord(id), record.isBackingOff else { continue }
            endBackOff(id, &record)
            invocations.put(record, id, store)
        }
        if let last = ids.last, ids.count == limit { release(.endBackOffsMore(after: last)) }
    }

    func keep(_ backOff: BackOff, of id: InvocationID, _ record: inout InvocationRecord) {
        record.backOff = backOff
        backOffs.put(id, backOff, store)
    }

    /// The tries that are counted in the record are over, or go on in memory.
    @discardableResult
    func forgetBackOff(of id: InvocationID, _ record: inout InvocationRecord) -> BackOff? {
        guard let backOff = record.backOff else { return nil }
        stopBackOff(of: id, record)
        backOffs.remove(id, backOff, store)
        record.backOff = nil
        return backOff
    }

    /// Nothing ends the back-off by itself any more; operators go on seeing it.
    func stopBackOff(of id: InvocationID, _ record: InvocationRecord) {
        if let backOff = record.backOff { timers.remove(retryTimer(of: id, record, backOff), store) }
    }

    private func retryTimer(of id: InvocationID, _ record: InvocationRecord, _ backOff: BackOff) -> TimerKey {
        TimerKey(due: backOff.due, kind: .retry, id: id, incarnation: record.incarnation)
    }
}
