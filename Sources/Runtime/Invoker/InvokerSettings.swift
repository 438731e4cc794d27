import HoldfastServiceProtocol

/// What the configuration says to one invoker. Sizes in bytes.
struct InvokerSettings {
    var messageSizeLimit = 32 << 20
    /// What stands around a body or a result that has just the size that is allowed.
    private static let messageSizeTolerance = 256 << 10
    var messageSizeWarning = 10 << 20
    var eagerStateSizeLimit = 32 << 20
    var futureDepthLimit = 1000
    /// Attempts that may be open at the same time on this loop.
    var attemptCountLimit = 1000
    /// Starts that wait for a slot in memory; those beyond wait in the store.
    var waitingCountLimit = 10_000
    /// Invocations that back off in memory; those beyond wait in the store.
    var backOffCountLimit = 4096
    /// What all attempts together may hold of messages that are under way.
    var memoryLimit = 1536 << 20
    var newestVersion = ProtocolVersion.v6
    /// Sent with every request, names in lower case.
    var additionalHeaders: [(name: String, value: String)] = []
    var scopes = CalleeResolver.ScopeRules()

    init() {}

    /// The configuration's values, each loop having its share of what is limited for the whole server.
    init(_ configuration: Configuration, loopCount: Int) {
        messageSizeLimit = configuration.invoker.messageSizeLimit + Self.messageSizeTolerance
        messageSizeWarning = configuration.invoker.messageSizeWarning
        eagerStateSizeLimit = configuration.invoker.eagerStateSizeLimit
        futureDepthLimit = configuration.invoker.awaitedFutureDepthLimit
        let loops = max(loopCount, 1)
        attemptCountLimit = (configuration.invoker.concurrentInvocationsLimit + loops - 1) / loops
        memoryLimit = configuration.invoker.memoryLimit / loops
        if let limit = configuration.invoker.waitingCountLimit {
            waitingCountLimit = (limit + loops - 1) / loops
            backOffCountLimit = waitingCountLimit
        }
        newestVersion = configuration.experimental.isProtocolV7Enabled ? .v7 : .v6
        additionalHeaders = (configuration.client.additionalRequestHeaders ?? []).map { ($0.name, $0.value) }
    }
}
