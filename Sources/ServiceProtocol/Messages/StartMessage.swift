import HoldfastWire

/// Begins an attempt: whose it is, and what the SDK has to know before the journal is replayed.
public struct StartMessage: Message {
    /// The type by which frames announce it.
    public static let type = MessageType.start

    /// A key of the object's state and its value.
    public struct StateEntry: Sendable, Hashable {
        /// The key.
        public var key: Bytes
        /// The value.
        public var value: Bytes

        /// A key with its value.
        public init(key: Bytes, value: Bytes) {
            self.key = key
            self.value = value
        }
    }

    /// The invocation.
    public var id: InvocationID
    /// The text form of `id`.
    public var debugID: String
    /// How many journal entries follow, the input among them.
    public var knownEntries: UInt32
    /// The object's state at the start of the attempt, as far as it is sent along.
    public var stateMap: [StateEntry]
    /// Whether there may be state that `stateMap` lacks.
    public var isStatePartial: Bool
    /// The virtual object's or workflow's key; empty for plain services.
    public var key: String
    /// How many attempts have failed since the last entry was stored.
    public var retryCount: UInt32
    /// Milliseconds since the last entry was stored.
    public var millisSinceLastEntry: UInt64
    /// The seed of the invocation's random numbers.
    public var randomSeed: UInt64
    /// The scope, since version 7.
    public var scope: String?
    /// The limit key, since version 7.
    public var limitKey: String?
    /// The idempotency key, since version 7.
    public var idempotencyKey: String?

    /// A message with these fields; the text form of the identifier follows from it.
    public init(
        id: InvocationID, knownEntries: UInt32, stateMap: [StateEntry] = [], isStatePartial: Bool = false,
        key: String = "", retryCount: UInt32 = 0, millisSinceLastEntry: UInt64 = 0, randomSeed: UInt64,
        scope: String? = nil, limitKey: String? = nil, idempotencyKey: String? = nil
    ) {
        self.id = id
        debugID = id.description
        self.knownEntries = knownEntries
        self.stateMap = stateMap
        self.isStatePartial = isStatePartial
        self.key = key
        self.retryCount = retryCount
        self.millisSinceLastEntry = millisSinceLastEntry
        self.randomSeed = randomSeed
        self.scope = scope
        self.limitKey = limitKey
        self.idempotencyKey = idempotencyKey
    }

    /// Reads the fields. An identifier that has not 24 bytes is refused.
    public init(reading payload: Bytes) throws(WireError) {
        self.init(id: InvocationID(partitionKey: 0, uuid: 0), knownEntries: 0, randomSeed: 0)
        debugID = ""
        var idBytes = Bytes()
        var reader = ProtobufReader(payload)
        while let field = try reader.next() {
            switch field.number {
            case 1: idBytes = try field.bytes
            case 2: debugID = try field.string
            case 3: knownEntries = try field.u32
            case 4: stateMap.append(try StateEntry(reading: field.bytes))
            case 5: isStatePartial = try field.bool
            case 6: key = try field.string
            case 7: retryCount = try field.u32
            case 8: millisSinceLastEntry = try field.u64
            case 9: randomSeed = try field.u64
            case 10: scope = try field.string
            case 11: limitKey = try field.string
            case 12: idempotencyKey = try field.string
            default: break
            }
        }
        guard let id = InvocationID(bytes: idBytes) else {
            throw WireError(what: "the invocation id has \(idBytes.count) bytes instead of 24")
        }
        self.id = id
    }

    /// Writes all fields, whatever the version.
    public func write(to writer: inout ProtobufWriter) {
        writer.bytes(1, id.bytes[...])
        writer.string(2, debugID)
        writer.number(3, knownEntries)
        for entry in stateMap {
            let size =
                2 + ProtobufWriter.size(ofVarint: UInt64(entry.key.count)) + entry.key.count
                + ProtobufWriter.size(ofVarint: UInt64(entry.value.count)) + entry.value.count
            // Both fields explicitly, so that the size is known before the value is written.
            writer.header(4, length: size)
            writer.bytes(1, optional: entry.key)
            writer.bytes(2, optional: entry.value)
        }
        writer.bool(5, isStatePartial)
        writer.string(6, key)
        writer.number(7, retryCount)
        writer.number(8, millisSinceLastEntry)
        writer.number(9, randomSeed)
        writer.string(10, optional: scope)
        writer.string(11, optional: limitKey)
        writer.string(12, optional: idempotencyKey)
    }

    /// Appends the payload with the fields that `version` has.
    ///
    /// The random seed goes to version 5 too, which ignores it: existing engines do the same.
    public func encode(version: ProtocolVersion, into buffer: inout [UInt8]) {
        var message = self
        if version < .v7 {
            message.scope = nil
            message.limitKey = nil
            message.idempotencyKey = nil
        }
        message.encode(into: &buffer)
    }
}

extension StartMessage.StateEntry {
    fileprivate init(reading payload: Bytes) throws(WireError) {
        self.init(key: [], value: [])
        var reader = ProtobufReader(payload)
        while let field = try reader.next() {
            switch field.number {
            case 1: key = try field.bytes
            case 2: value = try field.bytes
            default: break
            }
        }
    }
}
