import HoldfastServiceProtocol
import HoldfastWire

/// What the attempts of an invocation say (semantics §4, §6, §7).
extension Transition {
    /// Applies a report in one read and one write of the invocation's record.
    ///
    /// Reports of an epoch that is over are dropped: what they say was said by an attempt that was replaced (rule 3).
    mutating func attempt(_ report: AttemptReport) throws(StorageError) {
        guard var record = try invocations.record(report.id, store),
            record.status == .invoked || record.isPaused(during: report)
        else {
            release(.abortAttempt(report.id))
            return
        }
        guard record.status == .invoked else { return try finishSteps(report, &record) }
        // While it waits in the store for its next try, no attempt of that epoch has begun.
        guard record.epoch == report.epoch, record.incarnation == report.incarnation, record.backOff == nil else {
            return
        }
        for message in report.messages {
            switch message {
            case .command(let command, let payload, let reference, let acknowledge):
                pin(&record, report.deployment)
                try apply(command, payload, reference, to: &record, report.id)
                record.hasProgressed = true
                if acknowledge {
                    release(
                        .acknowledgeCommand(report.id, epoch: record.epoch, commandIndex: record.commandCount &- 1))
                }
            case .proposal(let notification):
                pin(&record, report.deployment)
                append(notification.type, notification.payload, to: &record, report.id)
            case .suspended(let future, let entriesSent):
                try suspend(
                    report.id, &record, on: future, entriesSent: entriesSent, version: report.deployment.version)
                invocations.put(record, report.id, store)
                return
            case .ended:
                try end(report.id, &record, with: try output(of: report.id, record))
                return
            case .failed(let failure, let next):
                try fail(report.id, &record, failure, next)
                return
            }
        }
        invocations.put(record, report.id, store)
    }

    /// What the attempt of a paused invocation may still say: the results of the steps that it was in. They are done, and
    /// would be done again after the resume.
    private mutating func finishSteps(
        _ report: AttemptReport, _ record: inout InvocationRecord
    ) throws(StorageError) {
        let results = report.messages.compactMap { if case .proposal(let result) = $0 { result } else { nil } }
        guard !results.isEmpty else { return }
        var open = try openSteps(of: report.id, record)
        for result in results {
            guard case .completion(let step) = result.id, open.remove(step) != nil else { continue }
            append(result.type, result.payload, to: &record, report.id)
        }
        invocations.put(record, report.id, store)
    }

    /// The completions of Run commands that have no result yet.
    private func openSteps(of id: InvocationID, _ record: InvocationRecord) throws(StorageError) -> Set<UInt32> {
        var open: Set<UInt32> = []
        try journals.entries(id, to: record.journalLength, store) { _, entry throws(StorageError) in
            if entry.type == .run,
                case .run(let run)? = try? JournalCommand(type: entry.type, payload: entry.payload)
            {
                open.insert(run.resultCompletionID)
            } else if entry.type == .runCompletion,
                case .completion(let step)? = try? Notification(type: entry.type, payload: entry.payload).id
            {
                open.remove(step)
            }
            return true
        }
        return open
    }

    /// The deployment is fixed with the first thing that it makes durable.
    private func pin(_ record: inout InvocationRecord, _ deployment: PinnedDeployment) {
        if record.pinned == nil { record.pinned = deployment }
    }

    /// The last Output command's result.
    private func output(of id: InvocationID, _ record: InvocationRecord) throws(StorageError) -> Completion {
        guard let index = record.outputIndex, let entry = try journals.entry(id, index: index, store),
            case .output(let output)? = try? JournalCommand(type: entry.type, payload: entry.payload)
        else { return .failure(.endedWithoutOutput) }
        return output.result
    }

    // MARK: - Suspension

    /// Puts the invocation to sleep, unless something that it waits for has come already.
    ///
    /// The decision is made against all notifications that are in the journal now, so that nothing is lost that came
    /// between the SDK's decision and this moment. Signals that can come repeatedly count only if the attempt was not
    /// sent them: else a handler that awaits the same name again would be resumed for ever.
    private mutating func suspend(
        _ id: InvocationID, _ record: inout InvocationRecord, on future: Future, entriesSent: UInt32,
        version: ProtocolVersion
    ) throws(StorageError) {
        let leaves = Set(future.leaves)
        var outcomes: [Notification.ID: Future.Outcome] = [:]
        var openSteps: [UInt32] = []
        try journals.entries(id, to: record.journalLength, store) { index, entry throws(StorageError) in
            if entry.type == .run,
                case .run(let run)? = try? JournalCommand(type: entry.type, payload: entry.payload),
                leaves.contains(.completion(run.resultCompletionID))
            {
                openSteps.append(run.resultCompletionID)
            }
            guard entry.type.isNotification,
                let notification = try? Notification(type: entry.type, payload: entry.payload),
                leaves.contains(notification.id), index >= entriesSent || !notification.id.canRepeat,
                outcomes[notification.id] == nil  // The first one is what SDKs go by.
            else { return true }
            outcomes[notification.id] = notification.result.outcome
            return true
        }
        guard case .waiting(let rest) = future.reduced({ outcomes[$0] }), !rest.waitsOnly(for: openSteps) else {
            return becomeInvoked(id, &record)
        }
        becomeSuspended(id, &record, on: rest, openSteps: openSteps, version: version)
    }

    private mutating func becomeSuspended(
        _ id: InvocationID, _ record: inout InvocationRecord, on future: Future, openSteps: [UInt32],
        version: ProtocolVersion
    ) {
        record.status = .suspended
        record.waitingFor = future
        record.openSteps = openSteps
        record.modified = now
        if version >= .v7 { self.record(.suspended(future), of: id, &record) }
        release(.release(id))
    }

    // MARK: - Failure

    private mutating func fail(
        _ id: InvocationID, _ record: inout InvocationRecord, _ failure: AttemptFailure, _ next: AfterFailure
    ) throws(StorageError) {
        switch next {
        case .retry:
            // `modified` stays: SDKs limit the retries of a step by the time since the journal last grew.
            try recordFailure(id, &record, failure)
            record.epoch &+= 1
            release(.retryLater(id, epoch: record.epoch))
        case .retryStored(let backOff):
            try recordFailure(id, &record, failure)
            record.epoch &+= 1
            becomeBackingOff(id, &record, backOff)
        case .pause:
            becomePaused(id, &record, after: failure)
        case .end:
            try end(
                id, &record, with: .failure(Failure(code: failure.code, message: failure.message)),
                stacktrace: failure.stacktrace)
            return
        }
        invocations.put(record, id, store)
    }

    /// A run of equal failures is one event.
    private mutating func recordFailure(
        _ id: InvocationID, _ record: inout InvocationRecord, _ failure: AttemptFailure
    ) throws(StorageError) {
        if let last = try lastFailure(of: id, record), failure.repeats(last) { return }
        self.record(.transientError(failure), of: id, &record)
        record.hasProgressed = false
    }

    /// The failure that keeps an invocation from going on: nothing came of an attempt since.
    func lastFailure(of id: InvocationID, _ record: InvocationRecord) throws(StorageError) -> AttemptFailure? {
        guard !record.hasProgressed, record.eventCount > 0,
            case .transientError(let failure)? = try journals.event(id, index: record.eventCount - 1, store)?.kind
        else { return nil }
        return failure
    }
}

extension InvocationRecord {
    /// Whether the attempt ran when the invocation was paused, which began an epoch.
    fileprivate func isPaused(during report: AttemptReport) -> Bool {
        status == .paused && report.epoch == epoch &- 1 && report.incarnation == incarnation
    }
}

extension Future {
    /// Whether nobody but the invocation's own next attempt can go on with it: it waits for steps that are open, and
    /// perhaps for being cancelled (rule 8). So does one in which no notification is left.
    func waitsOnly(for openSteps: [UInt32]) -> Bool {
        leaves.allSatisfy { leaf in
            switch leaf {
            case .completion(let completion): openSteps.contains(completion)
            case .signal(let signal): signal == Notification.cancelSignal
            case .namedSignal: false
            }
        }
    }
}

extension Notification.ID {
    /// Whether one invocation can be notified under this id more than once, each time meaning something new.
    var canRepeat: Bool {
        switch self {
        case .completion: false
        case .signal(let index): index == Notification.cancelSignal
        case .namedSignal: true
        }
    }
}
