import CHoldfastXXHash

/// A commit in the log.
///
///     checksum (8) · life (8) · position (8) · size of the batch (8) · batch
///
/// Numbers are little-endian. The checksum (XXH3) covers what follows it. A *life* is a random number that is drawn
/// when a log is begun: files are used again, and what an earlier life left in them must not be taken for a
/// continuation, even where positions happen to fit.
enum LogRecord {
    static let headerSize = 32

    static func append(
        _ batch: UnsafeRawBufferPointer, position: UInt64, life: UInt64, to buffer: inout [UInt8]
    ) {
        let start = buffer.count
        buffer.append(littleEndian: 0)
        buffer.append(littleEndian: life)
        buffer.append(littleEndian: position)
        buffer.append(littleEndian: UInt64(batch.count))
        buffer.append(contentsOf: batch)
        buffer.withUnsafeMutableBytes { bytes in
            let covered = UnsafeRawBufferPointer(rebasing: bytes[(start + 8)...])
            let checksum = XXH3_64bits(covered.baseAddress, covered.count)
            bytes.storeBytes(of: checksum.littleEndian, toByteOffset: start, as: UInt64.self)
        }
    }

    /// The size of the record that begins here, header included; the bytes are our own, not yet written.
    static func size(at offset: Int, in bytes: UnsafeRawBufferPointer) -> Int {
        headerSize + Int(bytes.number(at: offset + 24))
    }

    /// The batch of the record that begins at `offset`, or nil if no record of this life and position is there.
    static func batch(
        at offset: Int, in bytes: UnsafeRawBufferPointer, position: UInt64, life: UInt64
    ) -> UnsafeRawBufferPointer? {
        guard bytes.count - offset >= headerSize, bytes.number(at: offset + 8) == life,
            bytes.number(at: offset + 16) == position,
            let size = Int(exactly: bytes.number(at: offset + 24)), size <= bytes.count - offset - headerSize
        else { return nil }
        let end = offset + headerSize + size
        let covered = UnsafeRawBufferPointer(rebasing: bytes[offset + 8..<end])
        guard XXH3_64bits(covered.baseAddress, covered.count) == bytes.number(at: offset) else { return nil }
        return UnsafeRawBufferPointer(rebasing: bytes[offset + headerSize..<end])
    }
}

extension UnsafeRawBufferPointer {
    func number(at offset: Int) -> UInt64 {
        UInt64(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
}

extension [UInt8] {
    /// As `withUnsafeBytes`, with typed errors.
    func withRawBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try withUnsafeBufferPointer { (buffer) throws(Failure) in try body(UnsafeRawBufferPointer(buffer)) }
    }

    mutating func append(littleEndian value: UInt64) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }
}
