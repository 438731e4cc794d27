#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

import HoldfastEngine

/// What the log asks of the operating system: all that a power loss can come between.
///
/// It is a protocol so that a test can put another one in its place, which writes down what is asked, refuses it, or
/// makes from it what a disk may hold afterwards. Calls are a few per sync, none per commit.
protocol LogDisk: Sendable {
    /// As `pwrite`: how many bytes were written, or negative with the reason in `errno`.
    func write(_ bytes: UnsafeRawBufferPointer, to file: LogFile.Handle, at offset: Int) -> Int
    /// The same, and calls `body` once, if possible while the bytes are being written.
    func write(
        _ bytes: UnsafeRawBufferPointer, to file: LogFile.Handle, at offset: Int, meanwhile body: () -> Void
    ) -> Int
    /// Returns when what was written to a file is durable; negative with the reason in `errno` if it may not be.
    func sync(_ file: LogFile.Handle) -> CInt
    /// Lets writes go past the page cache, or not. Where that cannot be, nothing changes.
    func setDirect(_ isDirect: Bool, for file: LogFile.Handle)
    /// Removes a name; that is durable after the next `syncNames`.
    func remove(_ path: String)
    /// Returns when the names in a directory are as durable as they are made.
    func syncNames(in directory: String) throws(StorageError)
}

extension LogDisk {
    func write(
        _ bytes: UnsafeRawBufferPointer, to file: LogFile.Handle, at offset: Int, meanwhile body: () -> Void
    ) -> Int {
        body()
        return write(bytes, to: file, at: offset)
    }
}

/// The disk of this machine.
struct LocalDisk: LogDisk {
    #if os(Linux)
        private let overlapped = OverlappedWrites()
    #endif

    /// `O_DIRECT`: a GNU extension, which Swift does not see.
    #if arch(arm64)
        private static let directFlag: CInt = 0o200000
    #else
        private static let directFlag: CInt = 0o40000
    #endif

    func write(_ bytes: UnsafeRawBufferPointer, to file: LogFile.Handle, at offset: Int) -> Int {
        pwrite(file.descriptor, bytes.baseAddress, bytes.count, off_t(offset))
    }

    #if os(Linux)
        func write(
            _ bytes: UnsafeRawBufferPointer, to file: LogFile.Handle, at offset: Int, meanwhile body: () -> Void
        ) -> Int {
            if let count = overlapped?.write(bytes, to: file.descriptor, at: offset, meanwhile: body) { return count }
            body()
            return write(bytes, to: file, at: offset)
        }
    #endif

    func sync(_ file: LogFile.Handle) -> CInt {
        #if canImport(Glibc)
            fdatasync(file.descriptor)
        #else
            fcntl(file.descriptor, F_FULLFSYNC)
        #endif
    }

    func setDirect(_ isDirect: Bool, for file: LogFile.Handle) {
        #if canImport(Glibc)
            _ = fcntl(file.descriptor, F_SETFL, isDirect ? Self.directFlag : 0)
        #else
            _ = fcntl(file.descriptor, F_NOCACHE, isDirect ? 1 : 0)
        #endif
    }

    func remove(_ path: String) { unlink(path) }

    func syncNames(in directory: String) throws(StorageError) { try Files.sync(directory: directory) }
}
