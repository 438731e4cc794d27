import Synchronization

/// A listener in closures that `EventLoop.post` takes.
///
/// `@unchecked Sendable`: `port` never changes; all else is used on the listener's loop.
struct ListenerBox: @unchecked Sendable {
    let value: Listener
    init(_ value: Listener) { self.value = value }
}

/// A number that several threads count.
final class Counter: Sendable {
    private let value: Atomic<Int>
    init(_ value: Int) { self.value = Atomic(value) }
    /// Adds one; the new number.
    func increment() -> Int { value.add(1, ordering: .acquiringAndReleasing).newValue }
    /// Takes one away; the new number.
    func decrement() -> Int { value.subtract(1, ordering: .acquiringAndReleasing).newValue }
}

/// How many connections a server has, and its listeners while they wait for one to end.
final class ServerLoad: Sendable {
    private let limit: Int
    private let open = Counter(0)
    private let waiting = Mutex<[(EventLoop, ListenerBox)]>([])
    private let next = Counter(0)

    init(limit: Int) { self.limit = max(limit, 1) }

    /// Accepts connections and deals them out. On the listener's loop.
    func start(_ listener: ListenerBox, workers: [ServerWorker]) {
        try? listener.value.start { [self] descriptor in
            if open.increment() >= limit {
                waiting.withLock { $0.append((workers[0].loop, listener)) }
                listener.value.pause()
            }
            workers[next.increment() % workers.count].adopt(descriptor)
        }
    }

    func connectionClosed() {
        guard open.decrement() == limit - 1 else { return }
        let listeners = waiting.withLock { exchange(&$0, with: []) }
        for (loop, listener) in listeners { loop.post { listener.value.resume() } }
    }
}
