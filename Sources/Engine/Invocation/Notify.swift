import HoldfastServiceProtocol
import HoldfastWire

/// What reaches an invocation from outside its attempt: completions, signals, fired timers (semantics §1.3, §9.1).
extension Transition {
    /// A result that a command waits for. Dropped when that life of the caller has ended (rule 7).
    mutating func complete(_ caller: CallerReference, _ result: Notification.Result) throws(StorageError) {
        guard var record = try invocations.record(caller.id, store), record.incarnation == caller.incarnation,
            record.status.isStarted
        else { return }
        let notification = Notification(type: caller.type, id: .completion(caller.completionID), result: result)
        notify(caller.id, &record, notification)
        invocations.put(record, caller.id, store)
    }

    /// A signal; index 1 is cancellation.
    mutating func signal(_ id: InvocationID, _ notification: Notification) throws(StorageError) {
        if notification.id == .signal(Notification.cancelSignal) {
            _ = try cancel(id)
            return
        }
        guard var record = try invocations.record(id, store), record.status != .completed else { return }
        notify(id, &record, notification)
        invocations.put(record, id, store)
    }

    /// A timer's due time has come. Its row is what makes it fire once.
    mutating func fire(_ timer: TimerKey) throws(StorageError) {
        guard try timers.take(timer, store) else { return }
        guard var record = try invocations.record(timer.id, store), record.incarnation == timer.incarnation else {
            return
        }
        switch timer.kind {
        case .sleep:
            guard record.status.isStarted else { return }
            let completion = Notification(
                type: .sleepCompletion, id: .completion(timer.completionID), result: .void)
            notify(timer.id, &record, completion)
        case .start:
            guard record.status == .scheduled else { return }
            try becomeRunnable(timer.id, &record)
        case .retry:
            guard record.isBackingOff, record.backOff?.due == timer.due else { return }
            endBackOff(timer.id, &record)
        }
        invocations.put(record, timer.id, store)
    }

    /// Appends a notification and does what the status demands: forward, resume, or nothing but remember.
    ///
    /// An invocation that has not started keeps its signals in the journal: its first attempt replays them.
    mutating func notify(_ id: InvocationID, _ record: inout InvocationRecord, _ notification: Notification) {
        append(notification.type, notification.payload, to: &record, id)
        switch record.status {
        case .invoked, .scheduled, .inboxed, .paused, .completed: break
        case .suspended:
            guard let future = record.waitingFor else { return becomeInvoked(id, &record) }
            switch future.reduced(by: notification.id, outcome: notification.result.outcome) {
            case .waiting(let rest) where !rest.waitsOnly(for: record.openSteps): record.waitingFor = rest
            case .resolved, .waiting: becomeInvoked(id, &record)
            }
        }
    }

    /// Appends an entry at the end of the journal; a running attempt hears of it if it is a notification.
    mutating func append(
        _ type: MessageType, _ payload: Bytes, callee: JournalTable.Callee? = nil,
        to record: inout InvocationRecord, _ id: InvocationID
    ) {
        let index = record.journalLength
        // Such a journal takes hundreds of gigabytes; what is beyond it can't be numbered.
        guard index < .max else { return }
        journals.put(
            JournalTable.Entry(type: type, appended: now, callee: callee, payload: payload), id, index: index, store)
        record.journalLength += 1
        record.modified = now
        if type.isNotification, record.status == .invoked {
            release(.forward(id, epoch: record.epoch, index: index, type: type, payload: payload))
        }
    }

    mutating func record(_ kind: JournalEvent.Kind, of id: InvocationID, _ record: inout InvocationRecord) {
        let event = JournalEvent(
            kind: kind, afterIndex: record.journalLength == 0 ? 0 : record.journalLength - 1, appended: now)
        journals.put(event, id, index: record.eventCount, store)
        record.eventCount &+= 1
    }
}
