import Dispatch
import HoldfastEngine
import HoldfastStorage
import HoldfastTransport
import HoldfastWire
import Synchronization

/// Everything that runs in one server process, from the store to the listeners.
///
/// The parts of a loop are built on the starting thread, before the loop runs; from then on only the loop's own thread
/// touches them.
final class Node {
    private let configuration: Configuration
    private let store: RocksStore
    private let pipeline: CommitPipeline
    private let group: LoopGroup
    private let inboxes: [LoopInbox]
    private let contexts: [LoopContext]
    private let invokers: [Invoker]
    private let registryWriter: RegistryWriter
    private let registry: Registry
    private let latestRegistry: LatestRegistry
    private var servers: [HTTPServer] = []

    init(configuration: Configuration) throws(ServerError) {
        self.configuration = configuration
        HostProcess.raiseOpenFileLimit()
        let cores = HostProcess.coreCount
        do throws(StorageError) {
            store = try RocksStore.open(
                directory: configuration.dataDirectory, options: RocksOptions(configuration.storage),
                partitions: configuration.partitionCount ?? cores)
            registry = try RegistryRecords.read(
                from: store.snapshot(), defaults: InvocationDefaults(configuration))
        } catch {
            throw ServerError(error.message)
        }
        group = try ServerError.wrap { try LoopGroup(count: configuration.loopCount ?? cores) }
        latestRegistry = LatestRegistry(registry)
        inboxes = group.loops.map { LoopInbox(loop: $0) }
        let router = Router(mailboxes: inboxes.map(\.mailbox), partitionCount: PartitionIndex(store.partitionCount))
        pipeline = CommitPipeline(
            store: store,
            subscribers: group.loops.map { loop in { router.send(.progress($0), to: loop.index) } })
        (contexts, invokers) = try Node.build(
            inboxes, router, registry, store, pipeline, configuration, loopCount: group.loops.count)
        registryWriter = Node.registryWriter(registry, latestRegistry, store, pipeline, router)
        contexts[0].registryWriter = registryWriter
    }

    private static func build(
        _ inboxes: [LoopInbox], _ router: Router, _ registry: Registry, _ store: RocksStore,
        _ pipeline: CommitPipeline, _ configuration: Configuration, loopCount: Int
    ) throws(ServerError) -> ([LoopContext], [Invoker]) {
        var contexts: [LoopContext] = []
        var invokers: [Invoker] = []
        for inbox in inboxes {
            let partitions = try ServerError.wrap {
                try PartitionLoop(
                    loop: inbox.loop, router: router, store: store, pipeline: pipeline, configuration: configuration,
                    registry: registry)
            }
            let client = HTTPClient(loop: inbox.loop, options: HTTPClientOptions(configuration.client))
            let identity = try ServerError.wrap { try RequestIdentity.configured(configuration.client) }
            let invoker = Invoker(
                loop: inbox.loop, client: client, configuration: configuration, loopCount: loopCount,
                identity: identity, door: partitions)
            partitions.invoker = invoker
            let context = LoopContext(
                loop: inbox.loop, configuration: configuration, router: router, identity: identity,
                partitions: partitions)
            inbox.context = context
            contexts.append(context)
            invokers.append(invoker)
        }
        return (contexts, invokers)
    }

    /// Changes go through the first loop, which orders them.
    private static func registryWriter(
        _ registry: Registry, _ latest: LatestRegistry, _ store: RocksStore, _ pipeline: CommitPipeline,
        _ router: Router
    ) -> RegistryWriter {
        RegistryWriter(
            registry: registry, store: store, requestDurable: { pipeline.request(upTo: $0, for: 0) },
            publish: { registry in
                latest.replace(with: registry)
                router.sendToAll(.registry(registry))
            })
    }

    // MARK: - Start and stop

    /// Starts the loops, resumes what was under way, and listens.
    func start() throws(ServerError) {
        for context in contexts {
            let context = LoopBound(context, on: context.loop)
            context.perform { $0.partitions.recover() }
        }
        let ingress = try ingressServer()
        let admin = try adminServer()
        group.start()
        servers = [ingress, admin]
        let ingressAddress = configuration.ingress.address
        let adminAddress = configuration.admin.address
        try listen(ingress, at: ingressAddress, "ingress", option: "ingress.bind-address")
        try listen(admin, at: adminAddress, "admin", option: "admin.bind-address")
        Log.info(
            "Ready.",
            [
                "ingress": "http://\(ingressAddress)", "admin": "http://\(adminAddress)",
                "data": configuration.dataDirectory, "partitions": store.partitionCount, "loops": group.loops.count,
                "node": configuration.nodeName, "version": ProductVersion.text,
            ])
    }

    /// Answers what is under way, as far as that does not take long, and closes the store.
    func stop() {
        let drained = DispatchSemaphore(value: 0)
        let time = min(Self.drainMilliseconds, configuration.shutdownTimeout.wholeMilliseconds)
        for server in servers { server.drain(within: time) { drained.signal() } }
        for _ in servers { drained.wait() }
        for (context, invoker) in zip(contexts, invokers) {
            LoopBound(invoker, on: context.loop).perform { $0.shutDown() }
        }
        group.stop()
        pipeline.stop()
        store.close()
    }

    /// How long a stopping server waits for requests in progress; the invocations themselves go on after a restart.
    private static let drainMilliseconds: UInt64 = 5000

    private func listen(
        _ server: HTTPServer, at address: NetworkAddress, _ name: String, option: String
    ) throws(ServerError) {
        do throws(TransportError) {
            try server.listen(host: address.host, port: Int(address.port))
        } catch {
            throw ServerError("\(error.message) It is the \(name)'s address: option '\(option)'.")
        }
    }

    // MARK: - Servers

    private func ingressServer() throws(ServerError) -> HTTPServer {
        let settings = IngressSettings(configuration)
        let admission = settings.concurrentRequestLimit.map { RequestAdmission(limit: $0) }
        let options = IngressService.serverOptions(configuration)
        let contexts = LoopTable(contexts)
        return try ServerError.wrap {
            try HTTPServer(group: group, options: options) { loop in
                IngressService(door: contexts[loop], settings: settings, admission: admission)
            }
        }
    }

    private func adminServer() throws(ServerError) -> HTTPServer {
        let configuration = configuration
        let store = store
        let latest = latestRegistry
        let live = LiveStates(group: group, invokers: invokers)
        let source = StoreSource(
            store: store, partitionCount: PartitionIndex(store.partitionCount), registry: { latest.value },
            live: { live.collect() }, serverVersion: ProductVersion.compatibleText)
        let contexts = LoopTable(contexts)
        let desk = QueryDesk(engine: QueryEngine(source: source)) { loop, leave in
            contexts[loop].partitions.whenDurable(leave)
        }
        let settings = AdminSettings(
            configuration, productVersion: ProductVersion.text,
            ingressURL: "http://\(configuration.ingress.address)/")
        let admission = configuration.admin.concurrentRequestsLimit.map { RequestAdmission(limit: $0) }
        let writer = LoopBound(registryWriter, on: group.loops[0])
        return try ServerError.wrap {
            try HTTPServer(group: group, options: HTTPServerOptions()) { loop in
                let context = contexts[loop]
                let client = HTTPClient(loop: loop, options: HTTPClientOptions(configuration.client))
                let discovery = Discovery(
                    carrier: HTTPDiscoveryCarrier(loop: loop, client: client),
                    settings: Discovery.Settings(configuration) { path in
                        context.identity?.headers(for: path, now: .now) ?? []
                    })
                let environment = AdminLoop(
                    settings: settings, door: context, registryDoor: RegistryDoor(loop: loop, writer: writer),
                    discovery: discovery, store: store, partitionCount: PartitionIndex(store.partitionCount)
                ) { sql, accept, done in
                    desk.run(sql, accept: accept, now: .now, on: loop, done: done)
                }
                return AdminService(environment: environment, admission: admission)
            }
        }
    }
}

/// A loop's mailbox, and what it delivers to, which is built after it.
private final class LoopInbox {
    let loop: EventLoop
    var context: LoopContext?
    private(set) lazy var mailbox = Mailbox<LoopMessage>(loop: loop) { [unowned self] in context?.receive($0) }

    init(loop: EventLoop) { self.loop = loop }
}

/// The contexts by loop.
///
/// `@unchecked Sendable`: each is used on its own loop only.
private struct LoopTable: @unchecked Sendable {
    private let contexts: [LoopContext]

    init(_ contexts: [LoopContext]) { self.contexts = contexts }

    subscript(loop: EventLoop) -> LoopContext { contexts[loop.index] }
}

/// The registry as it is now, for threads that are no loop.
private final class LatestRegistry: Sendable {
    private let registry: Mutex<Registry>

    init(_ registry: Registry) { self.registry = Mutex(registry) }

    var value: Registry { registry.withLock { $0 } }

    func replace(with newer: Registry) { registry.withLock { $0 = newer } }
}

/// What all invokers know, for the query thread.
private struct LiveStates: Sendable {
    private let invokers: [LoopBound<Invoker>]

    init(group: LoopGroup, invokers: [Invoker]) {
        self.invokers = zip(invokers, group.loops).map { LoopBound($0, on: $1) }
    }

    /// Waits for every loop, one turn each; a loop that has stopped is left out.
    func collect() -> [LiveInvocation] {
        let found = Mutex<[LiveInvocation]>([])
        let arrived = DispatchSemaphore(value: 0)
        for invoker in invokers {
            invoker.perform { invoker in
                let states = invoker.liveInvocations
                found.withLock { $0 += states }
                arrived.signal()
            }
        }
        for _ in invokers where arrived.wait(timeout: .now() + .seconds(5)) == .timedOut { break }
        return found.withLock { $0 }
    }
}
