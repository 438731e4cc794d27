import Dispatch
import HoldfastEngine
import HoldfastStorage
import HoldfastTransport
import HoldfastWire
import Synchronization
import Testing

@testable import HoldfastRuntime

/// What is visible before it is durable must not leave the process (rule 1).
@Suite struct PartitionLoopReadTests {
    /// A log whose syncs wait until they are let through.
    private final class SlowLog: CommitLog {
        let store: MemoryStore
        let gate = DispatchSemaphore(value: 0)

        init(_ store: MemoryStore) { self.store = store }

        var latestPosition: CommitPosition { store.latestPosition }

        func makeDurable() throws(CommitEnd) -> CommitPosition {
            let position = latestPosition
            gate.wait()
            do { try store.makeDurable() } catch { throw .unknown(error) }
            return position
        }
    }

    @Test func `what was read leaves when the commits that it rests on are durable`() throws {
        let group = try LoopGroup(count: 1)
        let store = MemoryStore()
        let log = SlowLog(store)
        let lines = Mutex<[String]>([])
        let told = DispatchSemaphore(value: 0)
        let say: @Sendable (String) -> Void = { line in
            lines.withLock { $0.append(line) }
            told.signal()
        }
        let partitions = try PartitionLoopUnderTest(group.loops[0], store, log)
        let loop = LoopBound(partitions, on: group.loops[0])
        group.start()
        defer {
            for _ in 0..<8 { log.gate.signal() }
            partitions.pipeline.stop()
            group.stop()
        }
        loop.perform { test in
            #expect(test.loop.isDurable(0))
            test.loop.whenDurable { say("nothing was written") }
            let target = InvocationTarget(service: "A", handler: "run", kind: .service)
            let request = InvokeRequest(
                id: .numbered(1), target: target, source: .engine, input: [], completionRetention: 0,
                journalRetention: 0)
            test.loop.submit(.invoke(request, .none), to: 0)
        }
        told.wait()
        loop.perform { test in
            #expect(!test.loop.isDurable(0))
            test.loop.whenDurable { say("a query's answer") }
            test.loop.whenDurable(0) { say("an attempt's state") }
            say("still waiting")
        }
        told.wait()
        #expect(lines.withLock { $0 } == ["nothing was written", "still waiting"])
        log.gate.signal()
        log.gate.signal()
        told.wait()
        told.wait()
        #expect(lines.withLock { $0.dropFirst(2) } == ["a query's answer", "an attempt's state"])
        loop.perform { test in say("\(test.loop.isDurable(0))") }
        told.wait()
        #expect(lines.withLock { $0.last } == "true")
    }
}

/// One loop with one partition, and what it needs.
private final class PartitionLoopUnderTest {
    let loop: PartitionLoop
    let pipeline: CommitPipeline
    private final class Receiver {
        var loop: PartitionLoop?

        func receive(_ messages: [LoopMessage]) {
            for case .progress(let progress) in messages { loop?.progress(progress) }
        }
    }

    init(_ eventLoop: EventLoop, _ store: MemoryStore, _ log: some CommitLog) throws {
        let receiver = Receiver()
        let mailbox = Mailbox<LoopMessage>(loop: eventLoop) { receiver.receive($0) }
        let router = Router(mailboxes: [mailbox], partitionCount: 1)
        pipeline = CommitPipeline(log: log, subscribers: [{ router.sendToAll(.progress($0)) }])
        loop = try PartitionLoop(
            loop: eventLoop, router: router, store: store, pipeline: pipeline, configuration: Configuration(),
            registry: Registry())
        receiver.loop = loop
    }
}
