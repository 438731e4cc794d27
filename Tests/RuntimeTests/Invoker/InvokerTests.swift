import HoldfastEngine
import HoldfastServiceProtocol
import HoldfastWire
import Testing

@testable import HoldfastRuntime

@Suite struct InvokerTests {
    private let world = InvokerWorld()
    private let id = InvokerFixtures.id

    private func fail(_ code: UInt32 = 500, delay: UInt64? = nil) {
        world.stream.accept()
        world.stream.say(Sent(ErrorMessage(code: code, message: "boom", nextRetryDelayMillis: delay)))
    }

    @Test func `the next attempt begins when the failure is recorded and the delay is over`() throws {
        let invoker = world.invoker()
        invoker.startAttempt(InvokerFixtures.start(), in: 0)
        fail(delay: 300)
        #expect(world.takeLines() == ["1: failed [500 RT0007] boom, retry"])
        invoker.retryLater(id, epoch: 2)
        world.pass(299)
        #expect(world.takeLines() == [])
        world.pass(1)
        #expect(world.takeLines() == ["start 2"])
        invoker.startAttempt(InvokerFixtures.start(epoch: 2, isNewSeries: false), in: 0)
        #expect(world.streams.count == 2)
        let message = try StartMessage(decoding: try #require(world.stream.takeFrames().first).payload)
        #expect(message.retryCount == 1)
    }

    @Test func `a failure that is recorded late does not make the back-off longer`() {
        let invoker = world.invoker()
        invoker.startAttempt(InvokerFixtures.start(), in: 0)
        fail(delay: 300)
        _ = world.takeLines()
        world.pass(1000)
        invoker.retryLater(id, epoch: 2)
        #expect(world.takeLines() == ["start 2"])
    }

    @Test func `an operator ends the back-off`() {
        let invoker = world.invoker()
        invoker.startAttempt(InvokerFixtures.start(), in: 0)
        fail(delay: 3_000_000)
        _ = world.takeLines()
        invoker.retryLater(id, epoch: 2)
        #expect(invoker.liveInvocations.first?.nextRetry != nil)
        invoker.retryNow(id)
        #expect(world.takeLines() == ["start 2"])
        #expect(invoker.liveInvocations.first?.nextRetry == nil)
    }

    @Test func `what is stopped while it backs off is remembered until it goes on`() {
        let invoker = world.invoker()
        invoker.startAttempt(InvokerFixtures.start(), in: 0)
        fail(delay: 3_000_000)
        invoker.retryLater(id, epoch: 2)
        invoker.pauseAttempt(id)
        let live = invoker.liveInvocations
        #expect(live.map(\.isStopped) == [true])
        #expect(live.first?.attempts == 1 && live.first?.nextRetry != nil && live.first?.lastFailure != nil)
        invoker.startAttempt(InvokerFixtures.start(epoch: 3), in: 0)
        #expect(invoker.liveInvocations.map(\.isStopped) == [false])
        invoker.abortAttempt(id)
        #expect(invoker.liveInvocations.isEmpty)
    }

    @Test func `the policy's last attempt pauses the invocation`() {
        var defaults = InvocationDefaults()
        defaults.retryPolicy = RetryPolicy(
            initialInterval: 10, factor: 2, maxInterval: 100, maxAttempts: 2, onMaxAttempts: .pause)
        world.registry = Registry(deployments: [InvokerFixtures.deployment()], rules: RuleBook(), defaults: defaults)
        let invoker = world.invoker()
        invoker.startAttempt(InvokerFixtures.start(), in: 0)
        fail()
        invoker.retryLater(id, epoch: 2)
        world.pass(13)
        #expect(world.takeLines() == ["1: failed [500 RT0007] boom, retry", "start 2"])
        invoker.startAttempt(InvokerFixtures.start(epoch: 2, isNewSeries: false), in: 0)
        fail()
        #expect(world.takeLines() == ["2: failed [500 RT0007] boom, pause"])
    }

    @Test func `a busy endpoint says itself when to come back, as often as it likes`() {
        let invoker = world.invoker()
        for epoch in 1...80 as ClosedRange<UInt32> {
            invoker.startAttempt(InvokerFixtures.start(epoch: epoch, isNewSeries: false), in: 0)
            world.stream.attempt.headArrived(status: 429, contentType: nil, retryAfter: "1", server: nil)
            invoker.retryLater(id, epoch: epoch + 1)
            world.pass(999)
            #expect(world.takeLines().count == 1)
            world.pass(1)
            #expect(world.takeLines() == ["start \(epoch + 1)"])
        }
    }

    @Test func `an endpoint that refuses the request has not failed`() throws {
        let invoker = world.invoker()
        for epoch in 1...80 as ClosedRange<UInt32> {
            invoker.startAttempt(InvokerFixtures.start(epoch: epoch, isNewSeries: false), in: 0)
            let message = try StartMessage(decoding: try #require(world.stream.takeFrames().first).payload)
            #expect(message.retryCount == 0)
            world.stream.attempt.refused("GOAWAY")
            invoker.retryLater(id, epoch: epoch + 1)
            world.pass(250)
            #expect(world.takeLines().last == "start \(epoch + 1)")
        }
    }

    @Test func `a registration ends the back-off of those who waited for it`() {
        world.registry = Registry()
        let invoker = world.invoker()
        invoker.startAttempt(InvokerFixtures.start(), in: 0)
        invoker.retryLater(id, epoch: 2)
        _ = world.takeLines()
        world.registry = InvokerFixtures.registry
        invoker.registryChanged()
        #expect(world.takeLines() == ["start 2"])
        invoker.startAttempt(InvokerFixtures.start(epoch: 2, isNewSeries: false), in: 0)
        fail(delay: 1000)
        invoker.retryLater(id, epoch: 3)
        _ = world.takeLines()
        invoker.registryChanged()
        #expect(world.takeLines() == [])
    }

    @Test func `a newer epoch cuts off the attempt of the older one`() {
        let invoker = world.invoker()
        invoker.startAttempt(InvokerFixtures.start(), in: 0)
        invoker.startAttempt(InvokerFixtures.start(), in: 0)
        #expect(world.streams.count == 1)
        invoker.startAttempt(InvokerFixtures.start(epoch: 2), in: 0)
        #expect(world.streams.count == 2)
        #expect(world.streams[0].isCancelled && !world.streams[1].isCancelled)
        world.streams[0].accept()
        world.streams[0].say(Sent(EndMessage()))
        #expect(world.takeLines() == [])
    }

    @Test func `what is aborted says nothing any more, and leaves nothing behind`() {
        let invoker = world.invoker()
        invoker.startAttempt(InvokerFixtures.start(), in: 0)
        world.stream.accept()
        invoker.abortAttempt(id)
        #expect(world.stream.isCancelled)
        world.stream.say(Sent(EndMessage()))
        world.stream.attempt.broke("reset")
        #expect(world.takeLines() == [])
        #expect(invoker.liveInvocations.isEmpty)
    }

    @Test func `starts beyond the limit wait, and hear of what comes meanwhile`() throws {
        let invoker = world.invoker { $0.attemptCountLimit = 1 }
        let second = InvokerFixtures.id(2)
        invoker.startAttempt(InvokerFixtures.start(), in: 0)
        invoker.startAttempt(InvokerFixtures.start(second), in: 0)
        #expect(world.streams.count == 1)
        world.journals[second] = [(.input, []), (.signal, Notification.signal(.signal(1), .void).payload)]
        invoker.forward(second, epoch: 1, index: 1, type: .signal, payload: [])
        world.stream.accept()
        world.stream.say(Sent(EndMessage()))
        #expect(world.streams.count == 2)
        let frames = world.stream.takeFrames()
        #expect(frames.map(\.type) == [.start, .input, .signal])
        #expect(try StartMessage(decoding: try #require(frames.first).payload).knownEntries == 2)
    }

    @Test func `a start that is aborted while it waits is never opened`() {
        let invoker = world.invoker { $0.attemptCountLimit = 1 }
        invoker.startAttempt(InvokerFixtures.start(), in: 0)
        invoker.startAttempt(InvokerFixtures.start(InvokerFixtures.id(2)), in: 0)
        invoker.abortAttempt(InvokerFixtures.id(2))
        invoker.abortAttempt(id)
        #expect(world.streams.count == 1)
    }

    @Test func `starts that are too many wait in the store, and are taken up in their order`() {
        let invoker = world.invoker {
            $0.attemptCountLimit = 1
            $0.waitingCountLimit = 4
        }
        for number in 1...20 { invoker.startAttempt(InvokerFixtures.start(InvokerFixtures.id(number)), in: 0) }
        #expect(invoker.liveInvocations.count == 5)
        var stored: [InvocationID] = []
        var opened: [InvocationID] = []
        while opened.count < 20 {
            let stream = world.stream
            guard !opened.contains(stream.attempt.start.id) else {
                Issue.record("no further attempt")
                return
            }
            opened.append(stream.attempt.start.id)
            stream.accept()
            stream.say(Sent(EndMessage()))
            invoker.release(stream.attempt.start.id)
            // One that comes now does not overtake those that wait.
            if opened.count == 3 { invoker.startAttempt(InvokerFixtures.start(InvokerFixtures.id(21)), in: 0) }
            for command in world.takeCommands() {
                switch command {
                case .deferStart(let id, _, _, _): stored.append(id)
                case .takeUpStarts(let deployment, _, let limit):
                    let starts = stored.prefix(limit).map { InvokerFixtures.start($0) }
                    stored.removeFirst(starts.count)
                    invoker.startDeferred(
                        starts, for: deployment, last: starts.count < limit ? nil : UInt64(opened.count), in: 0)
                default: break
                }
            }
            #expect(invoker.liveInvocations.count <= 5)
        }
        #expect(opened == (1...20).map { InvokerFixtures.id($0) })
        #expect(invoker.liveInvocations.map(\.id) == [InvokerFixtures.id(21)])
    }

    @Test func `what waited in the store when the process ended is asked for`() {
        let invoker = world.invoker { $0.waitingCountLimit = 32 }
        let deployment = InvokerFixtures.deploymentID
        invoker.foundDeferredStarts(for: [deployment], in: 3)
        invoker.foundDeferredStarts(for: [deployment], in: 5)
        // One partition at a time, each in its turn.
        #expect(world.takeLines() == ["\(Command.takeUpStarts(for: deployment, after: 0, limit: 2))"])
        invoker.startDeferred([InvokerFixtures.start()], for: deployment, last: 7, in: 3)
        #expect(world.streams.count == 1)
        #expect(world.takeLines() == ["\(Command.takeUpStarts(for: deployment, after: 0, limit: 2))"])
        invoker.startDeferred([], for: deployment, last: nil, in: 5)
        #expect(world.takeLines() == ["\(Command.takeUpStarts(for: deployment, after: 7, limit: 2))"])
        invoker.startDeferred([], for: deployment, last: nil, in: 3)
        #expect(world.takeLines() == [])
    }

    @Test func `a free slot is not for one that comes when many wait in the store`() {
        let invoker = world.invoker()
        invoker.foundDeferredStarts(for: [InvokerFixtures.deploymentID], in: 0)
        _ = world.takeCommands()
        invoker.startAttempt(InvokerFixtures.start(), in: 0)
        #expect(world.streams.isEmpty)
        let deferral = Command.deferStart(id, epoch: 1, for: InvokerFixtures.deploymentID, behind: nil)
        #expect(world.takeLines() == ["\(deferral)"])
        // The last of them are on their way: one more that comes now need not go through the store.
        invoker.startDeferred([], for: InvokerFixtures.deploymentID, last: nil, in: 0)
        invoker.startAttempt(InvokerFixtures.start(InvokerFixtures.id(2)), in: 0)
        #expect(world.streams.count == 1)
    }

    @Test func `what was in memory when the process ended comes before what was in the store`() {
        let invoker = world.invoker { $0.attemptCountLimit = 1 }
        invoker.foundDeferredStarts(for: [InvokerFixtures.deploymentID], in: 0)
        _ = world.takeCommands()
        for number in 1...2 {
            invoker.startAttempt(InvokerFixtures.start(InvokerFixtures.id(number), isNewSeries: false), in: 0)
        }
        #expect(world.takeLines() == [])
        #expect(world.stream.attempt.start.id == InvokerFixtures.id(1))
        invoker.abortAttempt(InvokerFixtures.id(1))
        #expect(world.stream.attempt.start.id == InvokerFixtures.id(2))
    }

    @Test func `operators see what runs and what backs off`() {
        let invoker = world.invoker { $0.newestVersion = .v7 }
        invoker.startAttempt(InvokerFixtures.start(), in: 5)
        world.stream.accept(.v7)
        world.stream.say(Sent(.awaitingOn, hex: "0a080a01011201012801"))
        var live = invoker.liveInvocations
        #expect(live.count == 1)
        #expect(live[0].isInFlight && live[0].attempts == 1 && live[0].partition == 5)
        #expect(live[0].lastDeployment == InvokerFixtures.deploymentID && live[0].lastServer == "restate-sdk-x/1")
        #expect(live[0].lastStart == world.wallClock && live[0].awaitingOn != nil && live[0].nextRetry == nil)
        world.stream.say(Sent(ErrorMessage(code: 500, message: "boom", nextRetryDelayMillis: 50)))
        live = invoker.liveInvocations
        #expect(!live[0].isInFlight && live[0].lastFailure?.message == "boom" && live[0].awaitingOn == nil)
        #expect(live[0].nextRetry == world.wallClock.advanced(by: 50) && live[0].lastServer == "restate-sdk-x/1")
    }

    @Test func `a shut down invoker has cut everything off`() {
        let invoker = world.invoker { $0.attemptCountLimit = 2 }
        for number in 1...5 { invoker.startAttempt(InvokerFixtures.start(InvokerFixtures.id(number)), in: 0) }
        invoker.shutDown()
        #expect(world.streams.count == 2 && world.streams.allSatisfy(\.isCancelled))
        world.pass(1_000_000)
        #expect(world.takeLines() == [])
    }
}

@Suite struct InvokerRetryAfterTests {
    @Test func `seconds and dates say when to come back`() {
        let now = Timestamp(millis: 1_795_608_864_000)  // Wed, 25 Nov 2026 12:14:24 GMT
        let cases: [(String, UInt64?)] = [
            ("0", 0), (" 120 ", 120_000), ("18446744073709551615", .max), ("-1", nil), ("soon", nil), ("", nil),
            ("Wed, 25 Nov 2026 12:14:34 GMT", 10_000), ("25 Nov 2026 13:14:24 +0100", 0),
            ("Wed, 25 Nov 2026 12:00:00 GMT", 0), ("Thu, 26 Nov 2026 12:14:24 UTC", 86_400_000),
            ("Tue, 29 Feb 2028 12:14:24 GMT", 461 * 86_400_000), ("Wed, 25 Foo 2026 12:14:34 GMT", nil),
            ("Wed, 25 Nov 2026 25:14:34 GMT", nil), ("Wed, 25 Nov 2026", nil),
        ]
        for (text, milliseconds) in cases { #expect(RetryAfter.milliseconds(text, now: now) == milliseconds) }
    }
}
