import HoldfastWire

/// Ends an attempt that cannot go on before something has happened.
public struct SuspensionMessage: Sendable, Hashable {
    /// The type by which frames announce it.
    public static let type = MessageType.suspension

    /// What has to happen.
    public var awaitingOn: Future

    /// A suspension until a future is resolved.
    public init(awaitingOn: Future) { self.awaitingOn = awaitingOn }

    /// Decodes a payload: lists of identifiers up to version 6, a tree since version 7.
    ///
    /// - Throws: RT0012 for what cannot be decoded, and for a message that names nothing to wait for; RT0025 for a
    ///   tree of more than `maximumDepth` levels.
    public init(
        decoding payload: Bytes, version: ProtocolVersion, maximumDepth: Int = Future.maximumDepth
    ) throws(ProtocolError) {
        // The lists of version 6 are numbered like those of a future.
        var future: Bytes? = payload
        if version >= .v7 {
            do { future = try nestedFuture(payload, field: 4) } catch { throw .undecodable(Self.type, error) }
        }
        guard let future else { throw .emptyFuture(Self.type) }
        awaitingOn = try Future(
            decoding: future, in: Self.type, form: version >= .v7 ? .tree : .lists, maximumDepth: maximumDepth)
    }

    /// Appends the payload.
    ///
    /// Up to version 6 there is no tree: the message names all its leaves, any of which will wake the invocation up.
    public func encode(version: ProtocolVersion, into buffer: inout [UInt8]) {
        ProtobufWriter.append(to: &buffer) { writer in
            if version >= .v7 { awaitingOn.write(to: &writer, field: 4) } else { awaitingOn.writeLists(to: &writer) }
        }
    }
}

/// Tells what a handler waits for while its connection stays open. It changes nothing. Since version 7.
public struct AwaitingOnMessage: Sendable, Hashable {
    /// The type by which frames announce it.
    public static let type = MessageType.awaitingOn

    /// What the handler waits for.
    public var awaitingOn: Future
    /// Whether a step is being executed at the same time.
    public var isExecutingSteps: Bool

    /// A message with these fields.
    public init(awaitingOn: Future, isExecutingSteps: Bool = false) {
        self.awaitingOn = awaitingOn
        self.isExecutingSteps = isExecutingSteps
    }

    /// Decodes a payload; errors are those of `SuspensionMessage`.
    public init(decoding payload: Bytes, maximumDepth: Int = Future.maximumDepth) throws(ProtocolError) {
        var future: Bytes?
        isExecutingSteps = false
        do {
            var reader = ProtobufReader(payload)
            while let field = try reader.next() {
                switch field.number {
                case 1: future = try field.bytes
                case 2: isExecutingSteps = try field.bool
                default: break
                }
            }
        } catch {
            throw .undecodable(Self.type, error)
        }
        guard let future else { throw .emptyFuture(Self.type) }
        awaitingOn = try Future(decoding: future, in: Self.type, form: .tree, maximumDepth: maximumDepth)
    }

    /// Appends the payload.
    public func encode(into buffer: inout [UInt8]) {
        ProtobufWriter.append(to: &buffer) { writer in
            awaitingOn.write(to: &writer, field: 1)
            writer.bool(2, isExecutingSteps)
        }
    }
}

private func nestedFuture(_ payload: Bytes, field number: UInt32) throws(WireError) -> Bytes? {
    var future: Bytes?
    var reader = ProtobufReader(payload)
    while let field = try reader.next() {
        if field.number == number { future = try field.bytes }
    }
    return future
}
