import Synchronization

/// Bounds the requests in progress in the whole server, calls that wait for their result included (rule 6).
///
/// All event loops share one. A request that is refused is answered with 429 at once.
final class RequestAdmission: Sendable {
    private let limit: Int
    private let count = Atomic<Int>(0)

    init(limit: Int) { self.limit = limit }

    /// Counts a request in; false at the limit. Each one that got in leaves once.
    func enter() -> Bool {
        if count.wrappingAdd(1, ordering: .relaxed).newValue <= limit { return true }
        count.wrappingSubtract(1, ordering: .relaxed)
        return false
    }

    /// A request has its answer, or its client is gone.
    func leave() { count.wrappingSubtract(1, ordering: .relaxed) }
}
