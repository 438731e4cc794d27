import HoldfastServiceProtocol
import HoldfastWire

/// Waiting for an invocation's result, and asking for it (semantics §9.3).
extension Transition {
    mutating func attach(_ id: InvocationID, _ client: RequestID) throws(StorageError) {
        guard let record = try invocations.record(id, store) else {
            release(.answer(client, .unknown(id)))
            return
        }
        attach(id, record, client)
    }

    mutating func attach(_ id: InvocationID, _ record: InvocationRecord, _ client: RequestID) {
        if let result = record.result {
            let result = InvocationResult(id: id, target: record.target, completion: result, expires: record.expires)
            release(.answer(client, .result(result)))
        } else {
            wait(client, for: id)
        }
    }

    /// A command of another invocation attaches, or (not `waiting`) asks for the result.
    mutating func attach(_ id: InvocationID, _ caller: CallerReference, waiting: Bool) throws(StorageError) {
        guard let record = try invocations.record(id, store) else {
            send(.complete(caller, .failure(.notFound)), to: caller.id)
            return
        }
        try attach(id, record, caller, waiting: waiting)
    }

    mutating func attach(
        _ id: InvocationID, _ record: InvocationRecord, _ caller: CallerReference, waiting: Bool
    ) throws(StorageError) {
        if let result = record.result {
            send(.complete(caller, Notification.Result(result)), to: caller.id)
        } else if !waiting {
            send(.complete(caller, .void), to: caller.id)
        } else if record.caller != caller {
            journals.put(caller, of: id, store)
            guard !record.hasMoreCallers else { return }
            var record = record
            record.hasMoreCallers = true
            invocations.put(record, id, store)
        }
    }

    mutating func output(_ id: InvocationID, _ client: RequestID) throws(StorageError) {
        guard let record = try invocations.record(id, store) else {
            release(.answer(client, .unknown(id)))
            return
        }
        if let result = record.result {
            let result = InvocationResult(id: id, target: record.target, completion: result, expires: record.expires)
            release(.answer(client, .result(result)))
        } else {
            release(.answer(client, .notCompleted(id)))
        }
    }

    func wait(_ client: RequestID, for id: InvocationID) {
        partition.addWaiter(client, for: id)
    }

    func forget(_ id: InvocationID, _ client: RequestID) {
        partition.removeWaiters(of: id, only: client)
    }
}
