import CHoldfastUV
import Synchronization

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// One thread's event loop. All of its objects (timers, connections, exchanges) are touched on that thread only.
///
/// One turn, in this order: timers that are due, input and output of sockets together with messages of other threads,
/// and then the end of the turn: the bodies of `atTurnEnd`, and after them one write per connection that has output.
/// So whatever a turn produced is seen before the loop blocks, and leaves in as few system calls as possible.
///
/// `@unchecked Sendable`: what other threads may touch is in `inbox`, behind its lock; all else is confined to the
/// loop's thread.
public final class EventLoop: @unchecked Sendable {
    /// The place of this loop in its group, from 0.
    public let index: Int

    let uv: UVLoop
    private let inbox = Mutex(Inbox())
    /// Threads that are about to use the handle that `shutDown` frees.
    private let wakersInProgress = Atomic<Int>(0)
    private let thread = Atomic<UInt>(0)
    private var threadHandle: uv_thread_t?
    var timers = TimerQueue()
    private var armedDeadline: UInt64?
    private var turnEndBodies: [() -> Void] = []
    private var unflushed: [any Flushable] = []
    /// The text of the `date` header, made at most once per second.
    var date = HTTPDate()

    private struct Inbox {
        enum State { case asleep, woken, closed }

        /// Whether the loop knows already that it must look.
        var state = State.asleep
        var work: [@Sendable () -> Void] = []
        var mailboxes: [any MailboxDelivery] = []

        mutating func takeAll(leaving state: State) -> Inbox {
            defer { self = Inbox(state: state) }
            return self
        }
    }

    /// - Parameter index: A number for logs and thread names.
    /// - Throws: `TransportError` when the system has no descriptors or memory left for a loop.
    public init(index: Int) throws {
        // A peer that closes its connection must be an error of one write, and not the end of the process.
        signal(SIGPIPE, SIG_IGN)
        self.index = index
        uv = try UVLoop()
        uv.onWake = { [unowned self] in readInbox() }
        uv.onTurnEnd = { [unowned self] in endTurn() }
        uv.onTimer = { [unowned self] in fireTimers() }
    }

    /// Handles events on the calling thread until `stop()`. A loop runs once.
    public func run() {
        thread.store(EventLoop.currentThread, ordering: .releasing)
        uv.run()
        shutDown()
        thread.store(0, ordering: .releasing)
    }

    /// Runs the loop on a new thread named after its index.
    public func start() {
        let retained = Unmanaged.passRetained(self).toOpaque()
        var handle = uv_thread_t()
        let status = uv_thread_create(
            &handle,
            { argument in
                guard let argument else { return }
                let loop = Unmanaged<EventLoop>.fromOpaque(argument).takeRetainedValue()
                EventLoop.nameThread("holdfast-\(loop.index)")
                loop.run()
            }, retained)
        guard status == 0 else {
            Unmanaged<EventLoop>.fromOpaque(retained).release()
            preconditionFailure("the system has threads for its event loops: \(UVLoop.text(status))")
        }
        threadHandle = handle
    }

    /// Lets `run()` return after this turn. Connections that are still open are cut. From any thread.
    public func stop() { post { [self] in uv.stop() } }

    /// Waits until the thread that `start()` created has ended.
    func join() {
        guard var handle = threadHandle else { return }
        threadHandle = nil
        uv_thread_join(&handle)
    }

    /// Whether the caller is on the thread that runs this loop.
    public var isCurrent: Bool { thread.load(ordering: .acquiring) == EventLoop.currentThread }

    /// Monotonic milliseconds, as of the beginning of this turn. On the loop only.
    public var now: UInt64 { uv.now }

    /// Runs `work` on the loop, soon. From any thread; each call allocates, so it is for rare paths.
    /// After the loop has ended, work is dropped.
    public func post(_ work: @escaping @Sendable () -> Void) {
        putIntoInbox { $0.work.append(work) }
    }

    /// Runs `body` at the end of each turn, after all timers, input, output and mailboxes of the turn were handled and
    /// before the loop blocks. Several run in the order in which they were added. On the loop, or before it runs.
    public func atTurnEnd(_ body: @escaping () -> Void) { turnEndBodies.append(body) }

    /// Runs `body` on the loop, `milliseconds` from now, and then each `repeating` milliseconds if that is given.
    ///
    /// The loop keeps the timer alive until it has fired or is cancelled. On the loop only.
    @discardableResult
    public func schedule(
        after milliseconds: UInt64, repeating: UInt64? = nil, _ body: @escaping () -> Void
    ) -> LoopTimer {
        let timer = LoopTimer(loop: self, repeating: repeating, body: body)
        timer.reschedule(after: milliseconds)
        return timer
    }

    /// Makes sure that there is another turn before the loop blocks: something was produced after the bodies of
    /// `atTurnEnd` ran, and they must see it.
    func requestTurn() { putIntoInbox { _ in } }

    /// Writes the connection's output at the end of this turn.
    func flushAtTurnEnd(_ connection: any Flushable) { unflushed.append(connection) }

    /// False if the loop has ended.
    func mailboxIsReady(_ mailbox: any MailboxDelivery) -> Bool {
        putIntoInbox { $0.mailboxes.append(mailbox) }
    }

    /// Changes the inbox, and wakes the loop if it was not woken yet; false if the loop has ended.
    @discardableResult
    private func putIntoInbox(_ change: (inout Inbox) -> Void) -> Bool {
        let state = inbox.withLock { inbox in
            let state = inbox.state
            guard state != .closed else { return state }
            change(&inbox)
            inbox.state = .woken
            if state == .asleep { wakersInProgress.add(1, ordering: .relaxed) }
            return state
        }
        if state == .asleep {
            // Outside of the lock, because the loop takes it as soon as it is awake.
            uv.wake()
            wakersInProgress.subtract(1, ordering: .releasing)
        }
        return state != .closed
    }

    // MARK: - A turn

    private func readInbox() {
        let taken = inbox.withLock { $0.takeAll(leaving: .asleep) }
        for mailbox in taken.mailboxes { mailbox.deliverAll() }
        for item in taken.work { item() }
    }

    private func fireTimers() {
        armedDeadline = nil
        let now = uv.now
        for timer in timers.removeDue(now: now) { timer.fireIfDue(now: now) }
    }

    private func endTurn() {
        for body in turnEndBodies { body() }
        flush()
        armTimer()
    }

    private func flush() {
        // Bounded, because what a flush sets off may have output again; the rest waits for the next turn.
        for _ in 0..<4 where !unflushed.isEmpty {
            let batch = unflushed
            unflushed.removeAll(keepingCapacity: true)
            for connection in batch { connection.flush() }
        }
        if !unflushed.isEmpty { requestTurn() }
    }

    private func armTimer() {
        let deadline = timers.nextDeadline
        guard deadline != armedDeadline else { return }
        armedDeadline = deadline
        if let deadline {
            uv.armTimer(after: deadline > uv.now ? deadline - uv.now : 0)
        } else {
            uv.disarmTimer()
        }
    }

    private func shutDown() {
        readInbox()
        // What is dropped here is destroyed outside the lock: its deinitialisers may call into the loop.
        let dropped = inbox.withLock { $0.takeAll(leaving: .closed) }
        withExtendedLifetime(dropped) {}
        while wakersInProgress.load(ordering: .acquiring) > 0 { sched_yield() }
        flush()
        uv.close()
        turnEndBodies = []
        unflushed = []
        timers.removeAll()
    }

    // MARK: - Threads

    private static var currentThread: UInt {
        #if canImport(Darwin)
            UInt(bitPattern: pthread_self())
        #else
            UInt(pthread_self())
        #endif
    }

    private static func nameThread(_ name: String) {
        #if canImport(Darwin)
            pthread_setname_np(name)
        #else
            // glibc's function for this is hidden behind a macro that Swift's module map does not set.
            guard let file = fopen("/proc/thread-self/comm", "w") else { return }
            fputs(name, file)
            fclose(file)
        #endif
    }
}

/// A connection whose output is written at the end of the turn in which it was produced.
protocol Flushable: AnyObject {
    func flush()
}
