import HoldfastWire

extension RetryPolicy {
    /// How long to wait after a failed attempt, in milliseconds; nil when no attempt is left.
    ///
    /// Exponential, capped by the maximum interval, and then up to 30 % more: invocations that failed together must not
    /// come back together.
    ///
    /// - Parameters:
    ///   - failures: How many attempts of the series have failed, at least 1.
    ///   - jitter: A random number from 0 up to but not including 1.
    func delay(afterFailures failures: UInt32, jitter: Double) -> UInt64? {
        if let maxAttempts, failures >= max(maxAttempts, 1) { return nil }
        var delay = Double(initialInterval)
        // A loop instead of a power: it ends at the cap, and no factor or count makes it overflow.
        let cap = Double(min(maxInterval ?? RetryPolicy.longestDelay, RetryPolicy.longestDelay))
        var remaining = failures
        while remaining > 1, delay < cap, factor > 1 {
            delay *= factor
            remaining -= 1
        }
        delay = min(delay, cap)
        return UInt64(delay + delay * 0.3 * min(max(jitter, 0), 1))
    }

    /// What no delay exceeds, before the random part, in milliseconds: one year.
    private static let longestDelay: UInt64 = 365 * 24 * 3600 * 1000
}
