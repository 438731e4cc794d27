/// Writes FlatBuffers, the format of Arrow's metadata.
///
/// A FlatBuffer is written from its end; here its bytes are kept in reverse until `finish`. An offset is the distance
/// of an object's beginning from the end.
struct FlatBuffer {
    typealias Offset = Int

    private var reversed: [UInt8] = []
    /// The fields of the table that is being written: the place in its vtable, and the offset.
    private var fields: [(index: Int, offset: Offset)] = []
    /// Where that table ends.
    private var tableEnd: Offset?

    /// Makes the next `size` bytes, after `following` more, begin at a multiple of `alignment`.
    private mutating func align(to alignment: Int, following: Int = 0) {
        while (reversed.count + following) % alignment != 0 { reversed.append(0) }
    }

    private mutating func write<Integer: FixedWidthInteger>(_ value: Integer) {
        align(to: MemoryLayout<Integer>.size, following: MemoryLayout<Integer>.size)
        withUnsafeBytes(of: value.bigEndian) { reversed.append(contentsOf: $0) }
    }

    private mutating func write(offset: Offset) {
        align(to: 4, following: 4)
        write(UInt32(truncatingIfNeeded: reversed.count + 4 - offset))
    }

    mutating func string(_ text: String) -> Offset {
        let bytes = Array(text.utf8)
        align(to: 4, following: bytes.count + 1)
        reversed.append(0)
        reversed.append(contentsOf: bytes.reversed())
        write(UInt32(truncatingIfNeeded: bytes.count))
        return reversed.count
    }

    mutating func vector(_ offsets: [Offset]) -> Offset {
        align(to: 4)
        for offset in offsets.reversed() { write(offset: offset) }
        write(UInt32(truncatingIfNeeded: offsets.count))
        return reversed.count
    }

    /// A vector of structs of two 64-bit numbers.
    mutating func vector(_ pairs: [(Int, Int)]) -> Offset {
        align(to: 8)
        for pair in pairs.reversed() {
            write(Int64(pair.1))
            write(Int64(pair.0))
        }
        write(UInt32(truncatingIfNeeded: pairs.count))
        return reversed.count
    }

    /// Adds a number to the table that is being written.
    mutating func field<Integer: FixedWidthInteger>(_ index: Int, _ value: Integer) {
        tableEnd = tableEnd ?? reversed.count
        write(value)
        fields.append((index, reversed.count))
    }

    /// Adds a reference to the table that is being written.
    mutating func field(_ index: Int, offset: Offset) {
        tableEnd = tableEnd ?? reversed.count
        write(offset: offset)
        fields.append((index, reversed.count))
    }

    /// Ends the table whose fields were added.
    mutating func table() -> Offset {
        // The distance to the vtable, which stands before the table: it is known below.
        let end = tableEnd ?? reversed.count
        write(Int32(0))
        let table = reversed.count
        let count = (fields.map(\.index).max() ?? -1) + 1
        var entries = [UInt16](repeating: 0, count: count)
        for field in fields { entries[field.index] = UInt16(truncatingIfNeeded: table - field.offset) }
        for entry in entries.reversed() { write(entry) }
        write(UInt16(truncatingIfNeeded: table - end))
        write(UInt16(truncatingIfNeeded: 4 + 2 * count))
        let distance = Int32(truncatingIfNeeded: reversed.count - table)
        withUnsafeBytes(of: distance.bigEndian) { reversed.replaceSubrange(table - 4..<table, with: $0) }
        fields.removeAll()
        tableEnd = nil
        return table
    }

    /// The buffer, whose size is a multiple of 8.
    mutating func finish(root: Offset) -> [UInt8] {
        align(to: 8, following: 4)
        write(offset: root)
        return reversed.reversed()
    }
}
