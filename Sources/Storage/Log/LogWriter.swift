import HoldfastEngine

/// Appends to one log file after the other, in whole blocks.
///
///     file    │ block │ block │ block, unfinished │ zeros …
///     blocks                  │ block, unfinished │ new records … zeros │  ─▶ written over it
///
/// The block in which a write ended is written again with the next one, with the same bytes in front. A disk writes a
/// block of this size as a whole, or sector by sector; either way what was in it already does not change.
final class LogWriter {
    private static let bufferSize = 64 * LogFile.blockSize

    private(set) var file: LogFile
    /// Where the next record goes.
    private var end = 0
    /// Begins with the unfinished block that is the last one in the file.
    private let blocks = UnsafeMutableRawBufferPointer.allocate(
        byteCount: LogWriter.bufferSize, alignment: LogFile.blockSize)

    /// Begins a file.
    init(_ file: LogFile, _ header: LogFile.Header) throws(StorageError) {
        self.file = file
        try begin(file, header)
    }

    deinit {
        blocks.deallocate()
    }

    /// Goes on in another file; what was in it counts no more.
    func begin(_ file: LogFile, _ header: LogFile.Header) throws(StorageError) {
        self.file = file
        end = 0
        file.begin(header)
        try header.bytes.withRawBytes { (bytes) throws(StorageError) in try append(bytes) }
    }

    /// Whether a record of this size fits behind the others.
    func hasRoom(for size: Int) -> Bool { size <= file.capacity - end }

    /// Writes records behind the others; they are durable after the next `sync`.
    ///
    /// - Parameter body: Called once, if possible while the disk writes.
    func append(_ bytes: UnsafeRawBufferPointer, meanwhile body: () -> Void = {}) throws(StorageError) {
        var start = 0
        while start < bytes.count {
            let unfinished = end % LogFile.blockSize
            let count = min(bytes.count - start, blocks.count - unfinished)
            UnsafeMutableRawBufferPointer(rebasing: blocks[unfinished...])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[start..<start + count]))
            start += count
            let isLast = start == bytes.count
            try writeBlocks(holding: unfinished + count, at: end - unfinished) { if isLast { body() } }
            end += count
        }
    }

    func sync() throws(StorageError) { try file.sync() }

    private func writeBlocks(
        holding count: Int, at offset: Int, meanwhile body: () -> Void
    ) throws(StorageError) {
        let size = LogFile.wholeBlocks(count)
        UnsafeMutableRawBufferPointer(rebasing: blocks[count..<size]).initializeMemory(as: UInt8.self, repeating: 0)
        try file.write(UnsafeRawBufferPointer(rebasing: blocks[..<size]), at: offset, meanwhile: body)
        let unfinished = count % LogFile.blockSize
        blocks.copyMemory(from: UnsafeRawBufferPointer(rebasing: blocks[count - unfinished..<count]))
    }
}
