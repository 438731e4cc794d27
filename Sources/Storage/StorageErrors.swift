import HoldfastEngine

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Every message of this target, to be read in sequence: what happened, why, and what to do.
extension StorageError {
    static let foreignTransaction = StorageError(
        .failed, "The transaction belongs to another store. Commit it where it was made.")

    static let closed = StorageError(
        .failed, "The store is closed: this program is stopping. What was durable is kept.")

    static func cannotUse(directory: String, because reason: String) -> StorageError {
        StorageError(
            .failed,
            "Cannot use the data directory '\(directory)': \(reason). Correct its permissions or its disk, "
                + "or choose another directory.")
    }

    static func locked(directory: String, holder: String?) -> StorageError {
        let who = holder.map { "Process \($0) has it open" } ?? "Another process has it open"
        return StorageError(
            .locked,
            "Cannot open the store in '\(directory)'. \(who), and a store has one process only. "
                + "Stop that process, or use another data directory.")
    }

    static func tooNew(directory: String, found: Int, supported: Int) -> StorageError {
        StorageError(
            .tooNew,
            "Cannot open the store in '\(directory)'. It was written in format \(found); "
                + "this program reads formats up to \(supported). "
                + "Nothing was changed. Start a version that reads format \(found), or restore a backup.")
    }

    static func formatDamaged(path: String, because reason: String) -> StorageError {
        StorageError(
            .damaged,
            "Cannot open the store: '\(path)' \(reason). Nothing was changed. Restore the data directory from a backup."
        )
    }

    /// The log could not be read or written; the reason is in `errno`.
    static func log(_ operation: String) -> StorageError {
        StorageError(
            .failed,
            "The store could not go on when it \(operation): \(String(cString: strerror(errno))). "
                + "Check that the disk is healthy and has space left, then restart.")
    }

    static func logGap(directory: String, after position: UInt64) -> StorageError {
        StorageError(
            .damaged,
            "The log in '\(directory)' lacks commits after position \(position), and others follow. "
                + "Nothing was changed. Check the disk, and restore the data directory from a backup.")
    }

    static func database(_ operation: String, _ reason: String) -> StorageError {
        reason.hasPrefix("Corruption")
            ? StorageError(
                .damaged,
                "The store holds bytes that cannot be right, found when it \(operation): \(reason). "
                    + "Check the disk, and restore the data directory from a backup.")
            : StorageError(
                .failed,
                "The store could not go on when it \(operation): \(reason). "
                    + "Check that the disk is healthy and has space left, then restart.")
    }
}
