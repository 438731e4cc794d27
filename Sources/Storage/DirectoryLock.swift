import HoldfastEngine

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The lock on a data directory, held by one process; the kernel releases it when that process ends, however it ends.
///
/// The file holds the process id of its holder, for the message that a second process shows.
final class DirectoryLock: Sendable {
    private let file: CInt

    init(directory: String) throws(StorageError) {
        let path = "\(directory)/LOCK"
        file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else {
            throw .cannotUse(directory: directory, because: String(cString: strerror(errno)))
        }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            let isHeld = errno == EWOULDBLOCK
            let reason = String(cString: strerror(errno))
            let holder = try Files.read(path)?.split(separator: "\n").first.map(String.init)
            // The file is closed by `deinit`, which also runs for an object whose `init` throws once all is set.
            throw isHeld
                ? .locked(directory: directory, holder: holder) : .cannotUse(directory: directory, because: reason)
        }
        let text = Array("\(getpid())\n".utf8)
        // The text is for people; the lock holds without it.
        _ = ftruncate(file, 0)
        _ = pwrite(file, text, text.count, 0)
    }

    deinit {
        close(file)
    }
}
