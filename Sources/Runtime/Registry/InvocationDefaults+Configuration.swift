extension InvocationDefaults {
    /// What a configuration says.
    init(_ configuration: Configuration) {
        let defaults = configuration.defaults
        self.init()
        inactivityTimeout = configuration.invoker.inactivityTimeout.wholeMilliseconds
        abortTimeout = configuration.invoker.abortTimeout.wholeMilliseconds
        let journal = defaults.journalRetention.wholeMilliseconds
        journalRetention = journal == 0 ? nil : journal
        idempotencyRetention = defaults.idempotencyRetention.wholeMilliseconds
        workflowCompletionRetention = defaults.workflowCompletionRetention.wholeMilliseconds
        journalRetentionMax = defaults.journalRetentionMax?.wholeMilliseconds
        idempotencyRetentionMax = defaults.idempotencyRetentionMax?.wholeMilliseconds
        workflowCompletionRetentionMax = defaults.workflowCompletionRetentionMax?.wholeMilliseconds
        retryPolicy = RetryPolicy(
            initialInterval: defaults.retryPolicy.initialInterval.wholeMilliseconds,
            factor: defaults.retryPolicy.exponentiationFactor,
            maxInterval: defaults.retryPolicy.maxInterval.wholeMilliseconds,
            maxAttempts: defaults.retryPolicy.maxAttempts.map { UInt32(clamping: $0) },
            onMaxAttempts: defaults.retryPolicy.onMaxAttempts == .kill ? .kill : .pause)
        retryMaxAttemptsMax = defaults.retryMaxAttemptsMax.map { UInt32(clamping: $0) }
    }
}
