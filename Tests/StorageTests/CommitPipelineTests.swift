import HoldfastEngine
import HoldfastStorage
import Synchronization
import Testing

#if canImport(Glibc)
    import Glibc
#endif

@Suite struct CommitPipelineTests {
    @Test(.timeLimit(.minutes(5))) func `requests that arrive during a sync share the next one`() throws {
        let log = GatedLog()
        let heard = Heard()
        let pipeline = CommitPipeline(log: log, subscribers: [heard.hear])
        pipeline.request(upTo: log.append(), for: 0)
        log.awaitSync(1)
        for _ in 0..<100 { pipeline.request(upTo: log.append(), for: 0) }
        log.finishSync()
        log.awaitSync(2)
        log.finishSync()
        pipeline.stop()
        #expect(log.syncCount == 2)
        #expect(heard.all == [.durable(1), .durable(101)])
    }

    @Test(.timeLimit(.minutes(5))) func `a position is told only when a sync that began after its commit is done`()
        throws
    {
        let log = GatedLog()
        let heard = Heard()
        let pipeline = CommitPipeline(log: log, subscribers: [heard.hear])
        pipeline.request(upTo: log.append(), for: 0)
        log.awaitSync(1)
        pipeline.request(upTo: log.append(), for: 0)
        #expect(heard.all.isEmpty)
        log.finishSync()
        log.awaitSync(2)
        #expect(heard.all == [.durable(1)])
        log.finishSync()
        pipeline.stop()
        #expect(heard.all == [.durable(1), .durable(2)])
    }

    @Test(.timeLimit(.minutes(5))) func `who asks hears of it in growing order, and nobody else is woken`() throws {
        let store = MemoryStore()
        let heard = [Heard(), Heard(), Heard()]
        let pipeline = CommitPipeline(store: store, subscribers: heard.map { $0.hear })
        for turn in 1...1000 {
            pipeline.request(upTo: try store.commit(["key": "\(turn)"]), for: turn <= 500 ? 0 : 1)
        }
        pipeline.stop()
        let positions = heard.map { $0.all.compactMap(\.position) }
        #expect(positions.map(\.count) == heard.map(\.all.count), "nothing but positions")
        #expect(positions.allSatisfy { $0 == $0.sorted() })
        #expect(try #require(positions[0].last) >= 500)
        #expect(positions[1].last == 1000)
        #expect(heard[2].all.isEmpty)
    }

    @Test(.timeLimit(.minutes(5))) func `what is durable already is told without a sync`() throws {
        let log = GatedLog()
        let heard = [Heard(), Heard()]
        let pipeline = CommitPipeline(log: log, subscribers: heard.map { $0.hear })
        let positions = [log.append(), log.append()]
        pipeline.request(upTo: positions[1], for: 1)
        log.awaitSync(1)
        log.finishSync()
        heard[1].await(.durable(2))
        pipeline.request(upTo: positions[0], for: 0)
        pipeline.stop()
        #expect(heard[0].all == [.durable(2)])
        #expect(log.syncCount == 1)
    }

    @Test(.timeLimit(.minutes(5))) func `what was requested before the stop is told, whatever the thread is at`() throws
    {
        let store = MemoryStore()
        for turn in 0..<100 {
            let heard = Heard()
            // The thread looks at one after the other; the last request comes while it does, or as it falls asleep.
            let others = [@Sendable (CommitPipeline.Progress) -> Void](repeating: { _ in }, count: 1000)
            let pipeline = CommitPipeline(store: store, subscribers: [heard.hear] + others)
            let first = try store.commit(["key": "1"])
            pipeline.request(upTo: first, for: 0)
            heard.await(.durable(first.rawValue))
            for _ in 0..<turn / 10 { _ = pipeline.isIdle }
            let last = try store.commit(["key": "2"])
            pipeline.request(upTo: last, for: 0)
            pipeline.stop()
            #expect(heard.all == [.durable(first.rawValue), .durable(last.rawValue)])
        }
    }

    @Test(.timeLimit(.minutes(5))) func `a sync that fails ends the pipeline, and is told once`() throws {
        let store = MemoryStore()
        let heard = Heard()
        let pipeline = CommitPipeline(store: store, subscribers: [heard.hear])
        let position = try store.commit(["key": "1"])
        store.fail(with: StorageError(.failed, "no space"))
        for _ in 0..<3 { pipeline.request(upTo: position, for: 0) }
        pipeline.stop()
        pipeline.request(upTo: position, for: 0)
        #expect(heard.all == [.ended("no space")])
    }

    @Test(.timeLimit(.minutes(5))) func `a fenced log ends the pipeline`() throws {
        let log = GatedLog()
        let heard = Heard()
        let pipeline = CommitPipeline(log: log, subscribers: [heard.hear])
        pipeline.request(upTo: log.append(), for: 0)
        log.awaitSync(1)
        log.finishSync(failing: .fenced)
        pipeline.stop()
        #expect(heard.all == [.ended("fenced")])
    }

    @Test(.timeLimit(.minutes(5))) func `many threads that commit at once are all told`() async throws {
        let store = MemoryStore()
        let heard = Heard()
        let pipeline = CommitPipeline(store: store, subscribers: [heard.hear])
        await withTaskGroup(of: Void.self) { group in
            for thread in 0..<4 {
                group.addTask {
                    for turn in 0..<500 {
                        guard let position = try? store.commit(["\(thread)": "\(turn)"]) else { return }
                        pipeline.request(upTo: position, for: 0)
                    }
                }
            }
        }
        pipeline.stop()
        #expect(heard.all.last == .durable(2000))
    }
}

/// What a subscriber heard.
final class Heard: Sendable {
    enum Message: Equatable {
        case durable(UInt64)
        case ended(String)

        var position: UInt64? { if case .durable(let position) = self { position } else { nil } }
    }

    private let messages = Mutex<[Message]>([])

    var all: [Message] { messages.withLock { $0 } }

    func await(_ message: Message) { while !all.contains(message) { sched_yield() } }

    var hear: @Sendable (CommitPipeline.Progress) -> Void {
        { [self] progress in
            let message: Message =
                switch progress {
                case .durable(let position): .durable(position.rawValue)
                case .ended(.fenced): .ended("fenced")
                case .ended(.unknown(let error)): .ended(error.message)
                }
            messages.withLock { $0.append(message) }
        }
    }
}

/// A log whose syncs end when the test says so.
final class GatedLog: CommitLog {
    private struct State {
        var appended: UInt64 = 0
        var begun = 0
        var allowed = 0
        var failure: CommitEnd?
    }

    private let state = Mutex(State())

    var latestPosition: CommitPosition { CommitPosition(rawValue: state.withLock { $0.appended }) }
    var syncCount: Int { state.withLock { $0.begun } }

    func append() -> CommitPosition {
        state.withLock { state in
            state.appended += 1
            return CommitPosition(rawValue: state.appended)
        }
    }

    func makeDurable() throws(CommitEnd) -> CommitPosition {
        let (number, position) = state.withLock { state in
            state.begun += 1
            return (state.begun, CommitPosition(rawValue: state.appended))
        }
        poll { $0.allowed >= number }
        if let failure = state.withLock({ $0.failure }) { throw failure }
        return position
    }

    func awaitSync(_ number: Int) { poll { $0.begun >= number } }

    func finishSync(failing failure: CommitEnd? = nil) {
        state.withLock { state in
            state.failure = failure
            state.allowed += 1
        }
    }

    private func poll(_ condition: (State) -> Bool) {
        while !state.withLock({ condition($0) }) { sched_yield() }
    }
}
