import HoldfastEngine
import Testing

@testable import HoldfastStorage

#if canImport(Glibc)
    import Glibc
#endif

/// What the log keeps over crashes; a crash is a copy of the data directory of a store that is still open.
@Suite struct DiskLogTests {
    private static let small: RocksOptions = {
        var options = RocksOptions()
        options.logFileSize = 16 << 10
        return options
    }()

    private static func open(_ directory: String, _ options: RocksOptions = small) throws(StorageError) -> RocksStore {
        try RocksStore.open(directory: directory, options: options, partitions: 1)
    }

    /// A store with `count` durable commits, of which number n sets `last` to n and adds a key of its own.
    private static func store(_ directory: String, commits count: Int) throws -> RocksStore {
        let store = try open(directory)
        for number in 1...count {
            try store.commit(["last": "\(number)", "key\(1000 + number)": String(repeating: "x", count: number * 10)])
            try store.makeDurable()
        }
        return store
    }

    /// How many of those commits are there; fails if they are not the first ones.
    private static func count(_ store: RocksStore) throws -> Int {
        let last = try store.snapshot().text("last").flatMap { Int($0) } ?? 0
        let keys = try store.snapshot().pairs(from: "key", to: "kez").map { String($0.prefix(7)) }
        #expect(keys == (0..<last).map { "key\(1001 + $0)" })
        return last
    }

    @Test func `wherever the log is cut, a prefix of the commits is there`() throws {
        try withTemporaryDirectory { directory in
            let store = try Self.store("\(directory)/live", commits: 4)
            let log = try #require(try logFiles("\(directory)/live").first)
            let size = 64 + (1...4).map { recordSize($0) }.reduce(0, +)
            for cut in stride(from: 0, through: size, by: 37) {
                let crashed = "\(directory)/\(cut)"
                try copy(tree: "\(directory)/live", to: crashed)
                try overwrite("\(crashed)/log/\(log)", from: cut, to: size)
                let expected = (1...4).reduce((count: 0, end: 64)) { state, number in
                    let end = state.end + recordSize(number)
                    return end <= cut ? (number, end) : (state.count, end)
                }.count
                let reopened = try Self.open(crashed)
                #expect(try Self.count(reopened) == expected, "cut at \(cut)")
                // What was recovered is not recovered again, and the store goes on behind it.
                try reopened.commit(["last": "\(expected)"])
                reopened.close()
                #expect(try Self.count(Self.open(crashed)) == expected)
            }
            store.close()
        }
    }

    /// The record of a commit as `store` makes it; the constants are RocksDB's.
    private func recordSize(_ number: Int) -> Int {
        let last = 1 + 1 + 1 + "last".utf8.count + 1 + "\(number)".utf8.count
        let key = 1 + 1 + 1 + "key1001".utf8.count + 1 + number * 10
        let position = 1 + 1 + "position".utf8.count + 1 + 8
        return LogRecord.headerSize + 12 + last + key + position
    }

    @Test func `commits that fill many files are all there, and files are used again`() throws {
        try withTemporaryDirectory { directory in
            var options = Self.small
            options.memtablesSize = 128 << 10
            options.memtableSize = 64 << 10
            let store = try Self.open("\(directory)/live", options)
            let value = String(repeating: "x", count: 3000)
            for number in 1...600 {
                try store.commit(["last": "\(number)", "key\(1000 + number % 200)": value])
                if number % 7 == 0 { try store.makeDurable() }
            }
            // One of a size that fits into no file.
            try store.commit(["last": "601", "large": String(repeating: "y", count: 100_000)])
            try store.makeDurable()
            #expect(try logFiles("\(directory)/live").count < 60)
            try copy(tree: "\(directory)/live", to: "\(directory)/crashed")
            let reopened = try Self.open("\(directory)/crashed", options)
            #expect(try reopened.snapshot().text("last") == "601")
            #expect(try reopened.snapshot().text("large")?.utf8.count == 100_000)
            #expect(try reopened.snapshot().pairs(from: "key", to: "kez").count == 200)
            #expect(reopened.latestPosition == store.latestPosition)
        }
    }

    @Test func `records of any size meet block boundaries in any way`() throws {
        try withTemporaryDirectory { directory in
            let block = LogFile.blockSize
            // One record ends in front of a boundary, at it, behind it, and beyond the buffer; then many small ones.
            let sizes = (-2...2).map { block + $0 } + [64 * block, 64 * block + 1] + Array(repeating: 1, count: 200)
            var options = Self.small
            options.logFileSize = 1 << 20
            let store = try Self.open("\(directory)/live", options)
            for (number, size) in sizes.enumerated() {
                try store.commit(["key\(1000 + number)": String(repeating: "x", count: size)])
                if number % 3 > 0 { try store.makeDurable() }
            }
            try store.makeDurable()
            try copy(tree: "\(directory)/live", to: "\(directory)/crashed")
            let reopened = try Self.open("\(directory)/crashed", options)
            #expect(try reopened.snapshot().pairs() == store.snapshot().pairs())
            #expect(reopened.latestPosition.rawValue == UInt64(sizes.count))
        }
    }

    @Test func `what an earlier life left behind is not taken for a continuation`() throws {
        try withTemporaryDirectory { directory in
            let store = try Self.store("\(directory)/first", commits: 5)
            try copy(tree: "\(directory)/first", to: "\(directory)/second")
            store.close()
            let log = try #require(try logFiles("\(directory)/second").first)
            let third = 64 + recordSize(1) + recordSize(2)
            try overwrite("\(directory)/second/log/\(log)", from: third, to: third + 8)
            let again = try Self.open("\(directory)/second")
            #expect(try Self.count(again) == 2)
            try again.commit(["last": "3", "key1003": ""])
            try again.makeDurable()
            try copy(tree: "\(directory)/second", to: "\(directory)/third")
            #expect(try Self.count(Self.open("\(directory)/third")) == 3)
        }
    }

    @Test func `threads that commit at once lose nothing, while a pipeline syncs`() async throws {
        var template = Array("/tmp/holdfast-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { remove(tree: directory) }
        let store = try Self.open("\(directory)/live")
        let heard = Heard()
        let pipeline = CommitPipeline(store: store, subscribers: [heard.hear])
        await withTaskGroup(of: Void.self) { group in
            for thread in 0..<4 {
                group.addTask {
                    for turn in 1...200 {
                        let value = String(repeating: "\(thread)", count: turn)
                        let transaction = store.transaction()
                        transaction.put("\(thread) \(1000 + turn)", value)
                        if turn % 2 == 0, (try? store.commitDurably(transaction)) ?? nil != nil { continue }
                        guard let position = try? store.commit(transaction) else { return }
                        pipeline.request(upTo: position, for: 0)
                    }
                }
            }
        }
        pipeline.stop()
        #expect(heard.all.last == .durable(800))
        try copy(tree: "\(directory)/live", to: "\(directory)/crashed")
        let reopened = try Self.open("\(directory)/crashed")
        #expect(try reopened.snapshot().pairs() == store.snapshot().pairs())
        #expect(try reopened.snapshot().pairs().count == 800)
    }

    @Test func `a record of another life, position or content is no record`() {
        var bytes: [UInt8] = []
        [1, 2, 3].withUnsafeBytes { LogRecord.append($0, position: 7, life: 9, to: &bytes) }
        func batch(position: UInt64 = 7, life: UInt64 = 9, of bytes: [UInt8]) -> Bool {
            bytes.withUnsafeBytes { LogRecord.batch(at: 0, in: $0, position: position, life: life) != nil }
        }
        #expect(batch(of: bytes))
        #expect(!batch(position: 8, of: bytes))
        #expect(!batch(life: 8, of: bytes))
        for index in bytes.indices {
            var damaged = bytes
            damaged[index] ^= 1
            #expect(!batch(of: damaged), "byte \(index)")
            #expect(!batch(of: Array(bytes[..<index])), "cut at \(index)")
        }
    }

    @Test func `a log that lacks commits before others is damage`() throws {
        try withTemporaryDirectory { directory in
            let store = try Self.open("\(directory)/live")
            let value = String(repeating: "x", count: 6000)
            for number in 1...9 {
                try store.commit(["last": "\(number)", "value": value])
                try store.makeDurable()
            }
            let files = try logFiles("\(directory)/live")
            try #require(files.count >= 4)
            try copy(tree: "\(directory)/live", to: "\(directory)/crashed")
            // The first record of the second file.
            try overwrite("\(directory)/crashed/log/\(files[1])", from: 64, to: 80)
            let error = #expect(throws: StorageError.self) { try Self.open("\(directory)/crashed") }
            #expect(error?.code == .damaged)
            #expect(error?.message.contains("lacks commits after position 2") == true)
        }
    }

    @Test func `a log that cannot be written ends the store's commits`() throws {
        try withTemporaryDirectory { directory in
            let store = try Self.open(directory)
            try store.commit(["a": "1"])
            try store.makeDurable()
            // The next file cannot be made.
            for name in try logFiles(directory) { unlink("\(directory)/log/\(name)") }
            rmdir("\(directory)/log")
            try store.commit(["b": String(repeating: "x", count: 20_000)])
            let error = #expect(throws: StorageError.self) { try store.makeDurable() }
            #expect(error?.code == .failed)
            #expect(throws: StorageError.self) { try store.commit(["c": "1"]) }
            let transaction = store.transaction()
            transaction.put("c", "1")
            #expect(throws: StorageError.self) { try store.commitDurably(transaction) }
            #expect(throws: StorageError.self) { try store.makeDurable() }
            #expect(try store.snapshot().text("a") == "1")
        }
    }
}

private func logFiles(_ directory: String) throws -> [String] {
    try Files.names(in: "\(directory)/log").sorted { (Int($0) ?? 0) < (Int($1) ?? 0) }
}

/// Overwrites a part of a file with bytes that are no record.
private func overwrite(_ path: String, from start: Int, to end: Int) throws {
    let file = open(path, O_WRONLY)
    try #require(file >= 0)
    defer { close(file) }
    let bytes = [UInt8](repeating: 0xA5, count: max(0, end - start))
    try #require(pwrite(file, bytes, bytes.count, off_t(start)) == bytes.count)
}
