/// The event loops of a process, usually one per core.
public final class LoopGroup: Sendable {
    /// The loops, by index.
    public let loops: [EventLoop]

    /// - Throws: `TransportError` when the system has no descriptors or memory left for a loop.
    public init(count: Int) throws { loops = try (0..<max(count, 1)).map { try EventLoop(index: $0) } }

    /// Starts a thread for each loop.
    public func start() { for loop in loops { loop.start() } }

    /// Stops all loops and waits until their threads have ended. Not on a loop.
    public func stop() {
        for loop in loops { loop.stop() }
        for loop in loops { loop.join() }
    }
}
