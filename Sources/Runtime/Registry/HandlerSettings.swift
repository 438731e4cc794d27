/// Settings of a service or a handler; nil: as the level above says (discovery §5.1). Durations in milliseconds.
struct HandlerSettings: Sendable, Equatable {
    var inactivityTimeout: UInt64?
    var abortTimeout: UInt64?
    var journalRetention: UInt64?
    var idempotencyRetention: UInt64?
    var workflowCompletionRetention: UInt64?
    var enableLazyState: Bool?
    var retryInitialInterval: UInt64?
    var retryMaxInterval: UInt64?
    var retryMaxAttempts: UInt32?
    var retryFactor: Float?
    var retryOnMaxAttempts: OnMaxAttempts?

    /// No setting at all.
    init() {}

    /// These settings, and those of `base` where there are none.
    func over(_ base: HandlerSettings) -> HandlerSettings {
        var merged = base
        merged.inactivityTimeout = inactivityTimeout ?? base.inactivityTimeout
        merged.abortTimeout = abortTimeout ?? base.abortTimeout
        merged.journalRetention = journalRetention ?? base.journalRetention
        merged.idempotencyRetention = idempotencyRetention ?? base.idempotencyRetention
        merged.workflowCompletionRetention = workflowCompletionRetention ?? base.workflowCompletionRetention
        merged.enableLazyState = enableLazyState ?? base.enableLazyState
        merged.retryInitialInterval = retryInitialInterval ?? base.retryInitialInterval
        merged.retryMaxInterval = retryMaxInterval ?? base.retryMaxInterval
        merged.retryMaxAttempts = retryMaxAttempts ?? base.retryMaxAttempts
        merged.retryFactor = retryFactor ?? base.retryFactor
        merged.retryOnMaxAttempts = retryOnMaxAttempts ?? base.retryOnMaxAttempts
        return merged
    }
}

/// What happens when the last attempt has failed.
enum OnMaxAttempts: String, Sendable {
    case pause = "Pause"
    case kill = "Kill"
}

/// How failed attempts are retried, with all levels resolved.
struct RetryPolicy: Sendable, Equatable {
    /// Milliseconds.
    var initialInterval: UInt64
    var factor: Double
    var maxInterval: UInt64?
    /// Counts the first attempt; nil: unlimited.
    var maxAttempts: UInt32?
    var onMaxAttempts: OnMaxAttempts
}
