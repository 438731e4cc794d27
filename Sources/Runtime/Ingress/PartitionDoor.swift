import HoldfastEngine
import HoldfastWire

/// What the ingress needs of the event loop that it runs on.
protocol PartitionDoor: AnyObject {
    /// The latest registry that this loop has heard of.
    var registry: Registry { get }
    /// Wall-clock time.
    var now: Timestamp { get }

    /// Whether an invocation that could be anywhere should be there: on this loop, where nobody need be woken for it, or
    /// anywhere while this loop is busy.
    func favours(_ partitionKey: UInt64) -> Bool

    /// Sends a command to the partition that owns `partitionKey`; `answered` is called on this loop, once.
    @discardableResult
    func ask(
        _ partitionKey: UInt64, _ command: (RequestID) -> Command, answered: @escaping (Answer) -> Void
    ) -> RequestID

    /// Drops a request: `answered` will not be called.
    func forget(_ request: RequestID, of invocation: InvocationID)
}
