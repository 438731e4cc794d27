import Testing

@testable import HoldfastStorage

#if canImport(Glibc)
    import Glibc
#endif

/// - Parameter parent: Where the directory is made.
func withTemporaryDirectory(in parent: String = "/tmp", _ body: (String) throws -> Void) throws {
    var template = Array("\(parent)/holdfast-XXXXXX".utf8CString)
    try #require(mkdtemp(&template) != nil)
    let directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer { remove(tree: directory) }
    try body(directory)
}

func remove(tree path: String) {
    guard let entries = opendir(path) else {
        unlink(path)
        return
    }
    while let entry = readdir(entries) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
            pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != ".", name != ".." { remove(tree: "\(path)/\(name)") }
    }
    closedir(entries)
    rmdir(path)
}

/// Copies the data directory of a store that is open, which nobody writes to; RocksDB may still tidy up behind itself,
/// so the copy is made again until it was left alone meanwhile.
func copy(tree from: String, to: String) throws {
    mkdir(to, 0o700)
    let deadline = time(nil) + 60
    while true {
        let before = try listing(from)
        remove(tree: to)
        try copyOnce(from, to)
        if try listing(from) == before { return }
        try #require(time(nil) < deadline)
    }
}

/// Names and sizes of all files.
private func listing(_ directory: String) throws -> [String] {
    try Files.names(in: directory).sorted().flatMap { name in
        var information = stat()
        guard stat("\(directory)/\(name)", &information) == 0 else { return ["\(name) is gone"] }
        let isDirectory = information.st_mode & S_IFMT == S_IFDIR
        return isDirectory ? try listing("\(directory)/\(name)") : ["\(directory)/\(name) \(information.st_size)"]
    }
}

private func copyOnce(_ from: String, _ to: String) throws {
    mkdir(to, 0o700)
    for name in try Files.names(in: from) {
        var information = stat()
        guard stat("\(from)/\(name)", &information) == 0 else { continue }
        if information.st_mode & S_IFMT == S_IFDIR {
            try copyOnce("\(from)/\(name)", "\(to)/\(name)")
            continue
        }
        try copy(file: "\(from)/\(name)", to: "\(to)/\(name)")
    }
}

func copy(file from: String, to: String) throws {
    let source = open(from, O_RDONLY)
    let target = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    defer {
        close(source)
        close(target)
    }
    var buffer = [UInt8](repeating: 0, count: 65536)
    while case let count = read(source, &buffer, buffer.count), count > 0 {
        try #require(write(target, buffer, count) == count)
    }
}
