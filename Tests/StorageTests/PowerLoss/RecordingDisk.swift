import HoldfastEngine
import Synchronization

@testable import HoldfastStorage

#if canImport(Glibc)
    import Glibc
#endif

/// A disk that does what it is asked, and remembers after each step what a power loss might have left of it.
///
/// Files that are being made, perhaps by another thread, are seen only when the log begins to use them: so what is
/// remembered does not depend on how fast that thread is.
final class RecordingDisk: LogDisk {
    static let sectorSize = 512

    /// A part of a write that a disk writes as a whole.
    struct Sector {
        let file: String
        let offset: Int
        let bytes: ArraySlice<UInt8>
        /// Whether the sector holds records that are durable, which the write repeats.
        let holdsDurable: Bool
    }

    /// What the disk holds for certain, and what it may hold.
    struct Contents {
        /// What is synced, by file. A file is there as soon as it is used.
        var synced: [String: [UInt8]] = [:]
        /// What is not, in the order in which it was written.
        var unsynced: [Sector] = []
        /// Files that were removed, and may come back.
        var removed: [String: [UInt8]] = [:]
        /// Files that are used, and whose names are not durable.
        var unnamed: Set<String> = []
    }

    fileprivate struct State {
        var contents = Contents()
        var making: [String: [UInt8]] = [:]
        var named: Set<String> = []
        /// Sectors that hold synced records of the file's present use.
        var durableSectors: [String: Set<Int>] = [:]
    }

    private let disk = LocalDisk()
    private let state: Mutex<State>
    /// Called after each write of the log, and before each sync.
    private let step: @Sendable (Contents) -> Void

    /// Remembers steps on a disk that holds files.
    init(holding files: [String: [UInt8]] = [:], step: @escaping @Sendable (Contents) -> Void) {
        var state = State()
        state.contents.synced = files
        state.named = Set(files.keys)
        self.state = Mutex(state)
        self.step = step
    }

    /// What the disk holds now.
    var contents: Contents { state.withLock { $0.contents } }

    func write(_ bytes: UnsafeRawBufferPointer, to file: LogFile.Handle, at offset: Int) -> Int {
        let count = disk.write(bytes, to: file, at: offset)
        guard count > 0 else { return count }
        let contents = state.withLock { state -> Contents? in
            // A file is filled with zeros before it is used.
            if state.contents.synced[file.path] == nil {
                if bytes.allSatisfy({ $0 == 0 }) {
                    state.making[file.path, default: []] += bytes
                    return nil
                }
                state.contents.synced[file.path] = state.making.removeValue(forKey: file.path) ?? []
                if !state.named.contains(file.path) { state.contents.unnamed.insert(file.path) }
            }
            // A write at the beginning that does not repeat what is there begins a new use.
            if offset == 0, !state.isRepeated(bytes.prefix(LogFile.Header.size), in: file.path) {
                state.durableSectors[file.path] = []
            }
            let copy = Array(bytes)
            for start in stride(from: 0, to: copy.count, by: Self.sectorSize) {
                let sector = offset + start
                state.contents.unsynced.append(
                    Sector(
                        file: file.path, offset: sector, bytes: copy[start..<start + Self.sectorSize],
                        holdsDurable: state.durableSectors[file.path]?.contains(sector) == true))
            }
            return state.contents
        }
        if let contents { step(contents) }
        return count
    }

    func sync(_ file: LogFile.Handle) -> CInt {
        let contents = state.withLock { state in
            state.contents.synced[file.path] == nil ? nil : state.contents
        }
        if let contents { step(contents) }
        let result = disk.sync(file)
        state.withLock { state in
            for sector in state.contents.unsynced where sector.file == file.path {
                state.contents.apply(sector)
                state.durableSectors[file.path, default: []].insert(sector.offset)
            }
            state.contents.unsynced.removeAll { $0.file == file.path }
        }
        return result
    }

    func setDirect(_ isDirect: Bool, for file: LogFile.Handle) { disk.setDirect(isDirect, for: file) }

    func remove(_ path: String) {
        disk.remove(path)
        state.withLock { state in
            state.making[path] = nil
            if let bytes = state.contents.synced.removeValue(forKey: path) { state.contents.removed[path] = bytes }
            state.contents.unsynced.removeAll { $0.file == path }
        }
    }

    func syncNames(in directory: String) throws(StorageError) {
        try disk.syncNames(in: directory)
        state.withLock { state in
            state.named.formUnion(state.making.keys)
            state.contents.unnamed = []
            state.contents.removed = [:]
        }
    }
}

extension RecordingDisk.State {
    fileprivate func isRepeated(_ bytes: Slice<UnsafeRawBufferPointer>, in file: String) -> Bool {
        let written = contents.unsynced.last { $0.file == file && $0.offset == 0 }?.bytes
        let header = written ?? contents.synced[file]?[...] ?? []
        return header.prefix(bytes.count).elementsEqual(bytes)
    }
}

extension RecordingDisk.Contents {
    /// Puts a sector into its file.
    mutating func apply(_ sector: RecordingDisk.Sector) {
        apply(sector.bytes, at: sector.offset, in: sector.file)
    }

    mutating func apply(_ bytes: ArraySlice<UInt8>, at offset: Int, in file: String) {
        guard let count = synced[file]?.count else { return }
        let end = offset + bytes.count
        if count < end { synced[file]? += [UInt8](repeating: 0, count: end - count) }
        synced[file]?.replaceSubrange(offset..<end, with: bytes)
    }
}
