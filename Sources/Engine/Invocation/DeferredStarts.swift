import HoldfastWire

/// Starts that wait in the store, since the invoker has no room for them.
extension Transition {
    /// The invoker gives a start back: it is taken up again in its turn.
    mutating func deferStart(
        _ id: InvocationID, epoch: UInt32, for deployment: DeploymentID, behind backOff: BackOff?
    ) throws(StorageError) {
        guard var record = try readableRecord(id), record.status == .invoked, record.epoch == epoch,
            record.deferredSequence == 0, record.backOff == nil
        else { return }
        record.deferredSequence = draw()
        deferredStarts.put(id, for: deployment, sequence: record.deferredSequence, store)
        if let backOff { keep(backOff, of: id, &record) }
        invocations.put(record, id, store)
    }

    /// The invoker has room for `limit` starts of a deployment, and has had those up to `previous`.
    mutating func takeUpStarts(
        for deployment: DeploymentID, after previous: UInt64, limit: Int
    ) throws(StorageError) {
        let rows = try deferredStarts.rows(for: deployment, after: previous, limit: limit, store)
        var starts: [AttemptStart] = []
        for row in rows {
            deferredStarts.remove(for: deployment, sequence: row.sequence, store)
            // It ended or was paused meanwhile, and may have begun anew; or it is damaged, and must not block the others.
            guard let id = row.id, var record = try readableRecord(id), record.status == .invoked,
                record.deferredSequence == row.sequence
            else { continue }
            record.deferredSequence = 0
            let backOff = forgetBackOff(of: id, &record)
            invocations.put(record, id, store)
            starts.append(AttemptStart(id, record, input: nil, isNewSeries: backOff == nil, backOff: backOff))
        }
        let last = rows.last?.sequence ?? previous
        release(.startDeferred(starts, for: deployment, last: rows.count < limit ? nil : last))
    }
}
