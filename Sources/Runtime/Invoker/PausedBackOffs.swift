import HoldfastWire

/// What was known of invocations when they were stopped while they backed off: whoever paused one goes on seeing why.
///
/// The last failure of each is in the store too, as an event; the rest is kept while that is cheap. Of those that were
/// not paused but killed, nothing is shown, because the store knows better.
struct PausedBackOffs {
    /// How many are remembered; one more, and all are forgotten.
    private static let countMax = 10_000

    private var known: [InvocationID: LiveInvocation] = [:]

    /// All of them, in no order.
    var all: some Collection<LiveInvocation> { known.values }

    /// Remembers an invocation that was stopped, if it backed off.
    mutating func stopped(_ invocation: LiveInvocation) {
        guard !invocation.isInFlight, invocation.nextRetry != nil else { return }
        if known.count >= Self.countMax { known.removeAll() }
        known[invocation.id] = invocation
        known[invocation.id]?.isStopped = true
    }

    /// The invocation goes on: what is known of it is in its series of attempts again.
    mutating func started(_ id: InvocationID) { known[id] = nil }
}
