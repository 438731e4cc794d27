import HoldfastEngine
import HoldfastServiceProtocol
import HoldfastWire

/// What an invoker knows of an invocation that runs or backs off: the live half of what operators see (sql §3.2).
struct LiveInvocation {
    var id: InvocationID
    var partition: PartitionIndex
    /// Whether an attempt is open.
    var isInFlight: Bool
    /// Whether it was stopped while it backed off; its status tells whether it is paused since.
    var isStopped = false
    /// Attempts that were started in this series.
    var attempts: UInt64
    var lastStart: Timestamp?
    var lastDeployment: DeploymentID?
    /// `x-restate-server` of the last attempt's answer.
    var lastServer: String?
    /// When the back-off ends.
    var nextRetry: Timestamp?
    var lastFailure: AttemptFailure?
    /// What the SDK last said it waits for, while in flight.
    var awaitingOn: Future?
}
