import HoldfastEngine
import HoldfastWire

/// The attempts of one invocation, one after the other, each under an epoch of its own.
///
///     idle ──started──▶ waiting ──slotGranted──▶ open ──finished──▶ finished
///                          ▲                       │
///                          │                failed ▼
///                      requested ◀───both────── backingOff
///
/// A back-off ends when its delay is over *and* the partition has recorded the failure, which it tells by the epoch of
/// the next attempt: so the next attempt replays whatever the failed one had said. The machine then asks the partition
/// for a fresh start, because what it knew of the journal is out of date.
struct AttemptMachine {
    /// What has to be done next.
    enum Action: Equatable {
        case nothing
        /// Submit `Command.startAttempt` with this epoch.
        case requestStart(epoch: UInt32)
    }

    /// What a failed attempt is followed by.
    enum Verdict: Equatable {
        /// Another attempt, not before this moment.
        case retry(at: Timestamp)
        /// The invocation pauses.
        case pause
        /// The invocation ends with the attempt's error.
        case end
    }

    private enum State: Equatable {
        /// Nothing was started yet.
        case idle
        /// A start waits for a slot.
        case waiting(epoch: UInt32)
        /// An attempt may send messages.
        case open(epoch: UInt32)
        /// The attempt failed. `next` comes from the partition, `isOver` from the timer.
        case backingOff(failed: UInt32, next: UInt32?, due: Timestamp, isOver: Bool)
        /// The partition was asked to start this epoch.
        case requested(epoch: UInt32)
        /// The attempt has said its last word; the partition decides what follows.
        case finished(epoch: UInt32)
    }

    private var state = State.idle
    /// Attempts of this series that failed and count for the policy.
    private(set) var failures: UInt32 = 0
    /// Attempts of this series that were opened: what operators see as retry count.
    private(set) var attempts: UInt64 = 0
    /// Failed attempts since the last one that brought a new command: what SDKs count the tries of a step by.
    private(set) var failuresSinceLastEntry: UInt32 = 0

    /// A series that begins, or goes on from where its tries stood in the store.
    init(behind backOff: BackOff? = nil) {
        guard let backOff else { return }
        failures = backOff.failures
        attempts = backOff.attempts
        failuresSinceLastEntry = backOff.failuresSinceLastEntry
    }

    /// Whether an attempt is open.
    var isOpen: Bool {
        if case .open = state { true } else { false }
    }

    /// Whether a start waits for a slot, under this epoch.
    func isWaiting(epoch: UInt32) -> Bool { state == .waiting(epoch: epoch) }

    /// When the back-off ends; nil when there is none.
    var retryDue: Timestamp? {
        if case .backingOff(_, _, let due, _) = state { due } else { nil }
    }

    // MARK: - Start

    /// The partition wants an attempt. False when it is no news: it runs, waits or backs off under this epoch already,
    /// or it was superseded.
    mutating func started(epoch: UInt32, isNewSeries: Bool) -> Bool {
        switch state {
        case .idle: break
        case .waiting(let current), .open(let current), .finished(let current):
            guard epoch > current else { return false }
        case .requested(let awaited):
            guard epoch >= awaited else { return false }
        case .backingOff(let failed, let next, _, _):
            // With the epoch that the back-off ends in, it is the back-off that says when.
            guard epoch > next ?? failed else { return false }
        }
        if isNewSeries {
            failures = 0
            attempts = 0
            failuresSinceLastEntry = 0
        }
        state = .waiting(epoch: epoch)
        return true
    }

    /// There is room for the attempt that was started last.
    mutating func slotGranted() {
        guard case .waiting(let epoch) = state else { return }
        state = .open(epoch: epoch)
        attempts &+= 1
    }

    // MARK: - The attempt

    /// The attempt brought a new command (a proposal is none).
    mutating func gotCommand() { failuresSinceLastEntry = 0 }

    /// The attempt ended or suspended.
    mutating func finished() {
        guard case .open(let epoch) = state else { return }
        state = .finished(epoch: epoch)
    }

    /// The attempt failed: decides what follows (protocol §10).
    mutating func failed(
        _ error: AttemptError, policy: RetryPolicy, now: Timestamp, jitter: @autoclosure () -> Double
    ) -> Verdict {
        guard case .open(let epoch) = state else { return .end }
        if error.reachedSDK, failuresSinceLastEntry < .max { failuresSinceLastEntry += 1 }
        let verdict = verdict(on: error, policy: policy, now: now, jitter: jitter)
        if case .retry(let due) = verdict {
            state = .backingOff(failed: epoch, next: nil, due: due, isOver: false)
        } else {
            state = .finished(epoch: epoch)
        }
        return verdict
    }

    private mutating func verdict(
        on error: AttemptError, policy: RetryPolicy, now: Timestamp, jitter: () -> Double
    ) -> Verdict {
        switch error.behavior {
        case .pause: return .pause
        case .fail: return .end
        case .byPolicy: break
        }
        if error.isTransient {
            // A delay of its own neither asks the policy nor uses it up: a step may retry for ever.
            if let delay = error.retryAfter { return .retry(at: now.advanced(by: delay)) }
            if failures < .max { failures += 1 }
            if let delay = policy.delay(afterFailures: failures, jitter: jitter()) {
                return .retry(at: now.advanced(by: delay))
            }
        }
        return policy.onMaxAttempts == .pause ? .pause : .end
    }

    // MARK: - Back-off

    /// The partition has recorded the failure.
    mutating func retryRecorded(epoch: UInt32) -> Action {
        guard case .backingOff(let failed, nil, let due, let isOver) = state, epoch > failed else { return .nothing }
        state = .backingOff(failed: failed, next: epoch, due: due, isOver: isOver)
        return endBackOffIfBoth()
    }

    /// The delay is over, if it was to end by now; or somebody does not want to wait for it.
    mutating func delayIsOver(now: Timestamp = .distantFuture) -> Action {
        guard case .backingOff(let failed, let next, let due, false) = state, due <= now else { return .nothing }
        state = .backingOff(failed: failed, next: next, due: due, isOver: true)
        return endBackOffIfBoth()
    }

    private mutating func endBackOffIfBoth() -> Action {
        guard case .backingOff(_, let next?, _, true) = state else { return .nothing }
        state = .requested(epoch: next)
        return .requestStart(epoch: next)
    }
}
