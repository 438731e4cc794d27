extension Options {
    static let invoker: [Option] = [
        .field(
            "worker.invoker.inactivity-timeout", .duration, \.invoker.inactivityTimeout,
            "An attempt with nothing to do for so long is asked to suspend; 0 means request/response."),
        .field(
            "worker.invoker.abort-timeout", .duration, \.invoker.abortTimeout,
            "How long after that question an attempt is cut off."),
        .field(
            "worker.invoker.message-size-warning", .byteCount(in: 1024...(1 << 30)), \.invoker.messageSizeWarning,
            "Messages of the service protocol from this size on are logged."),
        .optional(
            "worker.invoker.message-size-limit", .byteCount(in: 1024...(1 << 30)), \.given.invokerMessageSizeLimit,
            "Size of one message of the service protocol (default: networking.message-size-limit)."),
        .field(
            "worker.invoker.concurrent-invocations-limit", .count(in: 1...(1 << 20)),
            \.invoker.concurrentInvocationsLimit, "Attempts at the same time, in the whole server."),
        .optional(
            "worker.invoker.eager-state-size-limit", .bytes, \.given.eagerStateSizeLimit,
            "State that the start of an attempt carries (default: the message size limit); 0: always lazy."),
        .field(
            "worker.invoker.disable-eager-state", .flag, \.given.isEagerStateDisabled,
            "Older way to say eager-state-size-limit = 0."),
        .optional(
            "worker.invoker.per-invocation-memory-limit", .byteCount(in: 1024...(1 << 30)),
            \.given.perInvocationMemoryLimit,
            "Caps the eager state. Journals of any length are read piece by piece, and need no limit."),
        .field(
            "worker.invoker.memory-limit", .byteCount(in: (1 << 20)...(1 << 50)), \.invoker.memoryLimit,
            "Memory of all attempts for messages that are under way; above: RT0001, and another attempt later."),
        .optional(
            "worker.invoker.in-memory-queue-length-limit", .count(in: 1...(1 << 30)), \.invoker.waitingCountLimit,
            "Starts, and back-offs, that wait in memory; more wait on disk (default: 10000 and 4096 per event loop)."),
        .field(
            "worker.invoker.max-awaited-future-depth", .count(in: 1...100_000), \.invoker.awaitedFutureDepthLimit,
            "Levels of futures within futures (protocol version 7); above: RT0025."),
        .field(
            "experimental-enable-protocol-v7", .flag, \.experimental.isProtocolV7Enabled,
            "Choose service protocol version 7 where a deployment offers it."),
        .field(
            "experimental-enable-unique-random-seeds", .flag, \.experimental.areRandomSeedsUnique,
            "Give invocations random seeds that other invocations with the same id do not get."),
    ]

    static let client: [Option] = [
        .field(
            "worker.invoker.connect-timeout", .positiveDuration, \.client.connectTimeout,
            "Time to connect to a deployment; a TLS handshake gets the same again."),
        .field(
            "worker.invoker.http2-keep-alive-interval", .duration, \.client.http2KeepAliveInterval,
            "Between pings on an HTTP/2 connection to a deployment; 0: none."),
        .field(
            "worker.invoker.http2-keep-alive-timeout", .positiveDuration, \.client.http2KeepAliveTimeout,
            "Without an answer to a ping for so long, the connection is closed and its attempts fail."),
        .field(
            "worker.invoker.http2-keep-alive-jitter", .number(in: 0...10), \.client.http2KeepAliveJitter,
            "The part of the interval that is added at random."),
        .optional(
            "worker.invoker.http2-initial-max-send-streams", .count(in: 1...(1 << 20)),
            \.client.http2InitialMaxSendStreams, "Streams assumed to be allowed until the deployment has said so."),
        .field(
            "worker.invoker.http2-streams-per-connection-limit", .count(in: 1...(1 << 20)),
            \.client.http2StreamsPerConnectionLimit,
            "Streams on one connection, whatever the deployment allows; beyond, more connections are opened."),
        .field(
            "worker.invoker.http2-idle-connection-timeout", .duration, \.client.http2IdleConnectionTimeout,
            "After so long an unused HTTP/2 connection is closed; 0: never."),
        .field(
            "worker.invoker.http2-initial-stream-window-size", .bytes, \.client.http2InitialStreamWindowSize,
            "What a stream may receive before it is read."),
        .field(
            "worker.invoker.http2-initial-connection-window-size", .bytes, \.client.http2InitialConnectionWindowSize,
            "What a connection may receive before it is read."),
        .field(
            "worker.invoker.http2-max-frame-size", .bytes, \.client.http2MaxFrameSize, "Size of an HTTP/2 frame."),
        .optional(
            "worker.invoker.request-identity-private-key-pem-file", .text("FILE"), \.client.requestIdentityKeyFile,
            "Ed25519 key (PEM) that signs requests to deployments (default: they are not signed)."),
        .field(
            "worker.invoker.request-identity-expiration", .positiveDuration, \.client.requestIdentityExpiration,
            "How long a signature holds; at least 1 s."),
        .optional(
            "worker.invoker.additional-request-headers", .headers, \.client.additionalRequestHeaders,
            "Headers of all requests to deployments (default: x-restate-cluster-name); replaces the default."),
    ]

    static let defaults: [Option] = [
        .field(
            "default-retry-policy.initial-interval", .positiveDuration, \.defaults.retryPolicy.initialInterval,
            "Delay before the second attempt."),
        .field(
            "default-retry-policy.exponentiation-factor", .number(in: 1...1000),
            \.defaults.retryPolicy.exponentiationFactor, "By which each delay is multiplied for the next one."),
        .field(
            "default-retry-policy.max-interval", .positiveDuration, \.defaults.retryPolicy.maxInterval,
            "No delay is longer."),
        .field(
            "default-retry-policy.max-attempts", .attempts, \.defaults.retryPolicy.maxAttempts,
            "Attempts of an invocation, the first one counted."),
        .field(
            "default-retry-policy.on-max-attempts", .choice, \.defaults.retryPolicy.onMaxAttempts,
            "What happens to an invocation whose last attempt failed."),
        .optional(
            "max-retry-policy-max-attempts", .count(in: 1...Int(UInt32.max)), \.defaults.retryMaxAttemptsMax,
            "No handler gets more attempts (default: no such limit)."),
        .field(
            "default-journal-retention", .duration, \.defaults.journalRetention,
            "How long journals of completed invocations are kept; 0: not at all."),
        .optional(
            "max-journal-retention", .duration, \.defaults.journalRetentionMax,
            "No handler's journals are kept longer (default: no such limit)."),
        .field(
            "default-idempotency-retention", .duration, \.defaults.idempotencyRetention,
            "How long results of invocations with an idempotency key are kept."),
        .optional(
            "max-idempotency-retention", .duration, \.defaults.idempotencyRetentionMax,
            "No handler's results are kept longer (default: no such limit)."),
        .field(
            "default-workflow-completion-retention", .duration, \.defaults.workflowCompletionRetention,
            "How long a completed workflow is kept."),
        .optional(
            "max-workflow-completion-retention", .duration, \.defaults.workflowCompletionRetentionMax,
            "No workflow is kept longer (default: no such limit)."),
    ]
}
