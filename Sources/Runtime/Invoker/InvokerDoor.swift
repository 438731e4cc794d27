import HoldfastEngine
import HoldfastServiceProtocol
import HoldfastWire

/// What an invoker needs of the partitions on its event loop.
protocol InvokerDoor: AnyObject {
    /// Hands a command to a partition. It is applied later, never within this call.
    func submit(_ command: Command, to partition: PartitionIndex)

    /// The journal entries of an invocation with an index in `range`, in order, until `visit` returns false.
    ///
    /// Only entries that are durable are asked for; fewer come when the invocation is gone.
    func journal(
        of id: InvocationID, in partition: PartitionIndex, range: Range<UInt32>,
        visit: (MessageType, Bytes) -> Bool
    ) throws(StorageError)

    /// The state of an object as it is visible, in the order of its keys, until `visit` returns false.
    func state(
        of object: ObjectID, in partition: PartitionIndex, visit: (Bytes, Bytes) -> Bool
    ) throws(StorageError)

    /// Whether all that is visible of a partition is durable.
    func isDurable(_ partition: PartitionIndex) -> Bool

    /// Calls `leave` when all that is visible of a partition now is durable.
    func whenDurable(_ partition: PartitionIndex, _ leave: @escaping () -> Void)

    /// The latest registry that this loop has heard of.
    var registry: Registry { get }
}
