import HoldfastEngine
import HoldfastStorage
import HoldfastWire

/// What the admin API of one event loop finds there.
final class AdminLoop: AdminEnvironment {
    /// Runs a query somewhere else, since it may take long, and answers on this loop.
    typealias RunQuery = (_ sql: String, _ accept: String?, _ done: @escaping (AdminResponse) -> Void) -> Void

    let settings: AdminSettings
    private let door: any PartitionDoor
    private let registryDoor: RegistryDoor
    private let discovery: Discovery
    private let store: any Store
    private let partitionCount: PartitionIndex
    private let runQuery: RunQuery
    private var random: FastRandom

    init(
        settings: AdminSettings, door: any PartitionDoor, registryDoor: RegistryDoor, discovery: Discovery,
        store: any Store, partitionCount: PartitionIndex, random: FastRandom = FastRandom(),
        runQuery: @escaping RunQuery
    ) {
        self.settings = settings
        self.door = door
        self.registryDoor = registryDoor
        self.discovery = discovery
        self.store = store
        self.partitionCount = partitionCount
        self.random = random
        self.runQuery = runQuery
    }

    var registry: Registry { door.registry }
    var now: Timestamp { door.now }

    func makeULID() -> ULID { random.ulid(at: now) }

    func ask(_ partitionKey: UInt64, _ command: (RequestID) -> Command, answered: @escaping (Answer) -> Void) {
        door.ask(partitionKey, command, answered: answered)
    }

    func change<Value: Sendable>(
        _ body: @escaping @Sendable (Registry) throws(RegistryError) -> (registry: Registry, value: Value),
        done: @escaping (Result<Value, RegistryError>) -> Void
    ) {
        registryDoor.change(body, done: done)
    }

    func discover(
        _ request: DiscoveryRequest, done: @escaping (Result<DiscoveredEndpoint, RegistryError>) -> Void
    ) {
        discovery.run(request, done: done)
    }

    func convert(_ request: CodecRequest, done: @escaping (Result<Bytes, RegistryError>) -> Void) {
        discovery.convert(request, done: done)
    }

    /// Reads the invocation's record, whichever loop its partition lives on: what it calls never changes.
    func target(of id: InvocationID, done: @escaping (InvocationTarget?) -> Void) {
        let partition = Partition.owner(of: id.partitionKey, count: partitionCount)
        done(try? InvocationTable(partition: partition).record(id, store.snapshot())?.target)
    }

    func query(_ sql: String, accept: String?, done: @escaping (AdminResponse) -> Void) {
        runQuery(sql, accept, done)
    }
}

extension AdminSettings {
    /// What a configuration says.
    ///
    /// - Parameters:
    ///   - productVersion: This program's own version, which goes behind that of the API it is compatible with.
    ///   - ingressURL: Where the ingress listens; the configured address wins.
    init(_ configuration: Configuration, productVersion: String, ingressURL: String?) {
        self.init()
        version = "\(Self.compatibleVersion)+holdfast.\(productVersion)"
        clusterName = configuration.clusterName
        self.ingressURL = (configuration.ingress.advertisedAddress ?? ingressURL).map {
            $0.hasSuffix("/") || $0.hasPrefix("unix:") ? $0 : $0 + "/"
        }
        if configuration.experimental.isProtocolV7Enabled { features.insert("protocol_v7") }
        if configuration.experimental.areRandomSeedsUnique { features.insert("unique_random_seeds") }
        routingHeaders = configuration.admin.deploymentRoutingHeaders
        hasUI = !configuration.admin.isWebUIDisabled
    }

    /// The version whose admin API this one is: clients decide by it what they may ask for.
    static let compatibleVersion = "1.7.12"
}

extension Discovery.Settings {
    /// What a configuration says.
    ///
    /// - Parameter identity: The headers that tell an endpoint who asks, for a path such as `/discover`.
    init(
        _ configuration: Configuration,
        identity: @escaping (_ audience: String) -> [(name: String, value: String)] = { _ in [] }
    ) {
        self.init()
        globalHeaders = (configuration.client.additionalRequestHeaders ?? []).map { ($0.name, $0.value) }
        self.identity = identity
    }
}
