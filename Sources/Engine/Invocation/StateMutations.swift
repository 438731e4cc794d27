import HoldfastWire

/// Operators' changes of a key's state (semantics §2, admin §5.3).
extension Transition {
    /// Queues the mutation behind what the object's inbox holds; workflows have no lock to wait for.
    mutating func mutate(_ mutation: StateMutation) throws(StorageError) {
        if !mutation.isWorkflow, try locks.lock(of: mutation.object, store) != nil {
            inboxes.put(.mutation(mutation), for: mutation.object, sequence: draw(), store)
        } else {
            try applyMutation(mutation)
        }
    }

    /// Replaces the state, unless it is not of the version that the operator has seen: then nothing happens.
    func applyMutation(_ mutation: StateMutation) throws(StorageError) {
        if let expected = mutation.expectedVersion, try version(of: mutation.object) != expected { return }
        try states.clearAll(in: mutation.object, store)
        for (key, value) in mutation.entries { states.put(value, for: key, in: mutation.object, store) }
    }

    /// The digest that clients compute themselves: SHA-256 over the entries in key order, as URL-safe base64.
    private func version(of object: ObjectID) throws(StorageError) -> String {
        var digested: [UInt8] = []
        var index: UInt64 = 0
        try states.entries(of: object, store) { key, value in
            digested.append(bigEndian: index)
            digested.append(0x01)
            digested.append(contentsOf: key)
            digested.append(0x02)
            digested.append(contentsOf: value)
            digested.append(0x03)
            index += 1
            return true
        }
        return Base64URL.encode(sha256(digested[...]))
    }
}
