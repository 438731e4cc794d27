/// What one command may do at most, so that no turn takes long.
public struct Limits: Sendable {
    /// Rows of forgotten journals that are removed; the commands that follow go on.
    public var removedRows: Int
    /// Entries that a restart copies; it is refused beyond.
    public var copiedEntries: UInt32

    /// Makes limits; each is at least 1.
    public init(removedRows: Int = 2048, copiedEntries: UInt32 = 65_536) {
        self.removedRows = max(removedRows, 1)
        self.copiedEntries = max(copiedEntries, 1)
    }
}
