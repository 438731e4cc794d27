import Dispatch
import HoldfastEngine
import HoldfastStorage
import HoldfastTransport
import HoldfastWire
import Synchronization
import Testing

@testable import HoldfastRuntime

@Suite struct RegistryDoorTests {
    @Test func `a change from another loop is published before it is answered there`() throws {
        let group = try LoopGroup(count: 2)
        let store = MemoryStore()
        let log = Mutex<[String]>([])
        let answered = DispatchSemaphore(value: 0)
        let home = group.loops[1]
        group.start()
        defer { group.stop() }
        group.loops[0].post {
            let pending = PendingWriter()
            let writer = RegistryWriter(
                registry: Registry(), store: store,
                requestDurable: { position in
                    // Durability is told in a later turn, as the commit thread does.
                    group.loops[0].post { [pending = LoopBound(pending, on: group.loops[0])] in
                        pending.perform { $0.writer?.durable(upTo: position) }
                    }
                },
                publish: { registry in
                    home.post { log.withLock { $0.append("published \(registry.rules.version)") } }
                })
            pending.writer = writer
            let bound = LoopBound(writer, on: group.loops[0])
            home.post {
                let door = RegistryDoor(loop: home, writer: bound)
                door.change { registry throws(RegistryError) in
                    var rules = registry.rules
                    let changed = try rules.upsert([RuleChange(pattern: "a")], now: Timestamp(millis: 1))
                    return (registry.with(rules), changed.count)
                } done: { result in
                    log.withLock { $0.append("answered \((try? result.get()) ?? -1), \(home.isCurrent)") }
                    answered.signal()
                }
            }
        }
        #expect(answered.wait(timeout: .now() + 60) == .success)
        #expect(log.withLock { $0 } == ["published 1", "answered 1, true"])
        let stored = try RegistryRecords.read(from: store.snapshot(), defaults: InvocationDefaults())
        #expect(stored.rules.version == 1)
    }

    private final class PendingWriter {
        var writer: RegistryWriter?
    }
}
