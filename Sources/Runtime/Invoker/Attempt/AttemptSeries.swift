import HoldfastEngine
import HoldfastWire

/// What the invoker knows of one invocation from its first attempt until it is released.
final class AttemptSeries {
    let id: InvocationID
    /// Which life of the id it is.
    let incarnation: UInt64
    var partition: PartitionIndex
    var machine = AttemptMachine()
    /// The attempt that may say something.
    var attempt: Attempt?
    /// What the next attempt starts with, while it waits for a slot.
    var waitingStart: AttemptStart?
    /// When the back-off ends, by the wall clock.
    var nextRetry: Timestamp?
    var lastStart: Timestamp?
    var lastDeployment: DeploymentID?
    var lastServer: String?
    var lastFailure: AttemptFailure?

    init(_ id: InvocationID, incarnation: UInt64, in partition: PartitionIndex) {
        self.id = id
        self.incarnation = incarnation
        self.partition = partition
    }
}
