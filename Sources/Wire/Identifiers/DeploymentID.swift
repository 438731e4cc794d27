/// The identity of a registered endpoint of user code: a ULID, written `dp_1…`.
public struct DeploymentID: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The bits of the ULID.
    public var value: UInt128

    /// The identifier with these bits.
    public init(_ value: UInt128) { self.value = value }

    /// The identifier that a ULID is.
    public init(_ ulid: ULID) { value = ulid.value }

    /// Reads the text form `dp_1…`.
    public init(text: String) throws(IdentifierError) {
        var fields = try IdentifierCodec.fields(of: text, .deployment)
        value = try fields.number128()
        try fields.end()
    }

    /// Reads the 16 bytes of the stored form; nil for another number of bytes.
    public init?(bytes: Bytes) {
        guard let value = UInt128(bigEndian: bytes) else { return nil }
        self.value = value
    }

    /// The stored form: 16 bytes, big-endian.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(bigEndian: value)
        return bytes
    }

    /// In order of creation.
    public static func < (left: DeploymentID, right: DeploymentID) -> Bool { left.value < right.value }

    /// The text form `dp_1…`.
    public var description: String {
        IdentifierCodec.text(.deployment) { Base62.append(value, to: &$0) }
    }
}
