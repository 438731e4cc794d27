import CHoldfastXXHash
import HoldfastEngine

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A file of the log: a header and records, one behind the other, in space that is allocated and written beforehand.
///
///     "HFLOG001" · life (8) · number (8) · position of the first record (8) · checksum (8) · zeros up to 64 bytes
///
/// A sync of bytes that overwrite others has no metadata to write; that is why files are filled with zeros first, and
/// used again. Whoever has the file uses it alone.
final class LogFile {
    static let headerSize = 64
    private static let magic: UInt64 = 0x3130_3047_4F4C_4648

    let path: String
    /// Bytes that are allocated.
    let capacity: Int
    private let file: CInt
    private(set) var header: Header?
    /// Where the next record goes.
    private(set) var end = 0

    /// What a file is used for.
    struct Header {
        let life: UInt64
        /// Grows from file to file.
        let number: UInt64
        /// The position of the first record.
        let first: UInt64
    }

    /// Opens a file that exists.
    init(opening path: String) throws(StorageError) {
        file = open(path, O_RDWR | O_CLOEXEC)
        guard file >= 0 else { throw .log("opened '\(path)'") }
        self.path = path
        var information = stat()
        guard fstat(file, &information) == 0 else { throw .log("opened '\(path)'") }
        capacity = Int(information.st_size)
        var bytes = [UInt8](repeating: 0, count: Self.headerSize)
        let count = bytes.withUnsafeMutableBytes { pread(file, $0.baseAddress, $0.count, 0) }
        guard count >= 0 else { throw .log("read '\(path)'") }
        header = bytes.withUnsafeBytes { Self.header(in: $0) }
    }

    /// Makes a file, filled with zeros.
    init(making path: String, capacity: Int) throws(StorageError) {
        file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .log("made '\(path)'") }
        self.path = path
        self.capacity = capacity
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

    /// Whether a record of this size fits behind the others.
    func hasRoom(for size: Int) -> Bool { size <= capacity - end }

    /// Begins to use the file; what is in it counts no more.
    func begin(_ header: Header) throws(StorageError) {
        var bytes: [UInt8] = []
        bytes.append(littleEndian: Self.magic)
        bytes.append(littleEndian: header.life)
        bytes.append(littleEndian: header.number)
        bytes.append(littleEndian: header.first)
        bytes.append(littleEndian: bytes.withUnsafeBytes { XXH3_64bits($0.baseAddress, $0.count) })
        bytes += [UInt8](repeating: 0, count: Self.headerSize - bytes.count)
        self.header = header
        end = 0
        try bytes.withRawBytes { (bytes) throws(StorageError) in try append(bytes) }
    }

    /// Writes records behind the others; they are durable after the next `sync`.
    func append(_ bytes: UnsafeRawBufferPointer) throws(StorageError) {
        try write(bytes, at: end)
        end += bytes.count
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

    private func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(StorageError) {
        var written = 0
        while written < bytes.count {
            let part = pwrite(
                file, bytes.baseAddress?.advanced(by: written), bytes.count - written, off_t(offset + written))
            if part < 0, errno == EINTR { continue }
            guard part > 0 else { throw .log("wrote to '\(path)'") }
            written += part
        }
    }

    private static func header(in bytes: UnsafeRawBufferPointer) -> Header? {
        let covered = UnsafeRawBufferPointer(rebasing: bytes[..<32])
        guard bytes.number(at: 0) == magic,
            bytes.number(at: 32) == XXH3_64bits(covered.baseAddress, covered.count)
        else { return nil }
        return Header(life: bytes.number(at: 8), number: bytes.number(at: 16), first: bytes.number(at: 24))
    }
}
