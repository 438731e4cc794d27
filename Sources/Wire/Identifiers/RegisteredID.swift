/// The identity of something that operators register: a ULID, written behind the prefix of its kind.
public struct RegisteredID<Kind: RegisteredKind>: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The bits of the ULID.
    public var value: UInt128

    /// The identifier with these bits.
    public init(_ value: UInt128) { self.value = value }

    /// The identifier that a ULID is.
    public init(_ ulid: ULID) { value = ulid.value }

    /// Reads the text form.
    public init(text: String) throws(IdentifierError) {
        var fields = try IdentifierCodec.fields(of: text, Kind.prefix)
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
    public static func < (left: Self, right: Self) -> Bool { left.value < right.value }

    /// The text form, such as `dp_1…`.
    public var description: String {
        IdentifierCodec.text(Kind.prefix) { Base62.append(value, to: &$0) }
    }
}

/// What operators register. The kinds keep identifiers apart that are otherwise alike.
public protocol RegisteredKind: Sendable {
    /// What the texts of its identifiers begin with.
    static var prefix: IdentifierPrefix { get }
}

/// The kind of endpoints of user code.
public enum DeploymentKind: RegisteredKind {
    /// `dp`
    public static var prefix: IdentifierPrefix { .deployment }
}

/// The kind of subscriptions, which turn a topic's records into invocations.
public enum SubscriptionKind: RegisteredKind {
    /// `sub`
    public static var prefix: IdentifierPrefix { .subscription }
}

/// The identity of a registered endpoint of user code, written `dp_1…`.
public typealias DeploymentID = RegisteredID<DeploymentKind>

/// The identity of a subscription, written `sub_1…`.
public typealias SubscriptionID = RegisteredID<SubscriptionKind>
