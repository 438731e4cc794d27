import HoldfastWire

/// A request's body as it arrives. Most come in one piece, which is passed on without a copy.
struct BodyBuffer {
    private(set) var bytes = Bytes()
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    /// Adds a piece.
    ///
    /// - Throws: 413 if the body exceeds the limit by it.
    mutating func append(_ piece: Bytes) throws(IngressError) {
        guard piece.count <= limit - bytes.count else { throw .bodyTooLarge }
        if bytes.isEmpty { bytes = piece } else { bytes.append(contentsOf: piece) }
    }
}
