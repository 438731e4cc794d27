import HoldfastWire

/// The starts that found no room in the invoker, one queue for each deployment, in the order in which they arrived.
///
/// An attempt cannot be opened for each of a million invocations at once, nor can a million starts wait in memory: the
/// rest waits here (rules 5 and 6). Which deployment a row is filed under decides its turn only: where the attempt runs
/// is decided when it starts.
///
///     partition · 0x28 · deployment (16) · sequence (8)   →   invocation id (24)
///
/// A row counts while its invocation's record names its sequence; what ended meanwhile leaves its row to whoever reads
/// it next. Cost: put 1 write; first 1 seek, and a read and a write per row.
struct DeferredStartTable {
    let partition: PartitionIndex

    func put(_ id: InvocationID, for deployment: DeploymentID, sequence: UInt64, _ store: any Transaction) {
        store.put(.queues, key(deployment, sequence), id.bytes[...])
    }

    func remove(for deployment: DeploymentID, sequence: UInt64, _ store: any Transaction) {
        store.delete(.queues, key(deployment, sequence))
    }

    /// The rows of a deployment behind `previous`, at most `limit`; the id is nil where it cannot be decoded.
    func rows(
        for deployment: DeploymentID, after previous: UInt64, limit: Int, _ store: any ReadableStore
    ) throws(StorageError) -> [(sequence: UInt64, id: InvocationID?)] {
        var rows: [(UInt64, InvocationID?)] = []
        guard limit > 0, previous < .max else { return rows }
        let from = key(deployment, previous + 1)
        try store.scan(.queues, from: from, to: prefix(deployment).end) { key, value throws(StorageError) in
            guard let sequence = UInt64(bigEndian: key.suffix(8)) else { throw .damagedKey(key) }
            rows.append((sequence, InvocationID(bytes: value)))
            return rows.count < limit
        }
        return rows
    }

    /// The deployments that have rows. Cost: one seek for each.
    func deployments(_ store: any ReadableStore) throws(StorageError) -> [DeploymentID] {
        var deployments: [DeploymentID] = []
        let all = Key(partition, tag: .deferredStart)
        var from = all.bytes
        while true {
            var found: DeploymentID?
            try store.scan(.queues, from: from, to: all.end) { key, _ throws(StorageError) in
                guard let deployment = DeploymentID(bytes: key.dropFirst(3).prefix(16)) else { throw .damagedKey(key) }
                found = deployment
                return false
            }
            guard let found else { return deployments }
            deployments.append(found)
            from = prefix(found).end
        }
    }

    private func prefix(_ deployment: DeploymentID) -> Key {
        var key = Key(partition, tag: .deferredStart)
        key.append(rest: deployment.bytes[...])
        return key
    }

    private func key(_ deployment: DeploymentID, _ sequence: UInt64) -> [UInt8] {
        var key = prefix(deployment)
        key.append(sequence)
        return key.bytes
    }
}
