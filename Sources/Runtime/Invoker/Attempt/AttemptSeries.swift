import HoldfastEngine
import HoldfastWire

/// What the invoker knows of one invocation from its first attempt until it is released.
final class AttemptSeries {
    let id: InvocationID
    /// Which life of the id it is.
    let incarnation: UInt64
    var partition: PartitionIndex
    var machine: AttemptMachine
    /// The attempt that may say something.
    var attempt: Attempt?
    /// What the next attempt starts with, while it waits for a slot.
    var waitingStart: AttemptStart?
    /// When the back-off ends, by the wall clock; nil: it does not back off.
    var nextRetry: Timestamp?
    var lastStart: Timestamp?
    var lastDeployment: DeploymentID?
    var lastServer: String?
    var lastFailure: AttemptFailure?

    init(_ start: AttemptStart, in partition: PartitionIndex) {
        id = start.id
        incarnation = start.incarnation
        self.partition = partition
        machine = AttemptMachine(behind: start.backOff)
        lastStart = start.backOff?.lastStart
        lastDeployment = start.backOff?.lastDeployment
        lastServer = start.backOff?.lastServer
    }

    /// Where its tries stand, to be kept in the store.
    func backOff(due: Timestamp, awaitsRegistration: Bool) -> BackOff {
        BackOff(
            due: due, awaitsRegistration: awaitsRegistration, attempts: machine.attempts, failures: machine.failures,
            failuresSinceLastEntry: machine.failuresSinceLastEntry, lastStart: lastStart,
            lastDeployment: lastDeployment, lastServer: attempt?.server ?? lastServer)
    }
}
