import HoldfastEngine

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The few things that the store does with files itself.
enum Files {
    /// Makes a directory, with those above it, for its owner only; they are still there after a power loss.
    static func makeDirectory(_ path: String) throws(StorageError) {
        var partial = path.hasPrefix("/") ? "" : "."
        for name in path.split(separator: "/") {
            partial += "/\(name)"
            if mkdir(partial, 0o700) == 0 {
                try sync(directory: directory(of: partial))
            } else if errno != EEXIST {
                throw .cannotUse(directory: path, because: String(cString: strerror(errno)))
            }
        }
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// The text of a small file, or nil if there is no such file.
    static func read(_ path: String) throws(StorageError) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            throw .cannotUse(directory: path, because: String(cString: strerror(errno)))
        }
        defer { _ = close(file) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = bytes.withUnsafeMutableBytes { Self.read(file, $0) }
        guard count >= 0 else { throw .cannotUse(directory: path, because: String(cString: strerror(errno))) }
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }

    /// Writes a small file so that after a crash it is there as a whole, or not at all.
    static func write(_ text: String, to path: String) throws(StorageError) {
        let beside = path + ".new"
        let file = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .cannotUse(directory: path, because: String(cString: strerror(errno))) }
        defer { _ = close(file) }
        let bytes = Array(text.utf8)
        let isWritten = bytes.withUnsafeBytes { Self.write(file, $0) } == bytes.count && fsync(file) == 0
        guard isWritten, rename(beside, path) == 0 else {
            throw .cannotUse(directory: path, because: String(cString: strerror(errno)))
        }
        try sync(directory: directory(of: path))
    }

    /// The names in a directory, in no order.
    static func names(in directory: String) throws(StorageError) -> [String] {
        guard let entries = opendir(directory) else {
            throw .cannotUse(directory: directory, because: String(cString: strerror(errno)))
        }
        defer { closedir(entries) }
        var names: [String] = []
        while let entry = readdir(entries) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// The directory that a name is in.
    static func directory(of path: String) -> String {
        guard let end = path.lastIndex(of: "/") else { return "." }
        return end == path.startIndex ? "/" : String(path[..<end])
    }

    /// Makes the names in a directory durable, and that others are not there any more.
    static func sync(directory: String) throws(StorageError) {
        let file = open(directory, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw .cannotUse(directory: directory, because: String(cString: strerror(errno))) }
        defer { _ = close(file) }
        // Some file systems have no sync of directories: their names are durable when they are made, or never.
        guard fsync(file) == 0 || errno == EINVAL else {
            throw .cannotUse(directory: directory, because: String(cString: strerror(errno)))
        }
    }

    private static func read(_ file: CInt, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
        #if canImport(Glibc)
            Glibc.read(file, buffer.baseAddress, buffer.count)
        #else
            Darwin.read(file, buffer.baseAddress, buffer.count)
        #endif
    }

    private static func write(_ file: CInt, _ buffer: UnsafeRawBufferPointer) -> Int {
        #if canImport(Glibc)
            Glibc.write(file, buffer.baseAddress, buffer.count)
        #else
            Darwin.write(file, buffer.baseAddress, buffer.count)
        #endif
    }
}
