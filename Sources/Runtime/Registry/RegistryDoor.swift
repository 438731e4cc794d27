import HoldfastEngine
import HoldfastTransport

/// The way from any event loop to the one that changes the registry, and back.
///
/// One per loop. The writer's loop publishes a change to all loops before it answers, so whoever is answered here finds
/// the change in this loop's registry.
final class RegistryDoor {
    private let loop: EventLoop
    private let writer: LoopBound<RegistryWriter>

    init(loop: EventLoop, writer: LoopBound<RegistryWriter>) {
        self.loop = loop
        self.writer = writer
    }

    /// Changes the registry; `done` is called on this loop, once.
    func change<Value: Sendable>(
        _ body: @escaping @Sendable (Registry) throws(RegistryError) -> (registry: Registry, value: Value),
        done: @escaping (Result<Value, RegistryError>) -> Void
    ) {
        let done = LoopBound(done, on: loop)
        writer.perform { writer in
            writer.change(body) { result in
                done.perform { $0(result) }
            }
        }
    }
}

/// Something that one event loop owns, on its way through others, which cannot touch it.
///
/// `@unchecked Sendable`: the value is used on its loop's thread only.
struct LoopBound<Value>: @unchecked Sendable {
    private let value: Value
    private let loop: EventLoop

    init(_ value: Value, on loop: EventLoop) {
        self.value = value
        self.loop = loop
    }

    /// Does something with the value on its loop, soon. From any thread; in the order of the calls of one thread.
    func perform(_ body: @escaping @Sendable (Value) -> Void) {
        loop.post { body(value) }
    }
}
