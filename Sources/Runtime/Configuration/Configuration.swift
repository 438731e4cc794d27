/// Everything that a person can set about a server, with the built-in defaults.
///
/// `Options` is the table of names, bounds and help behind the fields; `Configuration.load` fills them from a TOML file,
/// the environment and the command line. Specification: defaults.
public struct Configuration: Sendable, Equatable {
    /// Where the store lives; made when it is not there. Option `base-dir`.
    public var dataDirectory = "./holdfast-data"
    /// Shown in `/cluster-health`, and sent to deployments as `x-restate-cluster-name`.
    public var clusterName = "localcluster"
    /// The name of this server in logs and metrics.
    public var nodeName = "holdfast"
    /// How many partitions a data directory gets when it is made; nil: as many as cores. Ignored afterwards.
    public var partitionCount: Int?
    /// Event loops, hence threads; nil: as many as cores.
    public var loopCount: Int?
    /// How long a stopping server waits for what is under way.
    public var shutdownTimeout = Duration.seconds(60)
    /// The root of all size limits, in bytes.
    public var messageSizeLimit = 32 << 20

    /// What clients call.
    public var ingress = Ingress()
    /// What operators call.
    public var admin = Admin()
    /// Timers, retention, batches.
    public var partitions = Partitions()
    /// Attempts.
    public var invoker = Invoker()
    /// The HTTP client towards deployments.
    public var client = Client()
    /// What holds for services and handlers that say nothing themselves.
    public var defaults = Defaults()
    /// The store's memory.
    public var storage = Storage()
    /// Log lines.
    public var log = LogSettings()
    /// Switches of features that are not on by themselves.
    public var experimental = Experimental()

    /// What was set, where the field in force depends on more than one option.
    var given = Given()

    /// Listening for all loopback clients on the ports that Restate uses.
    public init() {}

    /// Settings of the ingress.
    public struct Ingress: Sendable, Equatable {
        /// Where to listen.
        public var address = NetworkAddress(host: "127.0.0.1", port: 8080)
        /// The URL that `/version` and OpenAPI documents show; nil: made from the bound address.
        public var advertisedAddress: String?
        /// Bytes of a request's body; above: 413.
        public var requestSizeLimit = 32 << 20
        /// Requests in progress, waiting calls included; above: 429. Nil: no limit.
        public var concurrentRequestsLimit: Int?
        /// Streams that one HTTP/2 connection may have open.
        public var http2MaxConcurrentStreams = 200
    }

    /// Settings of the admin API.
    public struct Admin: Sendable, Equatable {
        /// Where to listen.
        public var address = NetworkAddress(host: "127.0.0.1", port: 9070)
        /// The URL that is shown for the admin API; nil: made from the bound address.
        public var advertisedAddress: String?
        /// Requests in progress; above: 429. Nil: no limit.
        public var concurrentRequestsLimit: Int?
        /// Headers, in lower case, that tell deployments of equal address apart.
        public var deploymentRoutingHeaders: [String] = []
        /// True: no pages under `/ui/`.
        public var isWebUIDisabled = false
    }

    /// Settings of the partitions.
    public struct Partitions: Sendable, Equatable {
        /// How often expired completed invocations are looked for.
        public var cleanupInterval = Duration.seconds(3600)
        /// Timers held in memory per partition; the others wait on disk. Nil: the program's own bound.
        public var timersInMemoryLimit: Int?
        /// Commands that a partition takes into one commit.
        public var commandBatchCountLimit = 1024
    }

    /// Settings of attempts.
    public struct Invoker: Sendable, Equatable {
        /// An attempt that has nothing to do for that long is asked to suspend; 0: request/response.
        public var inactivityTimeout = Duration.seconds(60)
        /// How long after that question an attempt is cut off.
        public var abortTimeout = Duration.seconds(600)
        /// Bytes of a message of the service protocol from which on it is logged.
        public var messageSizeWarning = 10 << 20
        /// Bytes of a message of the service protocol; above: the attempt fails with RT0003.
        public var messageSizeLimit = 32 << 20
        /// Attempts at the same time, in the whole server.
        public var concurrentInvocationsLimit = 1000
        /// Starts that wait in memory for their attempt, in the whole server; nil: the program's own bound.
        public var waitingCountLimit: Int?
        /// Bytes that all attempts together may hold of messages that are under way.
        public var memoryLimit = 1536 << 20
        /// Bytes of state that the start of an attempt carries; 0: state is always lazy.
        public var eagerStateSizeLimit = 32 << 20
        /// Levels of futures inside futures (protocol version 7); above: RT0025.
        public var awaitedFutureDepthLimit = 1000
    }

    /// Settings of the HTTP client towards deployments.
    public struct Client: Sendable, Equatable {
        /// For the TCP connection; the TLS handshake gets the same again.
        public var connectTimeout = Duration.seconds(10)
        /// Between pings on an HTTP/2 connection; 0: none.
        public var http2KeepAliveInterval = Duration.seconds(40)
        /// How long a ping may stay without answer.
        public var http2KeepAliveTimeout = Duration.seconds(20)
        /// The part of the interval that is added at random.
        public var http2KeepAliveJitter = 0.2
        /// Streams that are assumed to be allowed before the peer has said so; nil: the program's own choice.
        public var http2InitialMaxSendStreams: Int?
        /// Streams on one connection, whatever the peer allows; more connections are opened instead.
        public var http2StreamsPerConnectionLimit = 128
        /// After which an unused HTTP/2 connection is closed; 0: never.
        public var http2IdleConnectionTimeout = Duration.seconds(300)
        /// Bytes that a stream may receive before it is read.
        public var http2InitialStreamWindowSize = 2 << 20
        /// Bytes that a connection may receive before it is read.
        public var http2InitialConnectionWindowSize = 5 << 20
        /// Bytes of a frame.
        public var http2MaxFrameSize = 16 << 10
        /// The file with the Ed25519 key that signs requests to deployments; nil: they are not signed.
        public var requestIdentityKeyFile: String?
        /// How long a signature holds.
        public var requestIdentityExpiration = Duration.seconds(60)
        /// Headers of every request to a deployment, names in lower case; nil: the cluster's name.
        public var additionalRequestHeaders: [Header]?
    }

    /// The name and the value of an HTTP header.
    public struct Header: Sendable, Equatable {
        /// In lower case.
        public var name: String
        /// As it is sent.
        public var value: String
    }

    /// What holds for services and handlers that say nothing themselves.
    public struct Defaults: Sendable, Equatable {
        /// Retries of attempts.
        public var retryPolicy = RetryDefaults()
        /// No handler gets more attempts than that; nil: no such limit.
        public var retryMaxAttemptsMax: Int?
        /// How long journals of completed invocations are kept; 0: not at all.
        public var journalRetention = Duration.seconds(86_400)
        /// No handler's journals are kept longer.
        public var journalRetentionMax: Duration?
        /// How long results of invocations with an idempotency key are kept.
        public var idempotencyRetention = Duration.seconds(86_400)
        /// No handler's results are kept longer.
        public var idempotencyRetentionMax: Duration?
        /// How long a completed workflow is kept.
        public var workflowCompletionRetention = Duration.seconds(86_400)
        /// No workflow is kept longer.
        public var workflowCompletionRetentionMax: Duration?
    }

    /// Retries of attempts: exponential back-off, then pause or kill.
    public struct RetryDefaults: Sendable, Equatable {
        /// Before the second attempt.
        public var initialInterval = Duration.milliseconds(500)
        /// By which each delay is multiplied for the next one.
        public var exponentiationFactor = 2.0
        /// No delay is longer.
        public var maxInterval = Duration.seconds(60)
        /// The first attempt counts too; nil: unlimited.
        public var maxAttempts: Int? = 70
        /// What happens to an invocation whose last attempt failed.
        public var onMaxAttempts = OnMaxAttempts.pause
    }

    /// What happens to an invocation whose last attempt failed.
    public enum OnMaxAttempts: String, Sendable, CaseIterable {
        /// It waits for an operator.
        case pause
        /// It ends with the failure.
        case kill
    }

    /// The store's memory.
    public struct Storage: Sendable, Equatable {
        /// Bytes for block cache and memtables; nil: the store's own choice.
        public var memorySize: Int?
        /// The part of it that memtables may take.
        public var memtablesRatio = 0.57
    }

    /// Log lines.
    public struct LogSettings: Sendable, Equatable {
        /// The least severe level that is written.
        public var level = Log.Level.info
        /// Text or JSON.
        public var format = Log.Format.text
    }

    /// Switches of features that are not on by themselves.
    public struct Experimental: Sendable, Equatable {
        /// Choose service protocol version 7 where a deployment offers it.
        public var isProtocolV7Enabled = false
        /// Derive random seeds that differ between restarts of one invocation.
        public var areRandomSeedsUnique = false
    }

    /// What was set, where the field in force depends on more than one option. `derived()` brings it together.
    struct Given: Sendable, Equatable {
        var bindIP: String?
        var usesRandomPorts = false
        var ingressIP: String?
        var ingressPort: Int?
        var ingressAddress: NetworkAddress?
        var ingressEndpoint: String?
        var adminIP: String?
        var adminPort: Int?
        var adminAddress: NetworkAddress?
        var adminEndpoint: String?
        var requestSizeLimit: Int?
        var invokerMessageSizeLimit: Int?
        var perInvocationMemoryLimit: Int?
        var eagerStateSizeLimit: Int?
        var isEagerStateDisabled = false
    }
}

extension Configuration {
    /// The same with every field that depends on several options. Specification: defaults §1.3.
    func derived() -> Configuration {
        var result = self
        result.ingress.address =
            given.ingressAddress ?? address(given.ingressIP, given.ingressPort, or: ingress.address)
        result.admin.address = given.adminAddress ?? address(given.adminIP, given.adminPort, or: admin.address)
        result.ingress.advertisedAddress = given.ingressEndpoint ?? ingress.advertisedAddress
        result.admin.advertisedAddress = given.adminEndpoint ?? admin.advertisedAddress
        let limit = messageSizeLimit
        result.ingress.requestSizeLimit = min(given.requestSizeLimit ?? limit, limit)
        result.invoker.messageSizeLimit = min(given.invokerMessageSizeLimit ?? limit, limit)
        let eagerLimit = min(given.perInvocationMemoryLimit ?? limit, limit)
        let usualEager = given.isEagerStateDisabled ? 0 : eagerLimit
        // An explicit 0 and the old switch say the same; an explicit size wins over the switch.
        result.invoker.eagerStateSizeLimit = min(
            given.eagerStateSizeLimit.flatMap { $0 > 0 || !given.isEagerStateDisabled ? $0 : nil } ?? usualEager,
            eagerLimit)
        if client.additionalRequestHeaders == nil {
            let printable = clusterName.filter {
                $0.isASCII && ($0.isLetter || $0.isNumber || $0.isPunctuation || $0.isSymbol || $0 == " ")
            }
            result.client.additionalRequestHeaders = [Header(name: "x-restate-cluster-name", value: printable)]
        }
        return result
    }

    private func address(_ ip: String?, _ port: Int?, or usual: NetworkAddress) -> NetworkAddress {
        let usualPort = given.usesRandomPorts ? 0 : Int(usual.port)
        return NetworkAddress(
            host: ip ?? given.bindIP ?? usual.host, port: UInt16(exactly: port ?? usualPort) ?? usual.port)
    }
}
