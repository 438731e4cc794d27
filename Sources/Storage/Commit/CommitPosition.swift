/// How far a store's commits have come: it grows with each commit of the store, also after a restart.
public struct CommitPosition: Sendable, Hashable, Comparable {
    /// The position as a number; differences between positions mean nothing.
    public let rawValue: UInt64

    /// Makes a position.
    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// Before the first commit.
    public static let zero = CommitPosition(rawValue: 0)

    /// Whether the commit on the left came first.
    public static func < (left: CommitPosition, right: CommitPosition) -> Bool {
        left.rawValue < right.rawValue
    }
}
