import HoldfastEngine

/// A handler with all settings resolved: handler, then service, then the server's defaults, clamped (discovery §5.1).
///
/// Computed once when the registry changes: looking one up costs two hash lookups and a retain.
final class ResolvedHandler: Sendable {
    let service: ServiceSchema
    let handler: HandlerSchema
    let isPublic: Bool
    let inactivityTimeout: UInt64
    let abortTimeout: UInt64
    let isLazyState: Bool
    let retryPolicy: RetryPolicy
    let journalRetention: UInt64
    /// Workflow retention for a run handler, else the idempotency retention.
    let keyedCompletionRetention: UInt64

    init(_ handler: HandlerSchema, of service: ServiceSchema, mode: ProtocolMode, defaults: InvocationDefaults) {
        let settings = defaults.resolve(handler.settings.over(service.settings), mode: mode)
        self.service = service
        self.handler = handler
        isPublic = handler.isPublic(in: service)
        inactivityTimeout = settings.inactivityTimeout
        abortTimeout = settings.abortTimeout
        isLazyState = settings.isLazyState
        retryPolicy = settings.retryPolicy
        journalRetention = settings.journalRetention ?? 0
        keyedCompletionRetention =
            handler.kind == .workflowRun ? settings.workflowCompletionRetention : settings.idempotencyRetention
    }

    /// What a new invocation keeps (ingress §8), in milliseconds.
    func retention(hasIdempotencyKey: Bool) -> (completion: UInt64, journal: UInt64) {
        if hasIdempotencyKey || handler.kind == .workflowRun {
            return (keyedCompletionRetention, min(journalRetention, keyedCompletionRetention))
        }
        return (journalRetention, journalRetention)
    }
}
