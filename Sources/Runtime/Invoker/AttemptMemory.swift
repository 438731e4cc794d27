/// The memory of all attempts of an event loop: what they have received of unfinished messages, and what their
/// deployments have not taken yet.
///
/// Each attempt may have a little in any case (`reserve`), so that those with small messages never notice the ones with
/// large ones; only what is beyond counts (rule 6).
struct AttemptMemory {
    /// What an attempt has that is not counted, in bytes.
    static let reserve = 32 << 10

    /// Bytes that all attempts together may have beyond their reserves.
    let limit: Int
    private(set) var used = 0

    init(limit: Int) { self.limit = limit }

    /// An attempt's memory has changed.
    ///
    /// - Returns: False if it grew and there is no room for it.
    mutating func changed(from old: Int, to new: Int) -> Bool {
        let growth = max(new - Self.reserve, 0) - max(old - Self.reserve, 0)
        used += growth
        return growth <= 0 || used <= limit
    }
}
