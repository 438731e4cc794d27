/// The identity of an invocation: where it belongs in the key space, and which one it is there.
///
/// Its text (`inv_1…`, 38 characters) is what clients and SDKs see; its 24 bytes are what is stored and what
/// `StartMessage.id` carries.
public struct InvocationID: Sendable, Hashable, CustomStringConvertible {
    /// The place in the hash space, which decides the partition.
    public var partitionKey: UInt64
    /// A ULID, or a digest of what makes the invocation unique (`DeterministicID`).
    public var uuid: UInt128

    /// The identifier with these parts.
    public init(partitionKey: UInt64, uuid: UInt128) {
        self.partitionKey = partitionKey
        self.uuid = uuid
    }

    /// Reads the text form `inv_1…`.
    public init(text: String) throws(IdentifierError) {
        var fields = try IdentifierCodec.fields(of: text, .invocation)
        partitionKey = try fields.number64()
        uuid = try fields.number128()
        try fields.end()
    }

    /// Reads the 24 bytes of the stored form; nil for another number of bytes.
    public init?(bytes: Bytes) {
        guard bytes.count == 24, let partitionKey = UInt64(bigEndian: bytes.prefix(8)),
            let uuid = UInt128(bigEndian: bytes.dropFirst(8))
        else { return nil }
        self.init(partitionKey: partitionKey, uuid: uuid)
    }

    /// The stored form: the partition key and the uuid, both big-endian, 24 bytes.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(24)
        append(to: &bytes)
        return bytes
    }

    /// Appends the 24 bytes of the stored form.
    public func append(to bytes: inout [UInt8]) {
        bytes.append(bigEndian: partitionKey)
        bytes.append(bigEndian: uuid)
    }

    /// The text form `inv_1…`.
    public var description: String {
        IdentifierCodec.text(.invocation) { text in
            Base62.append(partitionKey, to: &text)
            Base62.append(uuid, to: &text)
        }
    }
}

extension InvocationID: Comparable {
    /// In order of the stored bytes.
    public static func < (left: InvocationID, right: InvocationID) -> Bool {
        (left.partitionKey, left.uuid) < (right.partitionKey, right.uuid)
    }
}
