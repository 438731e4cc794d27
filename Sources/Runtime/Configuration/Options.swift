import HoldfastWire

/// The table of options: the one place that knows their names, bounds and help.
///
/// docs/configuration.md is generated from it (`holdfast serve --dump-options`), and a test holds the two against each
/// other. Names and defaults: defaults §2 to §13.
enum Options {
    /// All options, in the order of the documentation.
    static let all: [Option] = server + ingress + admin + partitions + invoker + client + defaults + storage + log

    static let server: [Option] = [
        .field(
            "base-dir", flags: ["--data", "--base-dir"], .text("DIR"), \.dataDirectory,
            "Folder of the store; made when it is not there. One process at a time."),
        .optional(
            "default-num-partitions",
            flags: ["--partitions", "--default-num-partitions", "--bootstrap-num-partitions"],
            .count(in: 1...4096), \.partitionCount,
            "Partitions of a new data directory (default: one per core); an old one keeps its own."),
        .optional(
            "default-thread-pool-size", flags: ["--threads"], .count(in: 1...1024), \.loopCount,
            "Event loops, hence threads (default: one per core)."),
        .field(
            "cluster-name", flags: ["--cluster-name"], .text("NAME"), \.clusterName,
            "Shown in /cluster-health, and sent to deployments as x-restate-cluster-name."),
        .field(
            "node-name", flags: ["--node-name"], .text("NAME"), \.nodeName, "Name of this server in logs and metrics."),
        .field(
            "shutdown-timeout", flags: ["--shutdown-timeout"], .positiveDuration, \.shutdownTimeout,
            "How long a stopping server waits for what is under way."),
        .optional(
            "bind-ip", flags: ["--bind-ip"], .ipAddress, \.given.bindIP,
            "Interface of all listeners that say nothing themselves; [::] is every one."),
        .field(
            "use-random-ports", flags: ["--use-random-ports"], .flag, \.given.usesRandomPorts,
            "Listen on any free port wherever no port is set."),
        .field(
            "networking.message-size-limit", .byteCount(in: 1024...(1 << 30)), \.messageSizeLimit,
            "Default and upper bound of all size limits of requests and messages."),
    ]

    static let ingress: [Option] = [
        .optional(
            "ingress.bind-address", flags: ["--ingress"], .address(defaultPort: 8080), \.given.ingressAddress,
            "Where clients call (default: 127.0.0.1:8080)."),
        .optional("ingress.bind-ip", .ipAddress, \.given.ingressIP, "Interface of the ingress."),
        .optional("ingress.bind-port", .count(in: 0...65_535), \.given.ingressPort, "Port of the ingress; 0: any."),
        .optional(
            "ingress.advertised-address", .url, \.ingress.advertisedAddress,
            "URL of the ingress in /version and OpenAPI documents (default: the bound address)."),
        .optional(
            "ingress.advertised-ingress-endpoint", .url, \.given.ingressEndpoint,
            "Older name of ingress.advertised-address; wins where both are set."),
        .optional(
            "ingress.request-size-limit", .byteCount(in: 1...(1 << 30)), \.given.requestSizeLimit,
            "Size of a request's body (default: networking.message-size-limit); above: 413."),
        .optional(
            "ingress.concurrent-api-requests-limit", .count(in: 1...(1 << 30)), \.ingress.concurrentRequestsLimit,
            "Requests in progress, waiting calls included (default: unlimited); above: 429."),
        .field(
            "ingress.http2-max-concurrent-streams", .count(in: 1...(1 << 20)), \.ingress.http2MaxConcurrentStreams,
            "Streams that one HTTP/2 connection may have open."),
    ]

    static let admin: [Option] = [
        .optional(
            "admin.bind-address", flags: ["--admin"], .address(defaultPort: 9070), \.given.adminAddress,
            "Where operators call (default: 127.0.0.1:9070)."),
        .optional("admin.bind-ip", .ipAddress, \.given.adminIP, "Interface of the admin API."),
        .optional("admin.bind-port", .count(in: 0...65_535), \.given.adminPort, "Port of the admin API; 0: any."),
        .optional(
            "admin.advertised-address", .url, \.admin.advertisedAddress,
            "URL of the admin API (default: the bound address)."),
        .optional(
            "admin.advertised-admin-endpoint", .url, \.given.adminEndpoint,
            "Older name of admin.advertised-address; wins where both are set."),
        .optional(
            "admin.concurrent-api-requests-limit", .count(in: 1...(1 << 30)), \.admin.concurrentRequestsLimit,
            "Requests in progress (default: unlimited); above: 429."),
        .field(
            "admin.deployment-routing-headers", .names, \.admin.deploymentRoutingHeaders,
            "Headers that tell deployments of equal address apart."),
        .field("admin.disable-web-ui", .flag, \.admin.isWebUIDisabled, "Serve no pages under /ui/."),
    ]

    static let partitions: [Option] = [
        .field(
            "worker.cleanup-interval", .positiveDuration, \.partitions.cleanupInterval,
            "How often expired completed invocations are looked for and removed."),
        .optional(
            "worker.num-timers-in-memory-limit", .count(in: 1...(1 << 30)), \.partitions.timersInMemoryLimit,
            "Timers in memory per partition; the others wait on disk (default: the program's own bound)."),
        .field(
            "worker.max-command-batch-size", .count(in: 1...(1 << 20)), \.partitions.commandBatchCountLimit,
            "Commands that a partition takes into one commit."),
    ]

    static let storage: [Option] = [
        .optional(
            "rocksdb-total-memory-size", raw: ["MEMORY_LIMIT"], .bytes, \.storage.memorySize,
            "Memory of the store: block cache and memtables (default: 56 MiB). Small values are raised."),
        .field(
            "rocksdb-total-memtables-ratio", .number(in: 0...1), \.storage.memtablesRatio,
            "The part of it that memtables may take."),
    ]

    static let log: [Option] = [
        .field(
            "log-filter", flags: ["--log-level", "--log-filter"], raw: ["RUST_LOG"], .logLevel, \.log.level,
            "Least severe level that is written: trace, debug, info, warn, error or off."),
        .field(
            "log-format", flags: ["--log-format"], .logFormat, \.log.format,
            "Log lines as text or json; pretty and compact mean text."),
    ]
}

extension OptionKind where Value == String {
    /// An IP address; brackets around IPv6 are taken off.
    static let ipAddress = OptionKind(
        placeholder: "IP",
        read: { (value) throws(OptionFault) in
            guard let text = value.string, let address = NetworkAddress(text, defaultPort: 0), address.port == 0 else {
                throw OptionFault("expected an IP address, such as 127.0.0.1 or ::")
            }
            return address.host
        },
        show: { $0 })
}

extension OptionKind where Value == Log.Level {
    /// A level, or a filter of which our part counts.
    static let logLevel = OptionKind(
        placeholder: "LEVEL",
        read: { (value) throws(OptionFault) in
            guard let level = value.string.flatMap(Log.Level.init(filter:)) else {
                throw OptionFault("expected trace, debug, info, warn, error, off, or a list such as warn,holdfast=info")
            }
            return level
        },
        show: { "\($0)" })
}

extension OptionKind where Value == Log.Format {
    /// Two formats under four names.
    static let logFormat = OptionKind(
        placeholder: "text|json",
        read: { (value) throws(OptionFault) in
            switch value.string?.lowercased() {
            case "text", "pretty", "compact": return .text
            case "json": return .json
            default: throw OptionFault("expected 'text' or 'json'")
            }
        },
        show: { $0.rawValue })
}
