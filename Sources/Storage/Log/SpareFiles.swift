import Dispatch
import HoldfastEngine

/// The files of the log that hold nothing which is needed, and the making of more.
///
/// They are made ahead by a thread, so that no commit waits until a file is filled with zeros. That thread refers to
/// this object only, and not to the store, which whoever closes it may want to open again.
///
/// Sendable: `lock` guards what changes.
final class SpareFiles: @unchecked Sendable {
    private let directory: String
    private let disk: any LogDisk
    /// What the files hold; only those for a record that is larger have another size.
    let fileSize: Int

    private let lock = Lock()
    private var files: [LogFile]
    private var nextName: Int
    private var isMaking = false
    private let making = DispatchGroup()

    /// Takes over the files of a log whose records are all in table files.
    init(
        _ recovered: LogRecovery, in directory: String, fileSize: Int, disk: any LogDisk
    ) throws(StorageError) {
        self.directory = directory
        self.fileSize = LogFile.wholeBlocks(fileSize)
        self.disk = disk
        let size = self.fileSize
        files = recovered.files.filter { $0.capacity == size }
        nextName = recovered.nextName
        // Large records had files of their own, and a crash may have left one half made.
        for file in recovered.files where file.capacity != size { disk.remove(file.path) }
        // The numbers of files go on behind the greatest that is there. A file that came back after a power loss, though
        // an earlier opening had removed it, would have the number of one that was begun later.
        try disk.syncNames(in: directory)
    }

    /// A file that has room for `size` bytes. Makes one if there is none, which takes as long as to write it.
    func take(holding size: Int) throws(StorageError) -> LogFile {
        let (unused, name) = lock.withLock { () -> (LogFile?, Int) in
            if size <= fileSize, let file = files.popLast() { return (file, 0) }
            return (nil, newName())
        }
        if let unused { return unused }
        return try LogFile(making: path(name), for: max(fileSize, size), on: disk)
    }

    /// Takes back a file whose records are all in table files.
    func give(_ file: LogFile) {
        guard file.capacity == fileSize else {
            disk.remove(file.path)
            return
        }
        lock.withLock { files.append(file) }
    }

    /// Makes a file in the background if there is none.
    func makeAhead() {
        let name = lock.withLock { () -> Int? in
            guard files.isEmpty, !isMaking else { return nil }
            isMaking = true
            return newName()
        }
        guard let name else { return }
        making.enter()
        Thread.start(name: "log file") { [self] in
            // If this fails, so will the next commit that needs a file, and that one tells.
            let file = try? LogFile(making: path(name), for: fileSize, on: disk)
            lock.withLock {
                isMaking = false
                if let file { files.append(file) }
            }
            making.leave()
        }
    }

    /// Returns when no file is being made.
    func finish() { making.wait() }

    private func newName() -> Int {
        defer { nextName += 1 }
        return nextName
    }

    private func path(_ name: Int) -> String { "\(directory)/\(name)" }
}
