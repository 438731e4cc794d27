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

    let path: String
    /// Bytes that are allocated.
    let capacity: Int
    private let file: CInt
    /// What the file was used for last; nil if it was not used yet.
    private(set) var header: Header?

    /// `O_DIRECT`: a GNU extension, which Swift does not see.
    #if arch(arm64)
        private static let directFlag: CInt = 0o200000
    #else
        private static let directFlag: CInt = 0o40000
    #endif

    /// The size of the blocks that hold `size` bytes.
    static func wholeBlocks(_ size: Int) -> Int { (size + blockSize - 1) / blockSize * blockSize }

    /// Opens a file that exists.
    init(opening path: String) throws(StorageError) {
        file = open(path, O_RDWR | O_CLOEXEC)
        guard file >= 0 else { throw .log("opened '\(path)'") }
        self.path = path
        var information = stat()
        guard fstat(file, &information) == 0 else { throw .log("opened '\(path)'") }
        capacity = Int(information.st_size)
        var bytes = [UInt8](repeating: 0, count: Header.size)
        let count = bytes.withUnsafeMutableBytes { pread(file, $0.baseAddress, $0.count, 0) }
        guard count >= 0 else { throw .log("read '\(path)'") }
        header = bytes.withUnsafeBytes { Header(in: $0) }
    }

    /// Makes a file, filled with zeros, that has room for `size` bytes.
    init(making path: String, for size: Int) throws(StorageError) {
        capacity = Self.wholeBlocks(size)
        file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .log("made '\(path)'") }
        self.path = path
        let zeros = [UInt8](repeating: 0, count: min(1 << 20, capacity))
        var written = 0
        while written < capacity {
            let size = min(zeros.count, capacity - written)
            try zeros.withRawBytes { (zeros) throws(StorageError) in
                try write(UnsafeRawBufferPointer(rebasing: zeros[..<size]), at: written)
            }
            written += size
        }
        guard fsync(file) == 0 else { throw .log("made '\(path)'") }
        try Files.syncDirectory(of: path)
    }

    deinit {
        close(file)
    }

    /// Begins to use the file; what is in it counts no more once a block with this header is written.
    func begin(_ header: Header) {
        self.header = header
        // Past the page cache, which would only keep a copy that nobody reads, and make the sync wait for it. Where the
        // file system cannot do that, everything works as well, a little slower.
        #if canImport(Glibc)
            _ = fcntl(file, F_SETFL, Self.directFlag)
        #else
            _ = fcntl(file, F_NOCACHE, 1)
        #endif
    }

    func sync() throws(StorageError) {
        #if canImport(Glibc)
            let result = fdatasync(file)
        #else
            let result = fcntl(file, F_FULLFSYNC)
        #endif
        guard result >= 0 else { throw .log("synced '\(path)'") }
    }

    /// The whole file.
    func read() throws(StorageError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: capacity)
        var count = 0
        while count < capacity {
            let part = bytes.withUnsafeMutableBytes {
                pread(file, $0.baseAddress?.advanced(by: count), capacity - count, off_t(count))
            }
            guard part > 0 else { throw .log("read '\(path)'") }
            count += part
        }
        return bytes
    }

    /// Writes whole blocks, from memory that begins at a multiple of a block's size; durable after the next `sync`.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(StorageError) {
        var written = 0
        while written < bytes.count {
            let part = pwrite(
                file, bytes.baseAddress?.advanced(by: written), bytes.count - written, off_t(offset + written))
            if part < 0, errno == EINTR { continue }
            guard part > 0 else { throw .log("wrote to '\(path)'") }
            written += part
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
