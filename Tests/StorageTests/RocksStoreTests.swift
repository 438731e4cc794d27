import HoldfastEngine
import Testing

@testable import HoldfastStorage

#if canImport(Glibc)
    import Glibc
#endif

@Suite struct RocksStoreTests {
    private static func open(_ directory: String, partitions: Int = 4) throws(StorageError) -> RocksStore {
        try RocksStore.open(directory: directory, options: RocksOptions(), partitions: partitions)
    }

    @Test func `what was committed is there after closing and opening again`() throws {
        try withTemporaryDirectory { directory in
            let first = try Self.open("\(directory)/deep/down")
            let position = try first.commit(["a": "1"])
            first.close()
            let second = try Self.open("\(directory)/deep/down")
            #expect(try second.snapshot().text("a") == "1")
            #expect(try second.commit(["a": "2"]) > position)
        }
    }

    @Test func `the number of partitions is fixed when the store is made`() throws {
        try withTemporaryDirectory { directory in
            let first = try Self.open(directory, partitions: 6)
            #expect(first.partitionCount == 6)
            first.close()
            #expect(try Self.open(directory, partitions: 9).partitionCount == 6)
        }
    }

    @Test func `a second opening is refused, and names the process that holds the store`() throws {
        try withTemporaryDirectory { directory in
            let store = try Self.open(directory)
            let error = #expect(throws: StorageError.self) { try Self.open(directory) }
            #expect(error?.code == .locked)
            #expect(error?.message.contains("Process \(getpid()) has it open") == true)
            store.close()
            _ = try Self.open(directory)
        }
    }

    /// A number that is closed twice may be somebody else's file by the second time.
    @Test func `a refused opening closes no file but its own`() throws {
        try withTemporaryDirectory { directory in
            let store = try Self.open(directory)
            defer { store.close() }
            let (isOver, hasLostFile, hasEnded) = (Flag(), Flag(), Flag())
            Thread.start(name: "bystander") {
                while !isOver.isRaised, !hasLostFile.isRaised {
                    let file = Glibc.open("/dev/null", O_RDONLY | O_CLOEXEC)
                    if close(file) != 0 { hasLostFile.raise() }
                }
                hasEnded.raise()
            }
            for _ in 0..<2000 { #expect((try? DirectoryLock(directory: directory)) == nil) }
            isOver.raise()
            while !hasEnded.isRaised { sched_yield() }
            #expect(!hasLostFile.isRaised)
        }
    }

    @Test func `a store of a newer format is refused and left alone`() throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/FORMAT"
            let text = "holdfast store\nformat 7\nshape round\n"
            try write(text, to: path)
            let error = #expect(throws: StorageError.self) { try Self.open(directory) }
            #expect(error?.code == .tooNew)
            #expect(
                error?.message == """
                    Cannot open the store in '\(directory)'. It was written in format 7; this program reads formats up \
                    to 1. Nothing was changed. Start a version that reads format 7, or restore a backup.
                    """)
            #expect(try read(path) == text)
            #expect(access("\(directory)/store", F_OK) != 0)
        }
    }

    @Test(arguments: ["", "holdfast store\n", "holdfast store\nformat 1\n", "holdfast store\nformat 1\npartitions 0\n"])
    func `a damaged format file is refused`(text: String) throws {
        try withTemporaryDirectory { directory in
            try write(text, to: "\(directory)/FORMAT")
            let error = #expect(throws: StorageError.self) { try Self.open(directory) }
            #expect(error?.code == .damaged)
        }
    }

    @Test func `a store without its format file is refused`() throws {
        try withTemporaryDirectory { directory in
            try Self.open(directory).close()
            unlink("\(directory)/FORMAT")
            let error = #expect(throws: StorageError.self) { try Self.open(directory) }
            #expect(error?.code == .damaged)
        }
    }

    @Test func `a directory that cannot be made is an error that says why`() throws {
        let error = #expect(throws: StorageError.self) { try Self.open("/proc/holdfast") }
        #expect(error?.code == .failed)
        #expect(error?.message.contains("/proc/holdfast") == true)
    }

    @Test func `a closed store takes nothing, and answers with an error`() throws {
        try withTemporaryDirectory { directory in
            let store = try Self.open(directory)
            store.close()
            let transaction = store.transaction()
            transaction.put("a", "1")
            #expect(throws: StorageError.self) { try store.commit(transaction) }
            #expect(throws: StorageError.self) { try store.makeDurable() }
            #expect(throws: StorageError.self) { try store.snapshot().text("a") }
        }
    }

    /// A child process makes commits and syncs, then is killed without warning while it goes on committing.
    @Test(arguments: 0..<3) func `a killed process loses nothing that was durable, and no commit from the middle`(
        round: Int
    ) throws {
        try withTemporaryDirectory { directory in
            let child = try ChildProcess(committingIn: directory)
            _ = try child.awaitSyncs(5 + 100 * round)
            child.kill()
            let durable = try child.awaitSyncs(0) * ChildProcess.commitsPerSync
            let store = try Self.open(directory)
            let last = try #require(try store.snapshot().text("last").flatMap { Int($0) })
            #expect(last >= durable)
            // Every commit wrote one more key of its own: those up to `last` are there, and no other.
            var found = 0
            try store.snapshot().scan(.journals, from: [], to: [255]) { _, _ in
                found += 1
                return true
            }
            #expect(found == last)
        }
    }
}

private func write(_ text: String, to path: String) throws {
    let file = try #require(fopen(path, "w"))
    fputs(text, file)
    fclose(file)
}

private func read(_ path: String) throws -> String {
    let file = try #require(fopen(path, "r"))
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = fread(&bytes, 1, bytes.count, file)
    return String(decoding: bytes[..<count], as: UTF8.self)
}
