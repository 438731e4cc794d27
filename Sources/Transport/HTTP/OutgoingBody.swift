import HoldfastWire

/// Body bytes that wait until the peer takes them, and the marks that tell the writer when to pause.
struct OutgoingBody {
    private var chunks: [Bytes] = []
    private var firstChunk = 0
    private(set) var count = 0
    /// Nothing follows what waits.
    private(set) var isEnded = false
    /// The writer was told to pause, and must be told to go on.
    private var isAboveMark = false

    /// Above this many bytes the writer is told to pause; at or below half of it, to go on.
    static let highWaterMark = 262_144

    var isEmpty: Bool { count == 0 }

    /// - Returns: false when the writer should wait until `becameWritable` was true.
    mutating func append(_ bytes: Bytes) -> Bool {
        if !bytes.isEmpty {
            chunks.append(bytes)
            count += bytes.count
        }
        if count > OutgoingBody.highWaterMark { isAboveMark = true }
        return !isAboveMark
    }

    mutating func end() { isEnded = true }

    /// Moves the first `wanted` bytes to a connection's output.
    mutating func move(_ wanted: Int, to output: inout OutputBuffer) {
        var left = min(wanted, count)
        count -= left
        while left > 0 {
            let chunk = chunks[firstChunk]
            if chunk.count <= left {
                output.append(chunk)
                left -= chunk.count
                chunks[firstChunk] = []
                firstChunk += 1
            } else {
                output.append(chunk.prefix(left))
                chunks[firstChunk] = chunk.dropFirst(left)
                left = 0
            }
        }
        if firstChunk == chunks.count {
            chunks.removeAll(keepingCapacity: true)
            firstChunk = 0
        } else if firstChunk > 64 {
            chunks.removeFirst(firstChunk)
            firstChunk = 0
        }
    }

    /// True once after the writer was told to pause and enough has left.
    mutating func becameWritable() -> Bool {
        guard isAboveMark, count <= OutgoingBody.highWaterMark / 2 else { return false }
        isAboveMark = false
        return true
    }
}
