import Glibc
import Testing

@testable import HoldfastRuntime

struct ConfigurationTests {
    private func load(
        _ arguments: [String] = [], environment: [String: String] = [:]
    ) throws -> Configuration { try Configuration.load(arguments: arguments, environment: environment).configuration }

    /// The configuration that a file gives, alone or under other layers.
    private func load(
        file text: String, _ arguments: [String] = [], environment: [String: String] = [:]
    ) throws -> Configuration.Loaded {
        let path = "/tmp/holdfast-configuration-\(getpid())-\(UInt64.random(in: 0 ... .max)).toml"
        let file = try #require(fopen(path, "w"))
        fputs(text, file)
        fclose(file)
        defer { unlink(path) }
        return try Configuration.load(arguments: ["--config-file", path] + arguments, environment: environment)
    }

    @Test func `without any option the defaults hold`() throws {
        let configuration = try load()
        #expect(configuration.ingress.address.description == "127.0.0.1:8080")
        #expect(configuration.admin.address.description == "127.0.0.1:9070")
        #expect(configuration.invoker.inactivityTimeout == .seconds(60))
        #expect(configuration.invoker.abortTimeout == .seconds(600))
        #expect(configuration.invoker.messageSizeLimit == 32 << 20)
        #expect(configuration.defaults.retryPolicy.maxAttempts == 70)
        #expect(configuration.defaults.retryPolicy.onMaxAttempts == .pause)
        #expect(configuration.partitions.cleanupInterval == .seconds(3600))
        #expect(
            configuration.client.additionalRequestHeaders == [
                .init(name: "x-restate-cluster-name", value: "localcluster")
            ])
    }

    @Test func `later layers win: file, environment, command line`() throws {
        let text = "cluster-name = \"file\"\nnode-name = \"file\"\n[worker]\ncleanup-interval = \"2s\"\n"
        let environment = ["RESTATE_CLUSTER_NAME": "environment", "RESTATE_NODE_NAME": "environment"]
        let loaded = try load(file: text, ["--node-name", "flag"], environment: environment)
        #expect(loaded.configuration.partitions.cleanupInterval == .seconds(2))
        #expect(loaded.configuration.clusterName == "environment")
        #expect(loaded.configuration.nodeName == "flag")
    }

    @Test func `variables of both prefixes count, and ours wins`() throws {
        let both = ["RESTATE_WORKER__CLEANUP_INTERVAL": "1s", "HOLDFAST_WORKER__CLEANUP_INTERVAL": "5s"]
        #expect(try load(environment: both).partitions.cleanupInterval == .seconds(5))
        let mixedCase = ["restate_worker__Invoker__inactivity_timeout": "0s"]
        #expect(try load(environment: mixedCase).invoker.inactivityTimeout == .zero)
    }

    @Test func `what test harnesses set is understood`() throws {
        let loaded = try Configuration.load(
            arguments: ["--no-logo", "--use-random-ports=true"],
            environment: [
                "RESTATE_ADMIN__BIND_ADDRESS": "0.0.0.0:9070", "RESTATE_BASE_DIR": "/state",
                "RESTATE_ROLES": "[worker,http-ingress]", "RESTATE_BIFROST__DEFAULT_PROVIDER": "replicated",
                "RESTATE_METADATA_SERVER__TYPE": "replicated", "DO_NOT_TRACK": "true", "RUST_LOG": "debug",
                "RESTATE_WORKER__INVOKER__DISABLE_EAGER_STATE": "true", "RESTATE_DEFAULT_NUM_PARTITIONS": "1",
                "RESTATE_WORKER__NUM_TIMERS_IN_MEMORY_LIMIT": "1", "RESTATE_DEFAULT_RETRY_POLICY__MAX_ATTEMPTS": "1",
                "RESTATE_DEFAULT_RETRY_POLICY__ON_MAX_ATTEMPTS": "kill", "RESTATE_ROCKSDB_TOTAL_MEMORY_SIZE": "32 MB",
                "RESTATE_REQUEST_IDENTITY_PRIVATE_KEY_PEM_FILE": "/a.pem",
                "RESTATE_WORKER__INVOKER__RETRY_POLICY__TYPE": "none",
                "RESTATE_CLUSTER_NAME": "123", "RESTATE_ADMIN__experimental_feature_force_journal_retention": "365days",
            ])
        let configuration = loaded.configuration
        #expect(configuration.dataDirectory == "/state")
        #expect(configuration.invoker.eagerStateSizeLimit == 0)
        #expect(configuration.partitionCount == 1)
        #expect(configuration.partitions.timersInMemoryLimit == 1)
        #expect(configuration.defaults.retryPolicy.maxAttempts == 1)
        #expect(configuration.defaults.retryPolicy.onMaxAttempts == .kill)
        #expect(configuration.storage.memorySize == 32_000_000)
        #expect(configuration.client.requestIdentityKeyFile == "/a.pem")
        #expect(configuration.clusterName == "123")
        #expect(configuration.log.level == .debug)
        #expect(configuration.admin.address.description == "0.0.0.0:9070")
        #expect(configuration.ingress.address.port == 0)
        #expect(loaded.ignored == ["bifrost.default-provider", "metadata-server.type", "roles"])
    }

    @Test func `addresses come from the most specific option`() throws {
        let configuration = try load([
            "--bind-ip", "10.0.0.1", "--set", "ingress.bind-port=81", "--set", "admin.bind-ip=::1",
        ])
        #expect(configuration.ingress.address.description == "10.0.0.1:81")
        #expect(configuration.admin.address.description == "[::1]:9070")
        #expect(try load(["--ingress=127.0.0.1:1", "--bind-ip=::"]).ingress.address.description == "127.0.0.1:1")
    }

    @Test func `the message size limit is default and bound of the others`() throws {
        let small = try load(["--set", "networking.message-size-limit=1MiB"])
        #expect(small.ingress.requestSizeLimit == 1 << 20)
        #expect(small.invoker.eagerStateSizeLimit == 1 << 20)
        let both = try load([
            "--set", "networking.message-size-limit=1MiB", "--set", "ingress.request-size-limit=2MiB",
            "--set", "worker.invoker.message-size-limit=1 KiB",
        ])
        #expect(both.ingress.requestSizeLimit == 1 << 20)
        #expect(both.invoker.messageSizeLimit == 1024)
        let explicit = try load([
            "--set", "worker.invoker.disable-eager-state=true", "--set", "worker.invoker.eager-state-size-limit=10",
        ])
        #expect(explicit.invoker.eagerStateSizeLimit == 10)
    }

    @Test func `request headers replace the default, from file and environment`() throws {
        let file = try load(file: "[worker.invoker]\nadditional-request-headers = {X-Tenant = \"a\"}\n")
        #expect(file.configuration.client.additionalRequestHeaders == [.init(name: "x-tenant", value: "a")])
        let environment = ["RESTATE_WORKER__INVOKER__ADDITIONAL_REQUEST_HEADERS__X_TENANT": "b"]
        #expect(
            try load(environment: environment).client.additionalRequestHeaders == [
                .init(name: "x-tenant", value: "b")
            ])
        #expect(throws: ConfigurationError.self) {
            try load(["--set", "worker.invoker.additional-request-headers={x = \"a\nb: c\"}"])
        }
    }

    @Test(arguments: [
        ["--set", "worker.cleanup-interval=0"], ["--set", "worker.cleanup-interval=5"], ["--ingress", "nowhere"],
        ["--partitions", "0"], ["--set", "default-retry-policy.max-attempts=0"], ["--log-level", "loud"],
        ["--set", "no-such-option=1"], ["--no-such-flag"], ["--data"], ["data"], ["--data", ""], ["--set", "x"],
        ["--config-file", "/nonexistent/holdfast.toml"], ["--set", "worker.invoker.message-size-limit=1"],
    ])
    func `a value that does not fit stops the start`(arguments: [String]) {
        #expect(throws: ConfigurationError.self) { try load(arguments) }
    }

    @Test func `errors name the option, its source and what would fit`() {
        let error = #expect(throws: ConfigurationError.self) {
            try load(environment: ["RESTATE_WORKER__CLEANUP_INTERVAL": "5"])
        }
        #expect(
            error?.description
                == "Cannot use '5' for option `worker.cleanup-interval` "
                + "(environment variable RESTATE_WORKER__CLEANUP_INTERVAL): failed to parse input in the \"friendly\" "
                + "duration format: a number needs a unit, such as '10s'.")
        #expect(error?.isUsage == false)
        #expect(throws: ConfigurationError.unknownFlag("--x")) { try load(["--x"]) }
    }

    @Test func `a type error in the file is refused, and an unknown key is not`() throws {
        #expect(throws: ConfigurationError.self) { try load(file: "cluster-name = 5") }
        #expect(throws: ConfigurationError.self) { try load(file: "default-journal-retention = 0") }
        #expect(try load(file: "default-journal-retention = \"0\"").configuration.defaults.journalRetention == .zero)
        #expect(try load(file: "nonsense = 5\n[worker]\nnonsense = {a = 1}").ignored == [])
    }

    @Test func `the printed configuration reads back as itself`() throws {
        let set = try load([
            "--data", "/d", "--set", "worker.invoker.additional-request-headers={x-a = \"1\"}", "--set",
            "admin.deployment-routing-headers=[x-b,x-c]", "--log-format", "json", "--set",
            "default-retry-policy.max-attempts=unlimited", "--ingress", "127.0.0.1:1234",
        ])
        let again = try load(file: set.toml).configuration
        #expect(again == set)
        #expect(again.admin.deploymentRoutingHeaders == ["x-b", "x-c"])
        #expect(again.defaults.retryPolicy.maxAttempts == nil)
    }

    @Test func `no two options share a name`() {
        let names = Options.all.flatMap { [$0.key] + $0.flags }
        #expect(Set(names).count == names.count)
        for option in Options.all { #expect(!Options.isIgnored(option.key) || option.key.contains("-")) }
    }
}
