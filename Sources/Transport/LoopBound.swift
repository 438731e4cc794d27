/// An object of a loop in a closure that `EventLoop.post` takes.
///
/// `@unchecked Sendable`: made and used on one and the same loop.
struct LoopBound<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}
