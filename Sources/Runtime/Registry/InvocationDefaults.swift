/// What the server's configuration says about settings that no service has, and how far any of them may go.
///
/// Durations in milliseconds. Maximums hold when a value is used, not when it is stored (defaults §6).
struct InvocationDefaults: Sendable, Equatable {
    var inactivityTimeout: UInt64 = 60_000
    var abortTimeout: UInt64 = 600_000
    /// Nil: nothing is kept.
    var journalRetention: UInt64? = 86_400_000
    var idempotencyRetention: UInt64 = 86_400_000
    var workflowCompletionRetention: UInt64 = 86_400_000
    var journalRetentionMax: UInt64?
    var idempotencyRetentionMax: UInt64?
    var workflowCompletionRetentionMax: UInt64?
    var retryPolicy = RetryPolicy(
        initialInterval: 500, factor: 2, maxInterval: 60_000, maxAttempts: 70, onMaxAttempts: .pause)
    /// No handler gets more attempts; nil: no such limit.
    var retryMaxAttemptsMax: UInt32?

    /// What the settings of a handler (over those of its service) amount to.
    func resolve(_ settings: HandlerSettings, mode: ProtocolMode) -> ResolvedSettings {
        ResolvedSettings(
            inactivityTimeout: mode == .requestResponse ? 0 : settings.inactivityTimeout ?? inactivityTimeout,
            abortTimeout: settings.abortTimeout ?? abortTimeout,
            isLazyState: settings.enableLazyState ?? false,
            retryPolicy: resolveRetries(settings),
            journalRetention: (settings.journalRetention ?? journalRetention)
                .map { clamped($0, journalRetentionMax) },
            idempotencyRetention: clamped(
                settings.idempotencyRetention ?? idempotencyRetention, idempotencyRetentionMax),
            workflowCompletionRetention: clamped(
                settings.workflowCompletionRetention ?? workflowCompletionRetention, workflowCompletionRetentionMax))
    }

    private func resolveRetries(_ settings: HandlerSettings) -> RetryPolicy {
        var policy = retryPolicy
        policy.initialInterval = settings.retryInitialInterval ?? policy.initialInterval
        policy.factor = settings.retryFactor.map(Double.init) ?? policy.factor
        policy.maxInterval = settings.retryMaxInterval ?? policy.maxInterval
        policy.maxAttempts = settings.retryMaxAttempts.map { max($0, 1) } ?? policy.maxAttempts
        policy.onMaxAttempts = settings.retryOnMaxAttempts ?? policy.onMaxAttempts
        if let limit = retryMaxAttemptsMax { policy.maxAttempts = min(policy.maxAttempts ?? limit, max(limit, 1)) }
        return policy
    }

    private func clamped(_ value: UInt64, _ maximum: UInt64?) -> UInt64 { maximum.map { min(value, $0) } ?? value }
}

/// Settings with all levels resolved and clamped. Durations in milliseconds.
struct ResolvedSettings: Sendable, Equatable {
    /// 0: the attempt is request/response, whatever the deployment's mode is.
    var inactivityTimeout: UInt64
    var abortTimeout: UInt64
    var isLazyState: Bool
    var retryPolicy: RetryPolicy
    /// Nil: none is configured, which is 0 to everybody but those who read the settings.
    var journalRetention: UInt64?
    var idempotencyRetention: UInt64
    var workflowCompletionRetention: UInt64
}
