import HoldfastEngine

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The file `FORMAT` of a data directory: which format the store is written in, and for how many partitions.
///
///     holdfast store
///     format 1
///     partitions 16
///
/// Lines that follow are for later formats. It is written before anything else, and whole: under another name first.
struct StoreFormat {
    /// The newest format that this program reads and writes.
    static let current = 1
    /// Keys begin with the partition in two bytes.
    static let partitionCountMax = 1 << 16

    let partitionCount: Int

    /// Reads the file, or writes it in a directory that holds no store.
    static func readOrWrite(in directory: String, partitions: Int) throws(StorageError) -> StoreFormat {
        let path = "\(directory)/FORMAT"
        if let text = try Files.read(path) { return try StoreFormat(parsing: text, path: path, directory: directory) }
        guard !Files.exists("\(directory)/store") else {
            throw .formatDamaged(path: path, because: "is missing, but there is a store beside it")
        }
        let format = StoreFormat(partitionCount: min(max(partitions, 1), partitionCountMax))
        try Files.write("holdfast store\nformat \(current)\npartitions \(format.partitionCount)\n", to: path)
        return format
    }

    private init(partitionCount: Int) {
        self.partitionCount = partitionCount
    }

    private init(parsing text: String, path: String, directory: String) throws(StorageError) {
        let lines = text.split(separator: "\n")
        guard lines.first == "holdfast store", let format = Self.number("format", in: lines) else {
            throw .formatDamaged(path: path, because: "does not begin as the file of a store does")
        }
        // A newer format may have changed every other line, so this comes first.
        guard format <= Self.current else {
            throw .tooNew(directory: directory, found: format, supported: Self.current)
        }
        guard let partitions = Self.number("partitions", in: lines), (1...Self.partitionCountMax).contains(partitions)
        else {
            throw .formatDamaged(path: path, because: "does not tell the number of partitions")
        }
        partitionCount = partitions
    }

    private static func number(_ name: String, in lines: [Substring]) -> Int? {
        for line in lines {
            let words = line.split(separator: " ")
            if words.count == 2, words[0] == name { return Int(words[1]) }
        }
        return nil
    }
}
