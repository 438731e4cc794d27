/// What the text of an identifier begins with: its kind.
public enum IdentifierPrefix: String, CaseIterable, Sendable {
    /// An invocation.
    case invocation = "inv"
    /// A deployment.
    case deployment = "dp"
    /// A subscription.
    case subscription = "sub"
    /// A snapshot of a partition.
    case snapshot = "snap"
    /// An operator's change of state.
    case mutation = "mut"
    /// A virtual queue.
    case queue = "vq"
    /// An awakeable of protocol versions up to 3.
    case entryAwakeable = "prom"
    /// An awakeable.
    case signalAwakeable = "sign"
}
