import HoldfastServiceProtocol
import HoldfastWire

/// Cancel, kill, pause and resume (semantics §8).
extension Transition {
    /// Hands a started invocation the cancel signal: what comes of it is up to its handler. Ends any other one.
    mutating func cancel(_ id: InvocationID) throws(StorageError) -> OperationOutcome {
        guard var record = try invocations.record(id, store) else { return .unknown }
        switch record.status {
        case .scheduled, .inboxed:
            try endUnstarted(id, record, with: .cancelled)
            return .done
        case .invoked, .suspended:
            notify(id, &record, .cancel)
        case .paused:
            notify(id, &record, .cancel)
            becomeInvoked(id, &record)
        case .completed:
            return .completed
        }
        invocations.put(record, id, store)
        return .accepted
    }

    /// Ends an invocation now, and the calls that it waits for. What it sent one-way lives on.
    mutating func kill(_ id: InvocationID) throws(StorageError) -> OperationOutcome {
        guard var record = try invocations.record(id, store) else {
            release(.abortAttempt(id))
            return .unknown
        }
        switch record.status {
        case .scheduled, .inboxed:
            try endUnstarted(id, record, with: .killed)
        case .invoked, .suspended, .paused:
            for (callee, completion) in try openCallees(of: id, record) {
                let caller = CallerReference(
                    id: id, incarnation: record.incarnation, completionID: completion, type: .callCompletion)
                send(.kill(callee, by: caller), to: callee)
            }
            release(.abortAttempt(id))
            try end(id, &record, with: .failure(.killed))
        case .completed:
            return .completed
        }
        return .done
    }

    /// Ends a callee of a killed invocation, unless its id means something else meanwhile: the callee may have ended and
    /// another life begun, or never have waited for that caller, as a workflow that was running already.
    mutating func kill(_ id: InvocationID, by caller: CallerReference) throws(StorageError) {
        guard let record = try invocations.record(id, store) else { return }
        let joined = record.hasMoreCallers ? try journals.hasCaller(caller, of: id, store) : false
        if joined || record.caller == caller { _ = try kill(id) }
    }

    /// Callees of Call commands that have no result yet, with the completion that each is awaited under.
    private func openCallees(
        of id: InvocationID, _ record: InvocationRecord
    ) throws(StorageError) -> [(callee: InvocationID, completion: UInt32)] {
        guard record.commandCount > 1 else { return [] }
        var open: [UInt32: InvocationID] = [:]
        var order: [UInt32] = []
        try journals.entries(id, to: record.journalLength, store) { _, entry throws(StorageError) in
            if entry.type == .call, let callee = entry.callee,
                case .call(let call)? = try? JournalCommand(type: entry.type, payload: entry.payload)
            {
                open[call.resultCompletionID] = callee.id
                order.append(call.resultCompletionID)
            } else if entry.type == .callCompletion,
                case .completion(let completion)? = try? Notification(type: entry.type, payload: entry.payload).id
            {
                open[completion] = nil
            }
            return true
        }
        return order.compactMap { completion in open[completion].map { ($0, completion) } }
    }

    /// Stops an invocation until somebody resumes or cancels it; what arrives meanwhile waits in its journal.
    mutating func pause(_ id: InvocationID) throws(StorageError) -> OperationOutcome {
        guard var record = try invocations.record(id, store) else { return .unknown }
        switch record.status {
        case .scheduled, .inboxed: return .notStarted
        case .completed: return .completed
        case .paused: return .unchanged
        case .invoked, .suspended:
            becomePaused(id, &record, after: record.status == .invoked ? try lastFailure(of: id, record) : nil)
            invocations.put(record, id, store)
            return .accepted
        }
    }

    mutating func becomePaused(_ id: InvocationID, _ record: inout InvocationRecord, after failure: AttemptFailure?) {
        stopBackOff(of: id, record)
        record.status = .paused
        record.waitingFor = nil
        record.openSteps = []
        record.modified = now
        // Of reports that are under way only the results of open steps still count (`finishSteps`).
        record.epoch &+= 1
        self.record(.paused(failure), of: id, &record)
        release(.pauseAttempt(id))
    }

    mutating func resume(_ id: InvocationID, _ change: DeploymentChange) throws(StorageError) -> OperationOutcome {
        guard var record = try invocations.record(id, store) else { return .unknown }
        switch record.status {
        case .scheduled, .inboxed: return .notStarted
        case .completed: return .completed
        case .invoked:
            guard case .keep = change else { return .running }
            if record.isBackingOff {
                endBackOff(id, &record)
                invocations.put(record, id, store)
            } else {
                release(.retryNow(id))
            }
            return .done
        case .suspended, .paused:
            if let refusal = change.apply(to: &record.pinned) { return refusal }
            becomeInvoked(id, &record)
            invocations.put(record, id, store)
            return .done
        }
    }
}

extension DeploymentChange {
    var isMissing: Bool { self == .latestMissing || self == .specificMissing }

    /// Replaces the deployment of a pin, whose protocol version stays; returns why that can't be, if it can't.
    func apply(to pinned: inout PinnedDeployment?) -> OperationOutcome? {
        let deployment: DeploymentID
        let versions: ClosedRange<Int>
        switch self {
        case .keep: return nil
        case .latestMissing: return pinned == nil ? nil : .deploymentMissing
        case .specificMissing: return pinned == nil ? .deploymentFixed : .deploymentMissing
        case .specific where pinned == nil: return .deploymentFixed
        case .latest(let id, let range), .specific(let id, let range): (deployment, versions) = (id, range)
        }
        guard let current = pinned else { return nil }
        guard versions.contains(Int(current.version.rawValue)) else { return .deploymentIncompatible }
        pinned = PinnedDeployment(deployment: deployment, version: current.version)
        return nil
    }
}

extension Notification {
    /// The signal that asks a handler to stop.
    static let cancelSignal: UInt32 = 1
    static let cancel = Notification(type: .signal, id: .signal(cancelSignal), result: .void)
}
