import HoldfastWire

/// Body bytes that have arrived and whose reader is not there yet, or has paused.
struct IncomingBody<Failure: Error> {
    private var chunks: [Bytes] = []
    private(set) var count = 0
    /// How the body ends, once that is known; it comes after the chunks.
    private(set) var ending: Result<Void, Failure>?
    var isPaused = false

    /// - Returns: The chunk, when it may be passed on at once; else nil, and it is kept.
    mutating func received(_ chunk: Bytes, isWanted: Bool) -> Bytes? {
        guard isWanted, !isPaused, chunks.isEmpty else {
            chunks.append(chunk)
            count += chunk.count
            return nil
        }
        return chunk
    }

    mutating func ended(_ result: Result<Void, Failure>) { if ending == nil { ending = result } }

    /// The next chunk for a reader that is there.
    mutating func next() -> Bytes? {
        guard !isPaused, !chunks.isEmpty else { return nil }
        let chunk = chunks.removeFirst()
        count -= chunk.count
        return chunk
    }

    /// The end, when nothing is before it; nil until then and afterwards.
    mutating func takeEnding() -> Result<Void, Failure>? {
        guard !isPaused, chunks.isEmpty, let ending else { return nil }
        self.ending = nil
        return ending
    }

    /// Forgets all chunks.
    /// - Returns: How many bytes they were.
    mutating func discard() -> Int {
        defer {
            chunks = []
            count = 0
        }
        return count
    }
}
