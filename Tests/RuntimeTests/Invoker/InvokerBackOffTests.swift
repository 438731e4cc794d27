import HoldfastEngine
import HoldfastServiceProtocol
import HoldfastWire
import Testing

@testable import HoldfastRuntime

/// Back-offs are in memory up to a number; the others wait in the store.
@Suite struct InvokerBackOffTests {
    private let world = InvokerWorld()
    private let id = InvokerFixtures.id

    private func fail(delay: UInt64? = nil) {
        world.stream.accept()
        world.stream.say(Sent(ErrorMessage(code: 500, message: "boom", nextRetryDelayMillis: delay)))
    }

    /// The back-off that the last attempt's report hands to the store.
    private func takeStored() throws -> BackOff {
        for case .attempt(let report) in world.takeCommands() {
            if case .failed(_, .retryStored(let backOff))? = report.messages.last { return backOff }
        }
        throw Missing()
    }

    private struct Missing: Error {}

    @Test func `back-offs beyond the limit are handed to the store, and leave nothing in memory`() throws {
        let invoker = world.invoker { $0.backOffCountLimit = 2 }
        for number in 1...4 {
            invoker.startAttempt(InvokerFixtures.start(InvokerFixtures.id(number)), in: 0)
            fail(delay: 1000)
            let stored = number > 2
            #expect(
                world.takeLines() == ["1: failed [500 RT0007] boom, \(stored ? "stored after 1" : "retry")"])
            if stored {
                // Until that is recorded it is here, so that it is seen, and its epoch gets no second attempt.
                #expect(invoker.liveInvocations.count == 3)
                invoker.startAttempt(InvokerFixtures.start(InvokerFixtures.id(number)), in: 0)
                #expect(world.streams.count == number)
                invoker.backOffStored(InvokerFixtures.id(number), epoch: 2)
            } else {
                invoker.retryLater(InvokerFixtures.id(number), epoch: 2)
            }
        }
        #expect(Set(invoker.liveInvocations.map(\.id)) == [InvokerFixtures.id(1), InvokerFixtures.id(2)])
        world.pass(1000)
        #expect(world.takeLines() == ["start 2", "start 2"])
        // There is room again.
        invoker.startAttempt(InvokerFixtures.start(InvokerFixtures.id(5)), in: 0)
        fail(delay: 1000)
        #expect(world.takeLines() == ["1: failed [500 RT0007] boom, retry"])
    }

    @Test func `the room of a back-off that ends early is free`() {
        let invoker = world.invoker { $0.backOffCountLimit = 1 }
        for number in 1...50 {
            let id = InvokerFixtures.id(number)
            invoker.startAttempt(InvokerFixtures.start(id), in: 0)
            fail(delay: 1_000_000)
            #expect(world.takeLines() == ["1: failed [500 RT0007] boom, retry"])
            switch number % 4 {
            case 0: invoker.abortAttempt(id)
            case 1: invoker.release(id)
            case 2:
                invoker.retryLater(id, epoch: 2)
                invoker.retryNow(id)
                #expect(world.takeLines() == ["start 2"])
            default:
                invoker.startAttempt(InvokerFixtures.start(id, epoch: 3), in: 0)
                invoker.release(id)
            }
        }
    }

    @Test func `what waited in the store counts on: delays grow, and the last attempt is the last`() throws {
        var defaults = InvocationDefaults()
        defaults.retryPolicy = RetryPolicy(
            initialInterval: 1000, factor: 2, maxInterval: 100_000, maxAttempts: 5, onMaxAttempts: .pause)
        world.registry = Registry(deployments: [InvokerFixtures.deployment()], rules: RuleBook(), defaults: defaults)
        let invoker = world.invoker { $0.backOffCountLimit = 0 }
        var backOff: BackOff?
        for epoch in 1...4 as ClosedRange<UInt32> {
            invoker.startAttempt(
                InvokerFixtures.start(epoch: epoch, isNewSeries: epoch == 1, behind: backOff), in: 0)
            let message = try StartMessage(decoding: try #require(world.stream.takeFrames().first).payload)
            #expect(message.retryCount == epoch - 1)
            #expect(invoker.liveInvocations.map(\.attempts) == [UInt64(epoch)])
            fail()
            let stored = try takeStored()
            #expect(stored.attempts == UInt64(epoch) && stored.failures == epoch)
            #expect(stored.lastServer == "restate-sdk-x/1" && stored.lastDeployment == InvokerFixtures.deploymentID)
            #expect(stored.lastStart == world.wallClock && !stored.awaitsRegistration)
            let delay = stored.due.milliseconds(since: world.wallClock)
            #expect((1000 << (epoch - 1)...1300 << (epoch - 1)).contains(delay))
            invoker.backOffStored(id, epoch: epoch + 1)
            #expect(invoker.liveInvocations.isEmpty)
            backOff = stored
        }
        invoker.startAttempt(InvokerFixtures.start(epoch: 5, isNewSeries: false, behind: backOff), in: 0)
        fail()
        #expect(world.takeLines() == ["5: failed [500 RT0007] boom, pause"])
    }

    @Test func `whoever does not want to wait may come before the store has the back-off`() throws {
        let invoker = world.invoker { $0.backOffCountLimit = 0 }
        invoker.startAttempt(InvokerFixtures.start(), in: 0)
        fail(delay: 1_000_000)
        let backOff = try takeStored()
        invoker.retryNow(id)
        #expect(world.takeLines() == [])
        invoker.backOffStored(id, epoch: 2)
        #expect(world.takeLines() == ["start 2"])
        invoker.startAttempt(InvokerFixtures.start(epoch: 2, isNewSeries: false, behind: backOff), in: 0)
        #expect(world.streams.count == 2 && invoker.liveInvocations.map(\.attempts) == [2])
    }

    @Test func `a back-off for want of a deployment says that it waits for a registration`() throws {
        world.registry = Registry()
        let invoker = world.invoker { $0.backOffCountLimit = 0 }
        invoker.startAttempt(InvokerFixtures.start(), in: 0)
        #expect(try takeStored().awaitsRegistration)
        invoker.backOffStored(id, epoch: 2)
        #expect(invoker.liveInvocations.isEmpty)
        invoker.registryChanged()
        #expect(world.takeLines() == [])
    }

    @Test func `who has failed before takes its count along when its start has to wait in the store`() throws {
        let invoker = world.invoker {
            $0.attemptCountLimit = 1
            $0.waitingCountLimit = 0
        }
        invoker.startAttempt(InvokerFixtures.start(), in: 0)
        fail(delay: 10)
        invoker.retryLater(id, epoch: 2)
        invoker.startAttempt(InvokerFixtures.start(InvokerFixtures.id(3)), in: 0)
        world.pass(10)
        _ = world.takeLines()
        // The few that are guaranteed to the deployment wait in memory.
        invoker.startAttempt(InvokerFixtures.start(InvokerFixtures.id(4)), in: 0)
        #expect(world.takeLines() == [])
        invoker.startAttempt(InvokerFixtures.start(epoch: 2, isNewSeries: false), in: 0)
        var deferred: BackOff?
        for case .deferStart(id, epoch: 2, _, let backOff) in world.takeCommands() { deferred = backOff }
        let backOff = try #require(deferred)
        #expect(backOff.attempts == 1 && backOff.failuresSinceLastEntry == 1 && backOff.due == world.wallClock)
        #expect(!invoker.liveInvocations.contains { $0.id == id })

        let start = InvokerFixtures.start(epoch: 2, isNewSeries: false, behind: backOff)
        invoker.startDeferred([start], for: InvokerFixtures.deploymentID, last: nil, in: 0)
        #expect(invoker.liveInvocations.first { $0.id == id }?.attempts == 1)
        invoker.abortAttempt(InvokerFixtures.id(3))
        invoker.abortAttempt(InvokerFixtures.id(4))
        #expect(world.stream.attempt.start.id == id)
        #expect(invoker.liveInvocations.first { $0.id == id }?.attempts == 2)
    }
}
