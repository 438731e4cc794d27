import HoldfastWire

/// The eight bytes in front of every message: type, flags and length, big-endian.
public struct FrameHeader: Sendable, Hashable {
    /// How many bytes a header has.
    public static let size = 8
    /// The flag by which an SDK asks to be told when the message is durable.
    public static let requestAck: UInt16 = 0x8000

    /// The type of the message.
    public var type: MessageType
    /// Bits that qualify the message; unknown ones are ignored.
    public var flags: UInt16
    /// How many bytes of payload follow.
    public var length: UInt32

    /// A header with these parts.
    public init(type: MessageType, flags: UInt16 = 0, length: UInt32) {
        self.type = type
        self.flags = flags
        self.length = length
    }

    /// Reads a header; nil for another number of bytes than `size`.
    public init?(bytes: Bytes) {
        guard let word = UInt64(bigEndian: bytes) else { return nil }
        type = MessageType(rawValue: UInt16(truncatingIfNeeded: word >> 48))
        flags = UInt16(truncatingIfNeeded: word >> 32)
        length = UInt32(truncatingIfNeeded: word)
    }

    /// Appends the eight bytes.
    public func append(to buffer: inout [UInt8]) {
        buffer.append(bigEndian: UInt64(type.rawValue) << 48 | UInt64(flags) << 32 | UInt64(length))
    }
}
