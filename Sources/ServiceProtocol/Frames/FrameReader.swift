import HoldfastWire

/// Cuts a stream of bytes into frames.
///
///     reader.append(chunk)
///     while let frame = try reader.next() { … }
///
/// A frame that lies inside one chunk is a slice of that chunk. One that is spread over several is assembled, in
/// memory that grows with what has arrived and not with what its header promises. Nothing is kept but the frame that
/// is being assembled and the chunks that were appended and not read yet.
///
/// After an error there is no telling where the next frame begins: every further call throws the same error.
public struct FrameReader: Sendable {
    /// The largest payload that is accepted, in bytes.
    public let limit: Int

    private enum State {
        /// Between two frames, or inside a header. Next: `assembling`, `failed`.
        case header
        /// A header was read whose payload has not arrived completely. Next: `header`.
        case assembling(FrameHeader)
        /// The stream cannot be read any further.
        case failed(ProtocolError)
    }

    private var state = State.header
    /// The beginning of a header or of a payload that continues in the next chunk.
    private var partial: [UInt8] = []
    /// What was appended and is not read yet, none of it empty.
    private var chunks: [Bytes] = []
    /// The first of `chunks` that is not read completely.
    private var current = 0

    /// A reader of a stream's beginning that refuses payloads of more than `limit` bytes.
    public init(limit: Int) { self.limit = limit }

    /// Adds what has arrived.
    public mutating func append(_ bytes: Bytes) {
        if !bytes.isEmpty { chunks.append(bytes) }
    }

    /// The next frame; nil when more bytes are needed.
    public mutating func next() throws(ProtocolError) -> Frame? {
        while true {
            switch state {
            case .header:
                guard let bytes = take(FrameHeader.size), let header = FrameHeader(bytes: bytes) else { return nil }
                guard header.length <= limit else {
                    let error = ProtocolError.frameTooLarge(header, limit: limit)
                    (state, partial, chunks, current) = (.failed(error), [], [], 0)
                    throw error
                }
                state = .assembling(header)
            case .assembling(let header):
                guard let payload = take(Int(header.length)) else { return nil }
                state = .header
                return Frame(type: header.type, flags: header.flags, payload: payload)
            case .failed(let error): throw error
            }
        }
    }

    /// Whether the stream may end here: no frame has begun that is not complete.
    public var isBetweenFrames: Bool {
        guard case .header = state else { return false }
        return partial.isEmpty && chunks.isEmpty
    }

    /// Bytes that have arrived and were not returned in a frame.
    public var bufferedCount: Int { chunks[current...].reduce(partial.count) { $0 + $1.count } }

    /// The next `count` bytes, or nil when they have not all arrived; then what has arrived is in `partial`.
    private mutating func take(_ count: Int) -> Bytes? {
        if count == 0 { return [] }
        if partial.isEmpty, current < chunks.count, chunks[current].count >= count {
            defer { advance(by: count) }
            return chunks[current].prefix(count)
        }
        while partial.count < count {
            guard current < chunks.count else {
                releaseChunks()
                return nil
            }
            let part = chunks[current].prefix(count - partial.count)
            partial.append(contentsOf: part)
            advance(by: part.count)
        }
        defer { partial = [] }
        return partial[...]
    }

    private mutating func advance(by count: Int) {
        chunks[current] = chunks[current].dropFirst(count)
        guard chunks[current].isEmpty else { return }
        // The buffer of a chunk that is read must not live as long as the next one.
        chunks[current] = []
        current += 1
        if current == chunks.count { releaseChunks() }
    }

    private mutating func releaseChunks() {
        chunks.removeAll(keepingCapacity: chunks.capacity <= 16)
        current = 0
    }
}
