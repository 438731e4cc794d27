extension Options {
    /// Options of a Restate server that mean nothing here, so that its configuration files, containers and test harnesses
    /// work unchanged. One line at the start lists those that were set. A name that ends in a dot or a hyphen stands for
    /// all that begin with it. Names: defaults §2 to §14, rows marked h, i and x that are not in the table above.
    static let ignored: [String] = [
        "bind-port", "bind-address", "advertised-host", "advertised-address", "listen-mode", "location",
        "force-node-id",
        "roles", "auto-provision", "default-replication", "initialization-timeout", "default-thread-stack-size",
        "disable-telemetry", "disable-config-sql-table", "hlc-max-drift", "metadata-update-interval",
        "metadata-fetch-from-peer-timeout", "network-error-retry-policy", "tls.", "tokio-console-bind-address",
        "ingress.listen-mode", "ingress.use-random-ports", "ingress.advertised-host", "ingress.kafka-clusters",
        "ingress.ingestion.", "admin.listen-mode", "admin.use-random-ports", "admin.advertised-host",
        "admin.heartbeat-interval", "admin.query-engine.", "admin.storage-accounting-update-interval",
        "worker.internal-queue-length", "worker.self-proposal-queue-memory-limit",
        "worker.data-service-memory-limit", "worker.durability-mode", "worker.trim-delay-interval", "worker.shuffle.",
        "worker.rule-book-poll-interval", "worker.snapshots.", "worker.storage.",
        "worker.max-command-batch-bytes", "worker.invoker.tmp-dir",
        "worker.invoker.per-invocation-initial-memory", "worker.invoker.invocation-throttling.",
        "worker.invoker.action-throttling.", "worker.invoker.http2-data-frame-budget", "worker.invoker.http-proxy",
        "worker.invoker.no-proxy", "worker.invoker.aws-", "worker.invoker.request-compression-threshold",
        "invocation-yield-threshold", "networking.", "rocksdb-", "storage-high-priority-bg-threads",
        "storage-low-priority-bg-threads", "process-total-memory-size", "log-disable-ansi-codes", "tracing-",
        "disable-prometheus", "experimental-", "disable-controlled-idempotent-sharding", "metadata-client.",
        "metadata-server.", "bifrost.", "log-server.", "gossip-",
    ]

    /// Names from the top level that older servers used for the client towards deployments; they win (defaults §7).
    static let clientAliases: [String: String] = [
        "http-keep-alive-options.interval": "worker.invoker.http2-keep-alive-interval",
        "http-keep-alive-options.timeout": "worker.invoker.http2-keep-alive-timeout",
        "http-keep-alive-options.jitter": "worker.invoker.http2-keep-alive-jitter",
        "initial-max-send-streams": "worker.invoker.http2-initial-max-send-streams",
    ]

    /// True for options that may also be written at the top level.
    static func isClientOption(_ key: String) -> Bool { client.contains { $0.key == key } }

    /// True for an option that is known, but means nothing here.
    static func isIgnored(_ key: String) -> Bool {
        ignored.contains { $0.hasSuffix(".") || $0.hasSuffix("-") ? key.hasPrefix($0) : key == $0 }
    }
}
