import HoldfastEngine
import HoldfastStorage
import HoldfastTransport
import HoldfastWire

/// What lives on one event loop and is touched by its thread only: the door between connections and partitions.
///
/// Ingress and admin turn a request into a command and `ask` the partition that owns the key; the answer comes back to
/// this loop once it is durable.
final class LoopContext: PartitionDoor {
    let loop: EventLoop
    let configuration: Configuration
    let router: Router
    /// Signs requests to deployments, if the configuration names a key.
    let identity: RequestIdentity?
    /// The partitions of this loop.
    let partitions: PartitionLoop
    /// Changes the registry; on the first loop only.
    var registryWriter: RegistryWriter?
    private var waiting: [UInt64: (Answer) -> Void] = [:]
    private var lastSerial: UInt64 = 0

    init(
        loop: EventLoop, configuration: Configuration, router: Router, identity: RequestIdentity?,
        partitions: PartitionLoop
    ) {
        self.loop = loop
        self.configuration = configuration
        self.router = router
        self.identity = identity
        self.partitions = partitions
        partitions.deliver = { [unowned self] serial, answer in deliver(answer, to: serial) }
    }

    /// The latest registry that this loop has heard of.
    var registry: Registry { partitions.registry }

    /// Wall-clock time.
    var now: Timestamp { .now }

    func favours(_ partitionKey: UInt64) -> Bool {
        partitions.isBusy || router.loop(of: router.partition(of: partitionKey)) == loop.index
    }

    /// Sends a command to the partition that owns `partitionKey`; `answered` is called on this loop, once.
    @discardableResult
    func ask(
        _ partitionKey: UInt64, _ command: (RequestID) -> Command, answered: @escaping (Answer) -> Void
    ) -> RequestID {
        lastSerial += 1
        let request = RequestID(loop: UInt16(loop.index), serial: lastSerial)
        waiting[lastSerial] = answered
        send(command(request), to: partitionKey)
        return request
    }

    /// Drops the request of a client that has left: its `answered` will not be called.
    func forget(_ request: RequestID, of invocation: InvocationID) {
        guard waiting.removeValue(forKey: request.serial) != nil else { return }
        send(.forget(invocation, request), to: invocation.partitionKey)
    }

    /// Takes what other loops and the commit pipeline have to say.
    func receive(_ messages: [LoopMessage]) {
        for message in messages {
            switch message {
            case .command(let partition, let command): partitions.submit(command, to: partition)
            case .answer(let serial, let answer): deliver(answer, to: serial)
            case .progress(let progress):
                partitions.progress(progress)
                switch progress {
                case .durable(let position): registryWriter?.durable(upTo: position)
                case .ended: registryWriter?.ended(because: "the log takes no commits any more")
                }
            case .registry(let registry): partitions.registry = registry
            case .wakeUp: break  // That the loop turns is enough.
            case .run(let body): body(self)
            }
        }
    }

    private func send(_ command: Command, to partitionKey: UInt64) {
        let partition = router.partition(of: partitionKey)
        let target = router.loop(of: partition)
        if target == loop.index {
            partitions.submit(command, to: partition)
        } else {
            router.send(.command(partition, command), to: target)
        }
    }

    private func deliver(_ answer: Answer, to serial: UInt64) {
        waiting.removeValue(forKey: serial)?(answer)
    }
}
