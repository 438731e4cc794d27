import Dispatch
import HoldfastEngine
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// One thread per store, which makes commits durable and tells how far it has come.
///
///     loop 1: commit, request ─┐               ┌─▶ loop 1: releases what waited for these commits
///     loop 2: commit, request ─┼─▶ one sync ───┼─▶ loop 2: the same
///     loop 3: commit, request ─┘               └─▶ …
///
/// 1. Everything that is committed while a sync runs shares the next one.
/// 2. Subscribers are told in growing order, each position after it is durable, and each `ended` once and last. Who has
///    asked for nothing new is not told, and so not woken.
/// 3. A sync that failed is never repeated: what the disk holds then is not known (`CommitEnd.unknown`).
public final class CommitPipeline: Sendable {
    /// What subscribers learn, on the pipeline's thread: they must return quickly, and may not call `stop`.
    public enum Progress: Sendable {
        /// All commits up to this position are durable.
        case durable(CommitPosition)
        /// Nothing becomes durable any more.
        case ended(CommitEnd)
    }

    /// Who asks, and is told.
    private final class Subscriber: Sendable {
        /// The greatest position that it asked for.
        let requested = Atomic<UInt64>(0)
        /// The position that it was told last; only the pipeline's thread uses it.
        let told = Atomic<UInt64>(0)
        let hear: @Sendable (Progress) -> Void

        init(_ hear: @escaping @Sendable (Progress) -> Void) { self.hear = hear }

        /// What it waits for; nil if it was told.
        var wanted: UInt64? {
            let requested = requested.load(ordering: .sequentiallyConsistent)
            return requested > told.load(ordering: .relaxed) ? requested : nil
        }
    }

    /// The state that the thread shares with those who ask.
    private final class Shared: Sendable {
        let subscribers: [Subscriber]
        /// Whether the thread sleeps and must be woken. Whoever sets it to false owes a signal, or takes one away.
        let isAsleep = Atomic<Bool>(false)
        let isStopping = Atomic<Bool>(false)
        let wake = DispatchSemaphore(value: 0)
        let stopped = DispatchSemaphore(value: 0)

        init(_ subscribers: [@Sendable (Progress) -> Void]) { self.subscribers = subscribers.map { Subscriber($0) } }

        /// The greatest position that somebody waits for.
        var wanted: UInt64? { subscribers.lazy.compactMap(\.wanted).max() }

        func wakeUp() {
            if isAsleep.exchange(false, ordering: .sequentiallyConsistent) { wake.signal() }
        }

        /// Returns when something may have changed since `hasWork` was false.
        func sleep(unless hasWork: () -> Bool) {
            isAsleep.store(true, ordering: .sequentiallyConsistent)
            // Between the last look and the line above a request may have come that saw nobody asleep.
            if hasWork(), isAsleep.exchange(false, ordering: .sequentiallyConsistent) { return }
            wake.wait()
        }
    }

    private let shared: Shared
    /// Whether what the store has made durable is.
    private let isLocal: Bool

    /// Starts the thread for a store on this machine.
    public convenience init(store: any Store, subscribers: [@Sendable (Progress) -> Void]) {
        self.init(log: LocalLog(store: store), isLocal: true, subscribers: subscribers)
    }

    /// Starts the thread for a log.
    public convenience init(log: any CommitLog, subscribers: [@Sendable (Progress) -> Void]) {
        self.init(log: log, isLocal: false, subscribers: subscribers)
    }

    private init(log: any CommitLog, isLocal: Bool, subscribers: [@Sendable (Progress) -> Void]) {
        self.isLocal = isLocal
        let shared = Shared(subscribers)
        self.shared = shared
        Thread.start(name: "commit") {
            Self.run(log, shared)
            shared.stopped.signal()
        }
    }

    /// Asks for everything up to `position` to become durable, and to be told. Any thread; costs an atomic write, and a
    /// wake-up if the pipeline sleeps.
    ///
    /// - Parameter subscriber: The index of the one that asks.
    public func request(upTo position: CommitPosition, for subscriber: Int) {
        shared.subscribers[subscriber].requested.max(position.rawValue, ordering: .sequentiallyConsistent)
        shared.wakeUp()
    }

    /// Whether a single commit is better made durable by the thread that has it (`Store.commitDurably`): nobody else
    /// waits for a sync that it could share. Any thread.
    public var isIdle: Bool { isLocal && shared.wanted == nil }

    /// Makes durable what was requested, and ends the thread; returns when it has ended. Call it once.
    ///
    /// Subscribers hear of the last commits, and of no end.
    public func stop() {
        shared.isStopping.store(true, ordering: .sequentiallyConsistent)
        shared.wakeUp()
        shared.stopped.wait()
    }

    private static func run(_ log: any CommitLog, _ shared: Shared) {
        let isStopping = { shared.isStopping.load(ordering: .sequentiallyConsistent) }
        var durable = CommitPosition.zero
        while true {
            // Looked at first: what was requested before the stop is found below.
            let isLast = isStopping()
            if let wanted = shared.wanted {
                do throws(CommitEnd) {
                    if wanted > durable.rawValue { durable = try log.makeDurable() }
                } catch {
                    for subscriber in shared.subscribers { subscriber.hear(.ended(error)) }
                    return
                }
                for subscriber in shared.subscribers where subscriber.wanted != nil {
                    subscriber.told.store(durable.rawValue, ordering: .relaxed)
                    subscriber.hear(.durable(durable))
                }
            } else if isLast {
                return
            } else {
                shared.sleep(unless: { shared.wanted != nil || isStopping() })
            }
        }
    }
}
