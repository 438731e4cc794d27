import HoldfastEngine
import Synchronization
import Testing

@testable import HoldfastStorage

#if canImport(Glibc)
    import Glibc
#endif

/// Commits that their own thread makes durable.
@Suite struct LoneCommitTests {
    private static func open(_ directory: String, disk: any LogDisk = LocalDisk()) throws -> RocksStore {
        var options = RocksOptions()
        options.logFileSize = 16 << 10
        return try RocksStore.open(directory: directory, options: options, partitions: 1, disk: disk)
    }

    /// In memory if the machine has such a place, where no sync is slow.
    private static let place = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"

    @Test(arguments: [Self.place, "/tmp"])
    func `a lone commit is visible and durable when it returns, in files that follow each other`(place: String) throws {
        try withTemporaryDirectory(in: place) { directory in
            let store = try Self.open("\(directory)/live")
            let transaction = store.transaction()
            var loneCount = 0
            for number in 1...200 {
                transaction.put("last", "\(number)")
                transaction.put("key\(1000 + number)", String(repeating: "x", count: number * 7))
                if let position = try store.commitDurably(transaction) {
                    loneCount += 1
                    #expect(store.latestPosition == position)
                } else {
                    _ = try store.commit(transaction)
                    try store.makeDurable()
                }
                #expect(try store.snapshot().text("last") == "\(number)")
            }
            #expect(loneCount > 0 || place == "/tmp")
            try copy(tree: "\(directory)/live", to: "\(directory)/crashed")
            #expect(try Self.open("\(directory)/crashed").snapshot().pairs() == store.snapshot().pairs())
        }
    }

    @Test func `a lone commit takes along what waits for a sync`() throws {
        try withTemporaryDirectory(in: Self.place) { directory in
            let store = try Self.open("\(directory)/live")
            let transaction = store.transaction()
            var number = 0
            repeat {
                number += 1
                try store.commit(["before": "\(number)"])
                transaction.put("behind", "\(number)")
                // An unlucky pause of this thread makes the disk look slow, until the next sync.
                if try store.commitDurably(transaction) != nil { break }
                try store.makeDurable()
            } while number < 100
            try #require(number < 100)
            try copy(tree: "\(directory)/live", to: "\(directory)/crashed")
            #expect(
                try Self.open("\(directory)/crashed").snapshot().pairs() == ["before=\(number)", "behind=\(number)"])
        }
    }

    @Test(.timeLimit(.minutes(5))) func `while another thread syncs, and while syncs are slow, nothing is committed`()
        throws
    {
        try withTemporaryDirectory(in: Self.place) { directory in
            let disk = GatedDisk()
            let store = try Self.open(directory, disk: disk)
            try store.commit(["a": "1"])
            let earlier = disk.syncCount.load(ordering: .acquiring)
            disk.isClosed.store(true, ordering: .releasing)
            let isDone = Flag()
            Thread.start(name: "sync") {
                try? store.makeDurable()
                isDone.raise()
            }
            while disk.syncCount.load(ordering: .acquiring) == earlier { sched_yield() }
            let transaction = store.transaction()
            transaction.put("b", "1")
            let start = ContinuousClock.now
            while ContinuousClock.now - start < .milliseconds(2) {
                #expect(try store.commitDurably(transaction) == nil)
            }
            disk.isClosed.store(false, ordering: .releasing)
            while !isDone.isRaised { sched_yield() }
            // Nobody syncs now; but the last sync took its two milliseconds.
            #expect(try store.commitDurably(transaction) == nil)
            #expect(try store.snapshot().pairs() == ["a=1"])
            _ = try store.commit(transaction)
            #expect(try store.snapshot().pairs() == ["a=1", "b=1"])
        }
    }

    @Test func `an empty transaction makes nothing durable`() throws {
        try withTemporaryDirectory { directory in
            let store = try Self.open(directory)
            #expect(try store.commitDurably(store.transaction()) == nil)
            store.close()
            #expect(throws: StorageError.self) { try store.commitDurably(store.transaction()) }
        }
    }

    @Test func `of a write that the kernel does meanwhile the caller learns as of any other`() throws {
        #if os(Linux)
            try withTemporaryDirectory { directory in
                guard let writes = OverlappedWrites() else { return }
                let file = Glibc.open("\(directory)/file", O_RDWR | O_CREAT, 0o600)
                try #require(file >= 0)
                let bytes = [UInt8](repeating: 7, count: 100)
                var turns = 0
                let count = bytes.withUnsafeBytes { writes.write($0, to: file, at: 3) { turns += 1 } }
                #expect(count == 100)
                #expect(turns == 1)
                var read = [UInt8](repeating: 0, count: 103)
                #expect(pread(file, &read, read.count, 0) == 103)
                #expect(read == [0, 0, 0] + bytes)
                close(file)
                // Refused: the caller tries the usual way, which says why. (A number that was closed may be another test's file.)
                #expect(bytes.withUnsafeBytes { writes.write($0, to: -1, at: 0) { turns += 1 } } == nil)
                #expect(turns == 1)
            }
        #endif
    }
}

/// A disk whose syncs wait while its gate is closed.
private final class GatedDisk: LogDisk {
    let isClosed = Atomic(false)
    let syncCount = Atomic(0)
    private let disk = LocalDisk()

    func write(_ bytes: UnsafeRawBufferPointer, to file: LogFile.Handle, at offset: Int) -> Int {
        disk.write(bytes, to: file, at: offset)
    }

    func sync(_ file: LogFile.Handle) -> CInt {
        syncCount.add(1, ordering: .releasing)
        while isClosed.load(ordering: .acquiring) { sched_yield() }
        return disk.sync(file)
    }

    func setDirect(_ isDirect: Bool, for file: LogFile.Handle) { disk.setDirect(isDirect, for: file) }
    func remove(_ path: String) { disk.remove(path) }
    func syncNames(in directory: String) throws(StorageError) { try disk.syncNames(in: directory) }
}
