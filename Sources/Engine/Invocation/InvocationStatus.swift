/// Where an invocation is in its life (semantics §1.1). Raw values are stored.
///
///     ┌──────────▶ scheduled ─┐
///     free ──────▶ inboxed ───┼─▶ invoked ◀──▶ suspended
///     └───────────────────────┘     │  ▲           │
///                                   ▼  └─ paused ◀─┘
///                                completed ──▶ free
///
/// There is no status for killed or backing off: a kill is instantaneous, and a back-off lives in the
/// invoker, or as a timer.
public enum InvocationStatus: UInt8, Sendable, CaseIterable {
    /// Waits for its start time. Next: `inboxed`, `invoked`, free.
    case scheduled = 1
    /// Waits for its virtual object. Next: `invoked`, free.
    case inboxed = 2
    /// Has an attempt, or waits for one. Next: `suspended`, `paused`, `completed`, free.
    case invoked = 3
    /// Has no attempt until something that it waits for comes. Next: `invoked`, `paused`, `completed`, free.
    case suspended = 4
    /// Has no attempt until somebody resumes or cancels it. Next: `invoked`, `completed`, free.
    case paused = 5
    /// Has a result, which is kept until its retention is over. Next: free.
    case completed = 6

    /// Whether the handler has been started, so that the journal takes notifications.
    public var isStarted: Bool {
        switch self {
        case .invoked, .suspended, .paused: true
        case .scheduled, .inboxed, .completed: false
        }
    }
}
