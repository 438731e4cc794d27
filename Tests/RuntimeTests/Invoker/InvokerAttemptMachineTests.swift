import HoldfastEngine
import HoldfastWire
import Testing

@testable import HoldfastRuntime

@Suite struct InvokerAttemptMachineTests {
    private let policy = RetryPolicy(
        initialInterval: 100, factor: 2, maxInterval: 500, maxAttempts: 3, onMaxAttempts: .pause)
    private let error = AttemptError("boom", "RT0007")

    private func opened(epoch: UInt32 = 1) -> Probe {
        let machine = Probe()
        #expect(machine.started(epoch: epoch, isNewSeries: true))
        machine.slotGranted()
        return machine
    }

    private func fail(_ machine: Probe, _ error: AttemptError, at now: UInt64) -> AttemptMachine.Verdict {
        machine.failed(error, policy: policy, now: Timestamp(millis: now))
    }

    @Test func `a start is news once`() {
        let machine = Probe()
        #expect(machine.started(epoch: 4, isNewSeries: true))
        #expect(!machine.started(epoch: 4, isNewSeries: true))
        machine.slotGranted()
        #expect(!machine.started(epoch: 4, isNewSeries: true))
        #expect(!machine.started(epoch: 3, isNewSeries: true))
        #expect(machine.started(epoch: 5, isNewSeries: true))
    }

    @Test func `a failed attempt is followed by a start when it is recorded and the delay is over`() {
        let machine = opened()
        #expect(fail(machine, error, at: 1000) == .retry(at: Timestamp(millis: 1100)))
        #expect(machine.retryDue == Timestamp(millis: 1100))
        #expect(machine.retryRecorded(epoch: 2) == .nothing)
        #expect(machine.delayIsOver(now: Timestamp(millis: 1099)) == .nothing)
        #expect(machine.delayIsOver(now: Timestamp(millis: 1100)) == .requestStart(epoch: 2))
        #expect(machine.delayIsOver() == .nothing)
        #expect(machine.retryDue == nil)
        #expect(machine.started(epoch: 2, isNewSeries: false))
    }

    @Test func `the record may come after the delay`() {
        let machine = opened()
        _ = fail(machine, error, at: 0)
        #expect(machine.delayIsOver() == .nothing)
        #expect(machine.retryRecorded(epoch: 2) == .requestStart(epoch: 2))
        #expect(machine.retryRecorded(epoch: 2) == .nothing)
    }

    @Test func `a record of a former failure does not end a back-off`() {
        let machine = opened(epoch: 7)
        _ = fail(machine, error, at: 0)
        #expect(machine.retryRecorded(epoch: 7) == .nothing)
        #expect(machine.delayIsOver() == .nothing)
        #expect(machine.retryRecorded(epoch: 8) == .requestStart(epoch: 8))
    }

    @Test func `while it backs off only a later epoch starts it`() {
        let machine = opened()
        _ = fail(machine, error, at: 0)
        #expect(!machine.started(epoch: 1, isNewSeries: false))
        _ = machine.retryRecorded(epoch: 2)
        #expect(!machine.started(epoch: 2, isNewSeries: false))
        #expect(machine.started(epoch: 3, isNewSeries: true))
        #expect(machine.delayIsOver() == .nothing)
    }

    @Test func `the policy counts the first attempt, and its last failure pauses`() {
        let machine = opened()
        #expect(fail(machine, error, at: 0) == .retry(at: Timestamp(millis: 100)))
        restart(machine, epoch: 2)
        #expect(fail(machine, error, at: 0) == .retry(at: Timestamp(millis: 200)))
        restart(machine, epoch: 3)
        #expect(machine.attempts == 3)
        #expect(fail(machine, error, at: 0) == .pause)
        #expect(machine.delayIsOver() == .nothing)
    }

    @Test func `a new series counts from the beginning`() {
        let machine = opened()
        _ = fail(machine, error, at: 0)
        restart(machine, epoch: 2)
        _ = fail(machine, error, at: 0)
        #expect(machine.failures == 2)
        #expect(machine.started(epoch: 9, isNewSeries: true))
        machine.slotGranted()
        #expect(machine.failures == 0)
        #expect(machine.failuresSinceLastEntry == 0)
        #expect(machine.attempts == 1)
    }

    @Test func `with kill the invocation ends with the last failure`() {
        let kill = RetryPolicy(initialInterval: 1, factor: 1, maxInterval: nil, maxAttempts: 1, onMaxAttempts: .kill)
        let machine = opened()
        #expect(machine.failed(error, policy: kill, now: Timestamp(millis: 0)) == .end)
    }

    @Test func `a delay of its own neither asks the policy nor uses it up`() {
        var busy = error
        busy.retryAfter = 300
        let machine = opened()
        for epoch in 2...20 as ClosedRange<UInt32> {
            #expect(fail(machine, busy, at: 5) == .retry(at: Timestamp(millis: 305)))
            restart(machine, epoch: epoch)
        }
        #expect(machine.failures == 0)
        #expect(fail(machine, error, at: 0) == .retry(at: Timestamp(millis: 100)))
    }

    @Test func `the SDK's behavior goes before the policy`() {
        for (behavior, verdict) in [(AttemptError.Behavior.pause, AttemptMachine.Verdict.pause), (.fail, .end)] {
            let machine = opened()
            var decided = error
            decided.behavior = behavior
            decided.retryAfter = 10
            #expect(fail(machine, decided, at: 0) == verdict)
        }
    }

    @Test func `what no attempt can mend is given up at once`() {
        var hopeless = error
        hopeless.isTransient = false
        hopeless.retryAfter = 10
        let machine = opened()
        #expect(fail(machine, hopeless, at: 0) == .pause)
    }

    @Test func `the count for the SDK restarts with a new command and skips what never reached it`() {
        let machine = opened()
        _ = fail(machine, error, at: 0)
        restart(machine, epoch: 2)
        #expect(machine.failuresSinceLastEntry == 1)
        _ = fail(machine, .noDeployment, at: 0)
        restart(machine, epoch: 3)
        #expect(machine.failuresSinceLastEntry == 1)
        machine.gotCommand()
        #expect(machine.failuresSinceLastEntry == 0)
        #expect(machine.failures == 2)
    }

    @Test func `after its end an attempt cannot fail any more`() {
        let machine = opened()
        machine.finished()
        #expect(fail(machine, error, at: 0) == .end)
        #expect(machine.delayIsOver() == .nothing)
        #expect(machine.retryRecorded(epoch: 2) == .nothing)
        #expect(machine.started(epoch: 2, isNewSeries: true))
    }

    @Test func `in any order of inputs each epoch is asked for once, after its failure, and epochs grow`() {
        for seed in 0..<500 as Range<UInt64> {
            var random = FastRandom(seed: seed)
            let machine = Probe()
            var asked: [UInt32] = []
            var opened: [UInt32] = []
            var epoch: UInt32 = 1
            func note(_ action: AttemptMachine.Action) {
                if case .requestStart(let epoch) = action { asked.append(epoch) }
            }
            for _ in 0..<60 {
                switch Int.random(in: 0..<8, using: &random) {
                case 0, 1:
                    let offered = epoch &- UInt32.random(in: 0...1, using: &random)
                    if machine.started(epoch: offered, isNewSeries: Bool.random(using: &random)) {
                        opened.append(offered)
                    }
                case 2: machine.slotGranted()
                case 3:
                    if case .retry = fail(machine, error, at: 0) { epoch += 1 }
                case 4: note(machine.retryRecorded(epoch: epoch))
                case 5: note(machine.delayIsOver())
                case 6: note(machine.delayIsOver(now: Timestamp(millis: 50)))
                default: machine.finished()
                }
            }
            #expect(asked == Array(Set(asked)).sorted())
            #expect(opened == Array(Set(opened)).sorted())
        }
    }

    private func restart(_ machine: Probe, epoch: UInt32) {
        _ = machine.delayIsOver()
        #expect(machine.retryRecorded(epoch: epoch) == .requestStart(epoch: epoch))
        #expect(machine.started(epoch: epoch, isNewSeries: false))
        machine.slotGranted()
    }
}

/// A machine that expectations can call: they cannot call mutating functions.
private final class Probe {
    private var machine = AttemptMachine()

    var failures: UInt32 { machine.failures }
    var attempts: UInt64 { machine.attempts }
    var failuresSinceLastEntry: UInt32 { machine.failuresSinceLastEntry }
    var retryDue: Timestamp? { machine.retryDue }

    func started(epoch: UInt32, isNewSeries: Bool) -> Bool { machine.started(epoch: epoch, isNewSeries: isNewSeries) }
    func slotGranted() { machine.slotGranted() }
    func gotCommand() { machine.gotCommand() }
    func finished() { machine.finished() }
    func retryRecorded(epoch: UInt32) -> AttemptMachine.Action { machine.retryRecorded(epoch: epoch) }
    func delayIsOver(now: Timestamp = .distantFuture) -> AttemptMachine.Action { machine.delayIsOver(now: now) }

    func failed(_ error: AttemptError, policy: RetryPolicy, now: Timestamp) -> AttemptMachine.Verdict {
        machine.failed(error, policy: policy, now: now, jitter: 0)
    }
}

@Suite struct InvokerRetryDelayTests {
    @Test func `delays double up to the maximum, then the random part is added`() {
        let policy = RetryPolicy(
            initialInterval: 500, factor: 2, maxInterval: 60_000, maxAttempts: nil, onMaxAttempts: .pause)
        let delays = (1...9).map { policy.delay(afterFailures: $0, jitter: 0) }
        #expect(delays == [500, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000])
        #expect(policy.delay(afterFailures: 1, jitter: 0.999) == 649)
        #expect(policy.delay(afterFailures: .max, jitter: 0.5) == 69_000)
    }

    @Test func `no attempts are left after the last one, and zero attempts are one`() {
        func policy(_ attempts: UInt32) -> RetryPolicy {
            RetryPolicy(
                initialInterval: 10, factor: 1, maxInterval: nil, maxAttempts: attempts, onMaxAttempts: .pause)
        }
        #expect(policy(2).delay(afterFailures: 1, jitter: 0) == 10)
        #expect(policy(2).delay(afterFailures: 2, jitter: 0) == nil)
        #expect(policy(1).delay(afterFailures: 1, jitter: 0) == nil)
        #expect(policy(0).delay(afterFailures: 1, jitter: 0) == nil)
    }

    @Test func `extreme policies stay finite`() {
        for factor in [0, 1, 1e300, .infinity, .nan, -3] {
            let policy = RetryPolicy(
                initialInterval: .max, factor: factor, maxInterval: nil, maxAttempts: nil, onMaxAttempts: .pause)
            let delay = policy.delay(afterFailures: .max, jitter: 1) ?? 0
            #expect(delay <= 365 * 24 * 3600 * 1300)
        }
    }
}
