import HoldfastEngine
import HoldfastWire

/// The nearest timers of a partition, in memory; all others are only in the store (rule 5).
///
///     stored timers:   t1 t2 t3 │ t4 t5 t6 t7 …
///     window:          t1 t2 t3 │
///                            horizon
///
/// Every stored timer up to the horizon is in the window; without a horizon, every one. A timer that was removed from
/// the store may still be here: firing it does nothing.
struct TimerWindow {
    /// Ascending.
    private var timers: [TimerKey] = []
    /// The last timer that the window knows of; nil: it knows all.
    private var horizon: TimerKey?
    private let capacity: Int

    /// An empty window of a store that may have timers: the first `refill` looks.
    init(capacity: Int) {
        precondition(capacity > 0, "a window without room could never fire a timer")
        self.capacity = capacity
        horizon = .beforeAll
    }

    /// When the nearest timer is due; nil when there is none.
    var nextDue: Timestamp? { timers.first?.due }

    /// Where to read on in the store; nil when the window has timers or knows all.
    var refillsAfter: TimerKey? { timers.isEmpty ? horizon : nil }

    /// A timer was stored.
    mutating func insert(_ timer: TimerKey) {
        if let horizon, timer > horizon { return }
        var (low, high) = (0, timers.count)
        while low < high {
            let middle = (low + high) / 2
            if timers[middle] < timer { low = middle + 1 } else { high = middle }
        }
        // A refill may have read it before its action was released.
        guard low == timers.count || timers[low] != timer else { return }
        timers.insert(timer, at: low)
        if timers.count > capacity {
            timers.removeLast()
            horizon = timers.last
        }
    }

    /// Removes and returns the timers that are due.
    mutating func takeDue(at now: Timestamp) -> [TimerKey] {
        let count = timers.firstIndex { $0.due > now } ?? timers.count
        guard count > 0 else { return [] }
        let due = Array(timers[..<count])
        timers.removeFirst(count)
        return due
    }

    /// Adds what the store has behind the horizon: at most `capacity`, and all of it when there are fewer.
    mutating func refill(_ stored: [TimerKey]) {
        horizon = stored.count < capacity ? nil : stored.last
        timers = stored
    }

    /// How many timers to read for a refill.
    var refillCount: Int { capacity }
}

extension TimerKey {
    /// Comes before every timer that there can be.
    static let beforeAll = TimerKey(
        due: Timestamp(millis: 0), kind: .sleep, id: InvocationID(partitionKey: 0, uuid: 0), incarnation: 0)
}
