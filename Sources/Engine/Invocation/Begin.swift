import HoldfastServiceProtocol
import HoldfastWire

/// How an invocation comes to life (semantics §1.2, §3), and how it becomes `invoked`.
extension Transition {
    mutating func invoke(_ request: InvokeRequest, _ caller: Caller) throws(StorageError) {
        if let record = try invocations.record(request.id, store) {
            try join(request.id, record, caller)
            return
        }
        var record = InvocationRecord(request, incarnation: draw(), now: now)
        record.remains = try takeOverRemains(of: request.id)
        append(.input, request.input, to: &record, request.id)
        record.commandCount = 1
        switch caller {
        case .none, .sender: break
        case .client(let client): wait(client, for: request.id)
        case .invocation(let reference): record.caller = reference
        }
        if let time = request.executionTime {
            becomeScheduled(request.id, &record, at: time)
        } else {
            try becomeRunnable(request.id, &record, input: request.input)
        }
        invocations.put(record, request.id, store)
        if case .sender(let client) = caller {
            release(.answer(client, .submitted(request.id, executionTime: request.executionTime, isNew: true)))
        }
    }

    /// A request for an id that exists: nothing is created, and the caller gets the one result that there is.
    private mutating func join(_ id: InvocationID, _ record: InvocationRecord, _ caller: Caller) throws(StorageError) {
        let isRun = record.target.kind == .workflowRun
        switch caller {
        case .none: break
        case .sender(let client):
            let isWaiting = record.status == .scheduled || record.status == .inboxed
            let time = isWaiting ? record.executionTime : nil
            release(.answer(client, .submitted(id, executionTime: time, isNew: false)))
        case .client(let client):
            if isRun {
                let refusal = InvocationResult(
                    id: id, target: record.target, completion: .failure(.workflowAlreadyInvoked))
                release(.answer(client, .result(refusal)))
            } else {
                attach(id, record, client)
            }
        case .invocation(let reference):
            if isRun {
                send(.complete(reference, .failure(.workflowAlreadyInvoked)), to: reference.id)
            } else {
                try attach(id, record, reference, waiting: true)
            }
        }
    }

    private mutating func becomeScheduled(_ id: InvocationID, _ record: inout InvocationRecord, at time: Timestamp) {
        record.status = .scheduled
        record.scheduled = now
        let timer = TimerKey(due: time, kind: .start, id: id, incarnation: record.incarnation)
        timers.put(timer, store)
        release(.setTimer(timer))
    }

    /// The start time has come, or there was none: the invocation starts, or queues up for its virtual object.
    mutating func becomeRunnable(
        _ id: InvocationID, _ record: inout InvocationRecord, input: Bytes? = nil
    ) throws(StorageError) {
        if record.target.kind == .objectExclusive {
            if try locks.lock(of: record.target.object, store) != nil {
                becomeInboxed(id, &record)
                return
            }
            let lock = LockTable.Lock(holder: id, inboxStart: partition.lastDrawn)
            locks.put(lock, on: record.target.object, store)
        }
        becomeInvoked(id, &record, input: input)
    }

    private mutating func becomeInboxed(_ id: InvocationID, _ record: inout InvocationRecord) {
        record.status = .inboxed
        record.inboxed = now
        record.modified = now
        record.inboxSequence = draw()
        inboxes.put(.invocation(id), for: record.target.object, sequence: record.inboxSequence, store)
    }

    /// A series of attempts begins, under the next epoch.
    mutating func becomeInvoked(_ id: InvocationID, _ record: inout InvocationRecord, input: Bytes? = nil) {
        record.status = .invoked
        record.waitingFor = nil
        record.openSteps = []
        record.modified = now
        record.epoch &+= 1
        if record.running == nil { record.running = now }
        record.deferredSequence = 0
        forgetBackOff(of: id, &record)
        release(.startAttempt(AttemptStart(id, record, input: input, isNewSeries: true)))
    }

    /// The invoker wants to start: after a back-off, when a slot came free, or after a restart of the process.
    mutating func startAttempt(_ id: InvocationID, epoch: UInt32) throws(StorageError) {
        // It was paused, killed or resumed meanwhile, and the action of that says what to do; or its turn will come.
        guard var record = try invocations.record(id, store), record.status == .invoked, record.epoch == epoch,
            record.deferredSequence == 0
        else { return }
        if record.isBackingOff {
            endBackOff(id, &record)
            invocations.put(record, id, store)
        } else {
            release(.startAttempt(AttemptStart(id, record, input: nil, isNewSeries: false)))
        }
    }

    // MARK: - The virtual object's lock

    /// The owner has ended: applies state mutations that come next in the inbox, and starts the next invocation.
    mutating func releaseLock(of object: ObjectID) throws(StorageError) {
        let start = try locks.lock(of: object, store)?.inboxStart ?? 0
        while let (entry, sequence) = try inboxes.first(for: object, after: start, store) {
            inboxes.remove(for: object, sequence: sequence, store)
            switch entry {
            case .mutation(let mutation): try applyMutation(mutation)
            case .invocation(let id):
                // In a damaged store a record may be gone or unreadable: it must not block the object.
                guard var record = try readableRecord(id), record.status == .inboxed else { continue }
                locks.put(LockTable.Lock(holder: id, inboxStart: sequence), on: object, store)
                becomeInvoked(id, &record)
                invocations.put(record, id, store)
                return
            }
        }
        locks.unlock(object, store)
    }
}

extension AttemptStart {
    init(
        _ id: InvocationID, _ record: InvocationRecord, input: Bytes?, isNewSeries: Bool, backOff: BackOff? = nil
    ) {
        self.init(
            id: id, epoch: record.epoch, incarnation: record.incarnation, target: record.target,
            pinned: record.pinned, journalLength: record.journalLength, commandCount: record.commandCount,
            input: record.journalLength == 1 ? input : nil, modified: record.modified,
            idempotencyKey: record.idempotencyKey, limitKey: record.limitKey, isNewSeries: isNewSeries,
            randomSeed: record.randomSeed, backOff: backOff)
    }
}

extension Failure {
    /// A workflow runs once per key; a second call does not join it (semantics §3).
    static let workflowAlreadyInvoked = Failure(code: 409, message: "the workflow method was already invoked")
    /// What attach and output say of an id that nothing is known of (semantics §9.3).
    static let notFound = Failure(code: 404, message: "not found")
    /// An operator ended it (semantics §8.2).
    static let killed = Failure(code: 409, message: "killed")
    /// Cancelled before it started (semantics §8.1).
    static let cancelled = Failure(code: 409, message: "canceled")
    /// A promise is completed once (semantics §4).
    static let promiseAlreadyCompleted = Failure(code: 409, message: "promise was already completed")
    /// The SDK said that the handler ended, and never what came out (semantics §1.4).
    static let endedWithoutOutput = Failure(
        code: 500, message: "the handler ended without an output: the SDK sent End and no Output command before it")
}
