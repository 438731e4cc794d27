import HoldfastServiceProtocol
import HoldfastWire

/// How an invocation ends (semantics §1.4).
extension Transition {
    /// A started invocation ends: callers are answered, the result is kept as long as its retention says, and the
    /// virtual object goes to the next in its inbox.
    mutating func end(
        _ id: InvocationID, _ record: inout InvocationRecord, with result: Completion,
        stacktrace: String? = nil
    ) throws(StorageError) {
        precondition(record.status.isStarted, "only a started invocation ends with a result")
        let result = result.withCodeInRange
        forgetBackOff(of: id, &record)
        try answerCallers(of: id, record, with: result, stacktrace: stacktrace)
        let object = record.target.object
        let kind = record.target.kind
        if record.completionRetention > 0 {
            becomeCompleted(id, &record, with: result)
            invocations.put(record, id, store)
        } else {
            try free(id, record)
        }
        if kind == .objectExclusive { try releaseLock(of: object) }
        release(.release(id))
    }

    private mutating func becomeCompleted(
        _ id: InvocationID, _ record: inout InvocationRecord, with result: Completion
    ) {
        record.status = .completed
        record.completed = now
        record.modified = now
        record.waitingFor = nil
        record.openSteps = []
        record.result = result
        record.caller = nil
        record.hasMoreCallers = false
        for row in expiryRows(of: id, record) { expiries.put(row, store) }
        if record.journalRetention == 0 { forgetJournal(id, &record) }
    }

    /// An invocation that has not started ends: nothing of it is kept (semantics §2).
    mutating func endUnstarted(
        _ id: InvocationID, _ record: InvocationRecord, with failure: Failure
    ) throws(StorageError) {
        precondition(!record.status.isStarted, "a started invocation ends with a result")
        try answerCallers(of: id, record, with: .failure(failure))
        if record.status == .inboxed {
            inboxes.remove(for: record.target.object, sequence: record.inboxSequence, store)
        } else if let time = record.executionTime {
            timers.remove(TimerKey(due: time, kind: .start, id: id, incarnation: record.incarnation), store)
        }
        try free(id, record)
    }

    private mutating func answerCallers(
        of id: InvocationID, _ record: InvocationRecord, with result: Completion, stacktrace: String? = nil
    ) throws(StorageError) {
        if let caller = record.caller { send(.complete(caller, Notification.Result(result)), to: caller.id) }
        if record.hasMoreCallers {
            for caller in try journals.takeCallers(of: id, store) {
                send(.complete(caller, Notification.Result(result)), to: caller.id)
            }
        }
        for client in partition.removeWaiters(of: id) {
            let answer = InvocationResult(
                id: id, target: record.target, completion: result, stacktrace: stacktrace)
            release(.answer(client, .result(answer)))
        }
    }

    // MARK: - Forgetting

    /// The id is free again: record, journal and events go, and with a workflow's run its state and promises.
    mutating func free(_ id: InvocationID, _ record: InvocationRecord) throws(StorageError) {
        removeRows(of: id, record)
        invocations.remove(id, store)
        if record.target.kind == .workflowRun {
            try states.clearAll(in: record.target.object, store)
            try promises.clearAll(of: record.target.object, store)
        }
    }

    private mutating func forgetJournal(_ id: InvocationID, _ record: inout InvocationRecord) {
        removeRows(of: id, record)
        record.remains = JournalRows()
        record.journalLength = 0
        record.commandCount = 0
        record.eventCount = 0
        record.outputIndex = nil
    }

    /// Removes the rows of a journal, or the first of them if they are many; the clean-up goes on with the rest.
    private mutating func removeRows(of id: InvocationID, _ record: InvocationRecord) {
        var rows = JournalRows(
            entries: max(record.journalLength, record.remains.entries),
            events: max(record.eventCount, record.remains.events))
        _ = journals.remove(&rows, of: id, limit: partition.limits.removedRows, store)
        guard !rows.isEmpty else { return }
        journalRemains.put(rows, of: id, store)
        partition.hasJournalRemains = true
        release(.cleanUpMore)
    }

    /// What a former life of an id has left becomes that of the new one: nobody else may remove it any more.
    func takeOverRemains(of id: InvocationID) throws(StorageError) -> JournalRows {
        guard partition.hasJournalRemains else { return JournalRows() }
        return try journalRemains.take(id, store) ?? JournalRows()
    }

    /// Goes on with the removal of long journals.
    ///
    /// - Returns: How many rows may still be removed by this command.
    private func removeRemains() throws(StorageError) -> Int {
        var left = partition.limits.removedRows
        while partition.hasJournalRemains, left > 0 {
            guard let first = try journalRemains.first(store) else {
                partition.hasJournalRemains = false
                break
            }
            var rows = first.rows
            left -= journals.remove(&rows, of: first.id, limit: left, store)
            if rows.isEmpty {
                _ = try journalRemains.take(first.id, store)
            } else {
                journalRemains.put(rows, of: first.id, store)
            }
        }
        return left
    }

    mutating func purge(_ id: InvocationID) throws(StorageError) -> OperationOutcome {
        guard let record = try invocations.record(id, store) else { return .unknown }
        guard record.status == .completed else { return .notCompleted }
        for row in expiryRows(of: id, record) { expiries.remove(row, store) }
        try free(id, record)
        return .done
    }

    mutating func purgeJournal(_ id: InvocationID) throws(StorageError) -> OperationOutcome {
        guard var record = try invocations.record(id, store) else { return .unknown }
        guard record.status == .completed else { return .notCompleted }
        forgetJournal(id, &record)
        invocations.put(record, id, store)
        return .done
    }

    /// Forgets what has outlived its retention: at most `limit` invocations, and of their journals as much as one command
    /// may remove, so that no turn takes long.
    mutating func cleanUp(limit: Int) throws(StorageError) {
        var left = try removeRemains()
        let rows = try expiries.due(at: now, limit: limit, store)
        for row in rows {
            guard left > 0 else { return release(.cleanUpMore) }
            expiries.remove(row, store)
            // Purged by hand, and perhaps used again; or unreadable, and no reason to keep the others.
            guard let record = try readableRecord(row.id), record.incarnation == row.incarnation else { continue }
            left -= Int(record.journalLength)
            switch row.what {
            case .journal: _ = try purgeJournal(row.id)
            case .invocation: _ = try purge(row.id)
            }
        }
        if !rows.isEmpty && rows.count >= limit || partition.hasJournalRemains { release(.cleanUpMore) }
    }

    private func expiryRows(of id: InvocationID, _ record: InvocationRecord) -> [ExpiryTable.Row] {
        guard let completed = record.completed else { return [] }
        var rows = [
            ExpiryTable.Row(
                due: completed.advanced(by: record.completionRetention), what: .invocation, id: id,
                incarnation: record.incarnation)
        ]
        if record.journalRetention > 0, record.journalRetention < record.completionRetention {
            rows.append(
                ExpiryTable.Row(
                    due: completed.advanced(by: record.journalRetention), what: .journal, id: id,
                    incarnation: record.incarnation))
        }
        return rows
    }
}

extension Completion {
    /// Codes of results have 16 bits (semantics §10.1); an SDK may say more.
    fileprivate var withCodeInRange: Completion {
        guard case .failure(var failure) = self, failure.code > UInt32(UInt16.max) else { return self }
        failure.code = 500
        return .failure(failure)
    }
}
