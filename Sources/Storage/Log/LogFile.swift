import CHoldfastXXHash
import HoldfastEngine

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A file of the log: a header and records, one behind the other, in space that is allocated and written beforehand.
///
/// A sync of bytes that overwrite others has no metadata to write; that is why files are filled with zeros first, and
/// used again. Whoever has the file uses it alone.
final class LogFile {
    /// What is written in one piece: files consist of whole blocks.
    static let blockSize = 4096

    /// An open file, as `LogDisk` sees it.
    struct Handle {
        let path: String
        let descriptor: CInt
    }

    /// Bytes that are allocated.
    let capacity: Int
    private let handle: Handle
    private let disk: any LogDisk
    /// Whether writes go past the page cache, as far as the file system does that.
    private var isDirect = false
    /// What the file was used for last; nil if it was not used yet.
    private(set) var header: Header?

    var path: String { handle.path }

    /// The size of the blocks that hold `size` bytes.
    static func wholeBlocks(_ size: Int) -> Int { (size + blockSize - 1) / blockSize * blockSize }

    /// Opens a file that exists.
    init(opening path: String, on disk: any LogDisk) throws(StorageError) {
        let file = open(path, O_RDWR | O_CLOEXEC)
        guard file >= 0 else { throw .log("opened '\(path)'") }
        handle = Handle(path: path, descriptor: file)
        self.disk = disk
        var information = stat()
        let isKnown = fstat(file, &information) == 0
        capacity = isKnown ? Int(information.st_size) : 0
        guard isKnown else { throw .log("opened '\(path)'") }
        var bytes = [UInt8](repeating: 0, count: min(Header.size, capacity))
        try read(into: &bytes)
        header = bytes.withUnsafeBytes { Header(in: $0) }
    }

    /// Makes a file, filled with zeros, that has room for `size` bytes. If that fails, no half of it takes space.
    init(making path: String, for size: Int, on disk: any LogDisk) throws(StorageError) {
        capacity = Self.wholeBlocks(size)
        self.disk = disk
        handle = Handle(path: path, descriptor: open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600))
        guard handle.descriptor >= 0 else { throw .log("made '\(path)'") }
        do throws(StorageError) {
            try fill()
        } catch {
            disk.remove(path)
            throw error
        }
    }

    deinit {
        if handle.descriptor >= 0 { close(handle.descriptor) }
    }

    /// Begins to use the file; what is in it counts no more once a block with this header is written.
    func begin(_ header: Header) {
        self.header = header
        // Past the page cache, which would only keep a copy that nobody reads, and make the sync wait for it.
        setDirect(true)
    }

    /// Returns when all that was written is durable. If it throws, nobody may try it again: the kernel forgets what it
    /// could not write, and a second sync would find nothing wrong.
    func sync() throws(StorageError) {
        guard disk.sync(handle) >= 0 else { throw .log("synced '\(path)'") }
    }

    /// The whole file.
    func read() throws(StorageError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: capacity)
        try read(into: &bytes)
        return bytes
    }

    /// Writes whole blocks, from memory that begins at a multiple of a block's size; durable after the next `sync`.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(StorageError) {
        var written = 0
        while written < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
            let part = disk.write(rest, to: handle, at: offset + written)
            if part > 0 {
                written += part
            } else if part < 0, errno == EINTR {
                continue
            } else if part < 0, errno == EINVAL, isDirect {
                // A file system that cannot do it may say so only now; and one that wrote a part may have left off where
                // its blocks do not. Through the page cache everything works as well, a little slower.
                setDirect(false)
            } else {
                // Who writes nothing and tells no reason would be asked without end.
                if part == 0 { errno = EIO }
                throw .log("wrote to '\(path)'")
            }
        }
    }

    /// The same, and calls `body` once, if possible while the disk writes.
    func write(
        _ bytes: UnsafeRawBufferPointer, at offset: Int, meanwhile body: () -> Void
    ) throws(StorageError) {
        let written = max(disk.write(bytes, to: handle, at: offset, meanwhile: body), 0)
        // What is left is a rare rest, or all; the other way also finds out what was wrong.
        try write(UnsafeRawBufferPointer(rebasing: bytes[written...]), at: offset + written)
    }

    private func setDirect(_ isDirect: Bool) {
        self.isDirect = isDirect
        disk.setDirect(isDirect, for: handle)
    }

    private func fill() throws(StorageError) {
        let zeros = [UInt8](repeating: 0, count: min(1 << 20, capacity))
        var written = 0
        while written < capacity {
            let size = min(zeros.count, capacity - written)
            try zeros.withRawBytes { (zeros) throws(StorageError) in
                try write(UnsafeRawBufferPointer(rebasing: zeros[..<size]), at: written)
            }
            written += size
        }
        try sync()
        try disk.syncNames(in: Files.directory(of: path))
    }

    /// Reads from the file's beginning.
    private func read(into bytes: inout [UInt8]) throws(StorageError) {
        var count = 0
        while count < bytes.count {
            let part = bytes.withUnsafeMutableBytes {
                pread(handle.descriptor, $0.baseAddress?.advanced(by: count), $0.count - count, off_t(count))
            }
            if part < 0, errno == EINTR { continue }
            // It was longer when it was opened.
            if part == 0 { errno = EIO }
            guard part > 0 else { throw .log("read '\(path)'") }
            count += part
        }
    }
}

extension LogFile {
    /// What a file is used for. It stands at the file's beginning:
    ///
    ///     "HFLOG001" · life (8) · number (8) · position of the first record (8) · checksum (8) · zeros up to 64 bytes
    struct Header {
        static let size = 64
        private static let magic: UInt64 = 0x3130_3047_4F4C_4648

        let life: UInt64
        /// Grows from file to file.
        let number: UInt64
        /// The position of the first record.
        let first: UInt64

        init(life: UInt64, number: UInt64, first: UInt64) {
            self.life = life
            self.number = number
            self.first = first
        }

        /// Reads what is written; nil if no header is there.
        init?(in bytes: UnsafeRawBufferPointer) {
            guard bytes.count == Self.size else { return nil }
            let covered = UnsafeRawBufferPointer(rebasing: bytes[..<32])
            guard bytes.number(at: 0) == Self.magic,
                bytes.number(at: 32) == XXH3_64bits(covered.baseAddress, covered.count)
            else { return nil }
            self.init(life: bytes.number(at: 8), number: bytes.number(at: 16), first: bytes.number(at: 24))
        }

        /// What is written.
        var bytes: [UInt8] {
            var bytes: [UInt8] = []
            bytes.append(littleEndian: Self.magic)
            bytes.append(littleEndian: life)
            bytes.append(littleEndian: number)
            bytes.append(littleEndian: first)
            bytes.append(littleEndian: bytes.withUnsafeBytes { XXH3_64bits($0.baseAddress, $0.count) })
            return bytes + [UInt8](repeating: 0, count: Self.size - bytes.count)
        }
    }
}
