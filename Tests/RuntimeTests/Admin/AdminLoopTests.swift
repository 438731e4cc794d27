import HoldfastEngine
import HoldfastServiceProtocol
import HoldfastStorage
import HoldfastTransport
import HoldfastWire
import Testing

@testable import HoldfastRuntime

/// The admin API over real partitions in a real store.
@Suite struct AdminLoopTests {
    @Test func `operations do to an invocation what they say`() throws {
        let world = try World()
        let id = try world.invoke("Greeter", number: 1)
        func status(_ operation: String) throws -> Int {
            try world.send("PATCH", "/invocations/\(id)/\(operation)").status
        }
        #expect(try status("purge") == 409)
        #expect(try status("restart-as-new") == 409)
        #expect(try status("pause") == 202)
        #expect(try status("pause") == 200)
        #expect(try status("resume") == 200)
        #expect(try status("cancel") == 202)
        #expect(try status("kill") == 200)
        #expect(try status("kill") == 409)
        #expect(try status("purge-journal") == 200)
        #expect(try status("purge") == 200)
        #expect(try status("purge") == 404)
        let scheduled = try world.invoke("Greeter", number: 2, at: Timestamp(millis: 1 << 50))
        #expect(try world.send("PATCH", "/invocations/\(scheduled)/resume").status == 425)
        #expect(try world.send("PATCH", "/invocations/\(scheduled)/cancel").status == 200)
    }

    @Test func `the latest deployment is that of the service which the invocation calls`() throws {
        let world = try World()
        let known = try world.invoke("Greeter", number: 1)
        let gone = try world.invoke("Gone", number: 2)
        for id in [known, gone] { _ = try world.send("PATCH", "/invocations/\(id)/kill") }
        let restarted = try world.send("PATCH", "/invocations/\(known)/restart-as-new")
        #expect(restarted.status == 200)
        let new = try InvocationID(text: try #require(restarted.json["new_invocation_id"]?.string))
        #expect(new.partitionKey == known.partitionKey)
        #expect(try world.send("PATCH", "/invocations/\(new)/kill").status == 200)
        #expect(try world.send("PATCH", "/invocations/\(gone)/restart-as-new").status == 400)
        #expect(try world.send("PATCH", "/invocations/\(gone)/restart-as-new?deployment=keep").status == 200)
    }

    @Test func `the state of a key is replaced if it is the one that was seen`() throws {
        let world = try World()
        func replace(_ state: String, version: String? = nil) throws -> Int {
            let version = version.map { #","version":"\#($0)""# } ?? ""
            let body = #"{"object_key":"k","new_state":\#(state)\#(version)}"#
            return try world.send("POST", "/services/Counter/state", body).status
        }
        #expect(try replace(#"{"count":[56]}"#) == 202)
        #expect(try world.state("Counter", "k") == ["count": "8"])
        #expect(try replace("{}", version: "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU") == 202)
        #expect(try world.state("Counter", "k") == ["count": "8"], "another version: dropped")
        #expect(try replace(#"{"a":"1","b":"2"}"#, version: "RFbMiemulALiANqxtW5YovXqSkdjc2eVFLeiofan-GY") == 202)
        #expect(try world.state("Counter", "k") == ["a": "1", "b": "2"])
    }

    /// Partitions that answer at once, since nothing here needs to be durable.
    private final class World: PartitionDoor {
        static let partitionCount: PartitionIndex = 3
        let registry: Registry
        let now = Timestamp(millis: 1_702_568_332_500)
        private let store = MemoryStore()
        private let partitions: [Partition]
        private var serial: UInt64 = 0
        private let group: LoopGroup

        init() throws {
            let services = [ServiceSchema.sample("Greeter"), .sample("Counter", .virtualObject)]
            registry = try Registry().registering(services, at: "http://h:1", moment: 7).registry
            let store = store
            partitions = try (0..<Self.partitionCount).map {
                try Partition(index: $0, count: Self.partitionCount, store: store.snapshot())
            }
            group = try LoopGroup(count: 1)
        }

        func ask(
            _ partitionKey: UInt64, _ command: (RequestID) -> Command, answered: @escaping (Answer) -> Void
        ) -> RequestID {
            serial += 1
            let request = RequestID(loop: 0, serial: serial)
            do {
                for action in try apply(command(request), partitionKey) {
                    if case .answer(request, let answer) = action { answered(answer) }
                }
            } catch {
                answered(.failed("\(error)"))
            }
            return request
        }

        func favours(_ partitionKey: UInt64) -> Bool { true }

        func forget(_ request: RequestID, of invocation: InvocationID) {}

        func invoke(_ service: String, number: UInt64, at start: Timestamp? = nil) throws -> InvocationID {
            let id = InvocationID.numbered(number)
            let request = InvokeRequest(
                id: id, target: InvocationTarget(service: service, handler: "greet", kind: .service),
                source: .ingress(nil), input: InputCommand(value: [49]).payload, executionTime: start,
                completionRetention: 60_000, journalRetention: 60_000)
            _ = try apply(.invoke(request, .none), id.partitionKey)
            return id
        }

        func state(_ service: String, _ key: String) throws -> [String: String] {
            let partition = Partition.owner(of: PartitionKey.ofKey(key), count: Self.partitionCount)
            var entries: [String: String] = [:]
            let object = ObjectID(scope: nil, service: service, key: key)
            try StateTable(partition: partition).entries(of: object, store.snapshot()) { name, value in
                entries[name.lossyString] = value.lossyString
                return true
            }
            return entries
        }

        func send(_ method: String, _ target: String, _ body: String? = nil) throws -> AdminResponse {
            let environment = AdminLoop(
                settings: AdminSettings(), door: self,
                registryDoor: RegistryDoor(loop: group.loops[0], writer: LoopBound(writer, on: group.loops[0])),
                discovery: Discovery(
                    carrier: HTTPDiscoveryCarrier(
                        loop: group.loops[0], client: HTTPClient(loop: group.loops[0])), settings: .init()),
                store: store, partitionCount: Self.partitionCount, random: FastRandom(seed: serial)
            ) { _, _, _ in }
            let path = target.prefix { $0 != "?" }
            let request = AdminRequest(
                method: method, path: String(path),
                query: path.count < target.count ? String(target.dropFirst(path.count + 1)) : nil,
                contentType: body == nil ? nil : "application/json", body: Bytes(utf8: body ?? ""))
            var response: AdminResponse?
            AdminAPI(environment: environment).answer(request) { response = $0 }
            return try #require(response)
        }

        private var writer: RegistryWriter {
            RegistryWriter(registry: registry, store: store, requestDurable: { _ in }, publish: { _ in })
        }

        private func apply(_ command: Command, _ partitionKey: UInt64) throws -> [Action] {
            let partition = partitions[Int(Partition.owner(of: partitionKey, count: Self.partitionCount))]
            let transaction = store.transaction()
            let actions = try partition.apply(command, now: now, in: transaction)
            _ = try store.commit(transaction)
            partition.committed()
            return actions
        }
    }
}
