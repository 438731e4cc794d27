import HoldfastWire

/// Where the tries of an invocation stand, while the next one waits in the store and nothing of it is in memory (rule 5).
///
/// The invoker decides and counts; here its numbers are kept, so that the next try goes on from them.
public struct BackOff: Sendable, Hashable {
    /// When the next try is due, by the wall clock.
    public var due: Timestamp
    /// Whether a registration ends it: the last try failed for want of one.
    public var awaitsRegistration: Bool
    /// Tries of this series that were begun.
    public var attempts: UInt64
    /// Tries of this series that failed and count for the retry policy.
    public var failures: UInt32
    /// Failed tries since the last one that brought a new command.
    public var failuresSinceLastEntry: UInt32
    /// When the last try was begun.
    public var lastStart: Timestamp?
    /// Where it ran.
    public var lastDeployment: DeploymentID?
    /// The server that answered it, as it calls itself.
    public var lastServer: String?

    /// Makes a back-off.
    public init(
        due: Timestamp, awaitsRegistration: Bool, attempts: UInt64, failures: UInt32, failuresSinceLastEntry: UInt32,
        lastStart: Timestamp? = nil, lastDeployment: DeploymentID? = nil, lastServer: String? = nil
    ) {
        self.due = due
        self.awaitsRegistration = awaitsRegistration
        self.attempts = attempts
        self.failures = failures
        self.failuresSinceLastEntry = failuresSinceLastEntry
        self.lastStart = lastStart
        self.lastDeployment = lastDeployment
        self.lastServer = lastServer
    }
}

extension BackOff {
    func encode(into writer: inout ProtobufWriter) {
        writer.number(1, due.millis)
        writer.bool(2, awaitsRegistration)
        writer.number(3, attempts)
        writer.number(4, failures)
        writer.number(5, failuresSinceLastEntry)
        writer.number(6, optional: lastStart?.millis)
        if let lastDeployment { writer.bytes(7, lastDeployment.bytes[...]) }
        writer.string(8, optional: lastServer)
    }

    init(decoding bytes: Bytes) throws(WireError) {
        self.init(
            due: Timestamp(millis: 0), awaitsRegistration: false, attempts: 0, failures: 0, failuresSinceLastEntry: 0)
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: due = try field.timestamp
            case 2: awaitsRegistration = try field.bool
            case 3: attempts = try field.u64
            case 4: failures = try field.u32
            case 5: failuresSinceLastEntry = try field.u32
            case 6: lastStart = try field.timestamp
            case 7: lastDeployment = DeploymentID(bytes: try field.bytes)
            case 8: lastServer = try field.string
            default: break
            }
        }
    }
}
