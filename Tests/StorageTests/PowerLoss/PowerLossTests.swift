import HoldfastEngine
import Testing

@testable import HoldfastStorage

#if canImport(Glibc)
    import Glibc
#endif

/// What a power loss leaves, at each step of the log and for any order in which a disk may write.
@Suite struct PowerLossTests {
    /// In memory if the machine has such a place: what survives is decided here, not by a disk.
    private static let place = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"

    @Test(.timeLimit(.minutes(5)))
    func `whenever the power fails, what was durable is there, and no commit without those before it`() throws {
        try withTemporaryDirectory(in: Self.place) { directory in
            let run = try RecordedRun("\(directory)/live", holding: [:], after: [], copies: "\(directory)/tables")
            try run.commit([4, 1, 1, 2, 7, 1, 3, 12, 5, 1, 1, 1, 6, 2, 9, 4, 3, 1, 8, 21, 2, 5, 13, 1, 7, 17, 3, 9])
            let moments = run.moments
            try #require(moments.last.map { $0.tables > 3 } == true, "memtables became table files")
            var images = Images(directory, "\(directory)/live")
            for (step, moment) in moments.enumerated() {
                for loss in Self.losses(moment.disk.unsynced.count, step) {
                    guard let image = try images.make(moment, loss, tables: run.tables(moment.tables)) else { continue }
                    defer { remove(tree: image.directory) }
                    try Self.check(image, moment, run.history, "step \(step), \(loss)", isDeep: images.count % 8 == 0)
                }
            }
            run.store.close()
        }
    }

    /// Which losses are tried when so many sectors are not synced.
    private static func losses(_ count: Int, _ step: Int) -> [PowerLoss] {
        guard count > 0 else { return [.nothing, .some(seed: UInt64(step))] }
        var chance = Chance(UInt64(step))
        let single = [0, chance.below(count), count - 1]
        return [.nothing, .everything] + single.map { .sector($0) } + [.allBut(single[1])]
            + (0..<3).map { .some(seed: UInt64(step * 100 + $0)) }
    }

    /// Opens the store of an image; if `isDeep`, lets it go on and fail again.
    private static func check(
        _ image: Images.Image, _ moment: RecordedRun.Moment, _ history: [Int], _ name: String, isDeep: Bool
    ) throws {
        let begun = Array(history.prefix(moment.begun))
        let run: RecordedRun
        do {
            run = try RecordedRun(
                image.directory, holding: image.files, after: begun, copies: "\(image.directory)/tables")
        } catch {
            Issue.record("\(name): \(error)")
            return
        }
        defer { run.store.close() }
        let count = Int(run.store.latestPosition.rawValue)
        #expect((moment.durable...moment.begun).contains(count), "\(name)")
        let isPrefix = try run.store.snapshot().pairs() == RecordedRun.pairs(after: run.history)
        #expect(isPrefix, "\(name): after \(count) commits")
        guard isDeep else { return }
        try run.commit([1, 3, 1, 4])
        var images = Images(image.directory, image.directory)
        let moments = run.moments
        var chance = Chance(UInt64(count))
        for _ in 0..<4 {
            let moment = moments[chance.below(moments.count)]
            let loss = losses(moment.disk.unsynced.count, count)[chance.below(2)]
            guard let again = try images.make(moment, loss, tables: run.tables(moment.tables)) else { continue }
            try check(again, moment, run.history, "\(name); then \(loss)", isDeep: false)
        }
    }
}

/// Makes the data directories that power losses leave, each once.
private struct Images {
    struct Image {
        let directory: String
        /// The log's files.
        let files: [String: [UInt8]]
    }

    /// What was made so far.
    private var made: Set<Int> = []
    private let parent: String
    private let live: String

    var count: Int { made.count }

    /// - Parameters:
    ///   - parent: Where they are made.
    ///   - live: The data directory of the store that fails.
    init(_ parent: String, _ live: String) {
        self.parent = parent
        self.live = live
    }

    /// Nil if there was such an image already.
    mutating func make(
        _ moment: RecordedRun.Moment, _ loss: PowerLoss, tables: String
    ) throws -> Image? {
        let files = loss.image(of: moment.disk)
        var hasher = Hasher()
        hasher.combine(files)
        hasher.combine(tables)
        hasher.combine(moment.durable)
        guard made.insert(hasher.finalize()).inserted else { return nil }
        let directory = "\(parent)/image\(made.count)"
        mkdir(directory, 0o700)
        mkdir("\(directory)/log", 0o700)
        try copy(tree: tables, to: "\(directory)/store")
        try copy(file: "\(live)/FORMAT", to: "\(directory)/FORMAT")
        var placed: [String: [UInt8]] = [:]
        for (path, bytes) in files {
            let name = path.split(separator: "/").last.map(String.init) ?? ""
            placed["\(directory)/log/\(name)"] = bytes
            try write(bytes, to: "\(directory)/log/\(name)")
        }
        return Image(directory: directory, files: placed)
    }

    private func write(_ bytes: [UInt8], to path: String) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        try #require(file >= 0)
        defer { close(file) }
        try #require(bytes.isEmpty || Glibc.write(file, bytes, bytes.count) == bytes.count)
    }
}
