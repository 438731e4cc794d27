import HoldfastEngine

/// Brings into table files what the log holds beyond them, when a store is opened.
struct LogRecovery {
    /// The files of the log; the next log uses them again.
    private(set) var files: [LogFile] = []
    /// The position of the newest commit.
    private(set) var last: UInt64
    /// How many commits came from the log.
    private(set) var replayedCount = 0
    /// A name that no file has.
    private(set) var nextName = 0

    /// Greater than the number of any file.
    var nextNumber: UInt64 { (files.compactMap(\.header?.number).max() ?? 0) + 1 }

    /// Reads the log and applies what `database` lacks; it is then in the memtables.
    ///
    /// The log ends where a record is missing or does not match its checksum: it was not durable. If the log goes on in
    /// a later file, it was, and this is damage.
    init(_ directory: String, on disk: any LogDisk, into database: Database) throws(StorageError) {
        last = try database.storedPosition()
        for name in try Files.names(in: directory) {
            // What else is there was not made by a log.
            guard let number = Int(name), "\(number)" == name else { continue }
            files.append(try LogFile(opening: "\(directory)/\(name)", on: disk))
            nextName = max(nextName, number + 1)
        }
        var used = files.compactMap { file in file.header.map { (file: file, header: $0) } }
        used.sort { $0.header.number < $1.header.number }
        // Files whose records are all in table files may be half overwritten: a file's range ends where the next begins.
        guard let start = used.lastIndex(where: { $0.header.first <= last + 1 }) else {
            guard used.isEmpty else { throw .logGap(directory: directory, after: last) }
            return
        }
        var expected = used[start].header.first
        for (file, header) in used[start...] {
            guard header.first == expected else { throw .logGap(directory: directory, after: expected - 1) }
            expected = try replay(file, header, into: database)
        }
        // Table files may hold commits whose records were never synced.
        last = max(last, expected - 1)
    }

    /// Applies the records of a file; returns the position behind its last one.
    private mutating func replay(
        _ file: LogFile, _ header: LogFile.Header, into database: Database
    ) throws(StorageError) -> UInt64 {
        let bytes = try file.read()
        var position = header.first
        var offset = LogFile.Header.size
        try bytes.withRawBytes { (bytes) throws(StorageError) in
            while let batch = LogRecord.batch(at: offset, in: bytes, position: position, life: header.life) {
                if position > last {
                    try database.write(WriteBatch(copying: batch))
                    replayedCount += 1
                }
                offset += LogRecord.headerSize + batch.count
                position += 1
            }
        }
        return position
    }
}
