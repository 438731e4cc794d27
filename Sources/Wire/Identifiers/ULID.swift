/// A number that is unique without coordination and sorts by time: 48 bits of milliseconds, 80 bits of randomness.
public struct ULID: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// All 128 bits, the time in the most significant ones.
    public var value: UInt128

    /// The identifier with these bits.
    public init(_ value: UInt128) { self.value = value }

    /// A new identifier for a moment, of which 48 bits are kept (enough until the year 10889).
    ///
    /// - Parameter random: 80 random bits from the caller, who decides where randomness comes from.
    public init(timestamp: Timestamp, random: (UInt16, UInt64)) {
        let millis = UInt128(timestamp.millis & 0xFFFF_FFFF_FFFF)
        value = millis << 80 | UInt128(random.0) << 64 | UInt128(random.1)
    }

    /// The moment for which it was made.
    public var timestamp: Timestamp { Timestamp(millis: UInt64(value >> 80)) }

    /// In order of time.
    public static func < (left: ULID, right: ULID) -> Bool { left.value < right.value }

    /// The 26 characters of Crockford's base 32.
    public var description: String {
        var text: [UInt8] = []
        for position in (0..<26).reversed() {
            text.append(Self.alphabet[Int(truncatingIfNeeded: value >> (5 * UInt128(position)) & 31)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)
}
