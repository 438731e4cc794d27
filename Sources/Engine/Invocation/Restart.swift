import HoldfastServiceProtocol
import HoldfastWire

/// Running a completed invocation again, under a new id (semantics §8.6).
extension Transition {
    mutating func restart(_ request: RestartRequest) throws(StorageError) -> OperationOutcome {
        guard let original = try invocations.record(request.id, store) else { return .unknown }
        switch original.status {
        case .scheduled, .inboxed: return .notStarted
        case .invoked, .suspended, .paused: return .running
        case .completed: break
        }
        guard original.journalLength > 0 else { return .journalGone }
        guard !original.target.kind.isWorkflow else {
            return .unsupported("workflows run once per key and cannot be restarted")
        }
        if request.from > 0, original.pinned.map({ $0.version < .v6 }) ?? true {
            return .unsupported("a journal prefix can be kept only from service protocol version 6 on")
        }
        var pinned = original.pinned
        if request.deployment.isMissing { return .deploymentMissing }
        // What was never pinned floats to the latest deployment, whichever one is named.
        if pinned != nil, let refusal = request.deployment.apply(to: &pinned) { return refusal }
        guard request.from < partition.limits.copiedEntries || request.from >= original.journalLength else {
            return .prefixTooLong(limit: partition.limits.copiedEntries)
        }
        guard let prefix = try copiedEntries(of: request.id, original, from: request.from) else {
            return .incompletePrefix
        }

        guard try invocations.record(request.newID, store) == nil else {
            return .unsupported("the id of the new invocation is in use")
        }
        var record = InvocationRecord(
            InvokeRequest(
                id: request.newID, target: original.target, source: .restartedFrom(request.id), input: [],
                limitKey: original.limitKey, completionRetention: original.completionRetention,
                journalRetention: original.journalRetention),
            incarnation: draw(), now: now)
        record.remains = try takeOverRemains(of: request.newID)
        record.pinned = pinned
        // What was drawn from it is in the entries that are kept.
        if request.from > 0 { record.randomSeed = original.randomSeed ?? randomSeed(of: request.id) }
        for (index, entry) in prefix.enumerated() {
            if entry.type == .output { record.outputIndex = UInt32(truncatingIfNeeded: index) }
            if entry.type.isCommand { record.commandCount += 1 }
            journals.put(entry, request.newID, index: UInt32(truncatingIfNeeded: index), store)
        }
        record.journalLength = UInt32(truncatingIfNeeded: prefix.count)
        try becomeRunnable(request.newID, &record)
        invocations.put(record, request.newID, store)
        return .restarted(request.newID)
    }

    /// Entries 0 … `from`, then the later completions of the commands among them; nil when a command has a completion
    /// nowhere in the journal, or the journal is shorter.
    private func copiedEntries(
        of id: InvocationID, _ record: InvocationRecord, from: UInt32
    ) throws(StorageError) -> [JournalTable.Entry]? {
        guard from < record.journalLength else { return nil }
        var copied: [JournalTable.Entry] = []
        var open: Set<UInt32> = []
        try journals.entries(id, to: record.journalLength, store) { index, entry throws(StorageError) in
            if index <= from {
                copied.append(entry)
                if let command = try? JournalCommand(type: entry.type, payload: entry.payload) {
                    open.formUnion(command.completionIDs)
                }
            }
            if entry.type.isNotification,
                case .completion(let completion)? = try? Notification(type: entry.type, payload: entry.payload).id,
                open.remove(completion) != nil, index > from
            {
                copied.append(entry)
            }
            return index < from || !open.isEmpty
        }
        return open.isEmpty ? copied : nil
    }
}
