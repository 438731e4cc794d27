import HoldfastEngine
import HoldfastStorage
import HoldfastWire
import Testing

@testable import HoldfastRuntime

@Suite struct RegistryWriterTests {
    /// A writer whose commits become durable when the test says so.
    private final class Bench {
        let store = MemoryStore()
        private(set) var requested: [CommitPosition] = []
        private(set) var published: [Registry] = []
        var log: [String] = []
        private(set) var writer: RegistryWriter?

        init() {
            writer = RegistryWriter(
                registry: Registry(), store: store,
                requestDurable: { [unowned self] in requested.append($0) },
                publish: { [unowned self] in
                    published.append($0)
                    log.append("published \($0.deployments.count)")
                })
        }

        func register(_ moment: UInt64, force: Bool = false) {
            writer?.change { registry throws(RegistryError) in
                var request: RegistrationRequest
                do {
                    request = RegistrationRequest(address: try .sample("http://h:\(moment)"))
                } catch {
                    throw RegistryError(status: 500, "bad address")
                }
                request.overwrites = force
                let outcome = try registry.registering(
                    .sample([.sample("A")]), as: request, id: DeploymentID(UInt128(moment)),
                    now: Timestamp(millis: moment))
                return (outcome.registry, outcome.registration.outcome)
            } done: { [unowned self] result in
                switch result {
                case .success(let outcome): log.append("\(outcome) \(moment)")
                case .failure(let error): log.append("failed \(moment): \(error.message)")
                }
            }
        }
    }

    @Test func `a change is seen and answered once it is durable, in that order`() throws {
        let bench = Bench()
        bench.register(1)
        #expect(bench.log.isEmpty)
        bench.writer?.durable(upTo: .zero)
        #expect(bench.log.isEmpty)
        bench.writer?.durable(upTo: try #require(bench.requested.last))
        #expect(bench.log == ["published 1", "created 1"])
        let stored = try RegistryRecords.read(from: bench.store.snapshot(), defaults: InvocationDefaults())
        #expect(stored.activeService("A")?.revision == 1)
    }

    @Test func `changes that overlap build on each other`() throws {
        let bench = Bench()
        bench.register(1)
        bench.register(2)
        bench.register(1)
        bench.writer?.durable(upTo: try #require(bench.requested.first))
        #expect(bench.log == ["published 1", "created 1"])
        bench.writer?.durable(upTo: try #require(bench.requested.last))
        #expect(bench.log == ["published 1", "created 1", "published 2", "created 2", "existing 1"])
        #expect(bench.published.last?.activeService("A")?.revision == 2)
    }

    @Test func `a refused change leaves no trace, and one without effect needs no commit`() {
        let bench = Bench()
        bench.writer?.change { _ throws(RegistryError) in
            throw .serviceUnknown("x")
        } done: { [unowned bench] (result: Result<Void, RegistryError>) in
            if case .failure(let error) = result { bench.log.append(error.message) }
        }
        bench.writer?.change { registry throws(RegistryError) in
            (registry, ())
        } done: { [unowned bench] _ in
            bench.log.append("nothing to do")
        }
        #expect(bench.log == ["The requested service 'x' does not exist", "nothing to do"])
        #expect(bench.requested.isEmpty)
    }

    @Test func `when nothing becomes durable any more, everybody is told`() {
        let bench = Bench()
        bench.register(1)
        bench.writer?.ended(because: "the disk failed")
        bench.register(2)
        #expect(bench.log.count == 2)
        #expect(bench.log.allSatisfy { $0.contains("the disk failed") })
        #expect(bench.published.isEmpty)
    }
}
