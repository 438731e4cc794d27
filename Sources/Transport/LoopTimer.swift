/// Work that a loop does at a later time. Obtained from `EventLoop.schedule`; used on the loop only.
public final class LoopTimer {
    private unowned let loop: EventLoop
    private let body: () -> Void
    private let repeating: UInt64?
    /// When the body runs next; nil when it does not. `queuedDeadline <= deadline` while the timer is queued.
    private(set) var deadline: UInt64?
    /// Where the loop's queue holds this timer; nil when it does not.
    fileprivate var position: Int?
    /// When the queue looks at this timer, which may be earlier than `deadline`.
    fileprivate var queuedDeadline: UInt64 = 0

    init(loop: EventLoop, repeating: UInt64?, body: @escaping () -> Void) {
        self.loop = loop
        self.repeating = repeating.map { max($0, 1) }
        self.body = body
    }

    /// Whether the body will run.
    public var isScheduled: Bool { deadline != nil }

    /// The body does not run any more, unless the timer is scheduled again.
    public func cancel() {
        deadline = nil
        loop.timers.remove(self)
    }

    /// Runs the body `milliseconds` from now, instead of when it was to run. A timer that has fired or was cancelled
    /// may be scheduled again.
    ///
    /// Postponing costs nothing: the queue notices at the old time.
    public func reschedule(after milliseconds: UInt64) {
        let deadline = loop.now &+ min(milliseconds, 1 << 50)
        self.deadline = deadline
        guard position == nil || deadline < queuedDeadline else { return }
        loop.timers.remove(self)
        loop.timers.insert(self, deadline: deadline)
    }

    /// Runs the body if its time has come; else queues the timer for its postponed time.
    func fireIfDue(now: UInt64) {
        guard let deadline else { return }
        guard deadline <= now else {
            if position == nil { loop.timers.insert(self, deadline: deadline) }
            return
        }
        self.deadline = nil
        if let repeating { reschedule(after: repeating) }
        body()
    }
}

/// The timers of a loop: a binary heap by the time at which each is looked at. Insert and remove are O(log n).
struct TimerQueue {
    private var heap: ContiguousArray<LoopTimer> = []

    var nextDeadline: UInt64? { heap.first?.queuedDeadline }

    mutating func insert(_ timer: LoopTimer, deadline: UInt64) {
        timer.queuedDeadline = deadline
        timer.position = heap.count
        heap.append(timer)
        siftUp(from: heap.count - 1)
    }

    mutating func remove(_ timer: LoopTimer) {
        guard let position = timer.position else { return }
        timer.position = nil
        let last = heap.removeLast()
        guard position < heap.count else { return }
        heap[position] = last
        last.position = position
        siftUp(from: position)
        siftDown(from: position)
    }

    /// Takes out the timers whose time has come, earliest first.
    mutating func removeDue(now: UInt64) -> [LoopTimer] {
        var due: [LoopTimer] = []
        while let first = heap.first, first.queuedDeadline <= now {
            remove(first)
            due.append(first)
        }
        return due
    }

    mutating func removeAll() {
        // What the bodies hold is released only when the queue is consistent again: it may cancel timers.
        let removed = heap
        heap = []
        for timer in removed { timer.position = nil }
    }

    private mutating func siftUp(from start: Int) {
        var child = start
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].queuedDeadline < heap[parent].queuedDeadline else { return }
            exchange(child, parent)
            child = parent
        }
    }

    private mutating func siftDown(from start: Int) {
        var parent = start
        while true {
            var smallest = parent
            for child in (2 * parent + 1)...(2 * parent + 2) where child < heap.count {
                if heap[child].queuedDeadline < heap[smallest].queuedDeadline { smallest = child }
            }
            guard smallest != parent else { return }
            exchange(parent, smallest)
            parent = smallest
        }
    }

    private mutating func exchange(_ first: Int, _ second: Int) {
        heap.swapAt(first, second)
        heap[first].position = first
        heap[second].position = second
    }
}
