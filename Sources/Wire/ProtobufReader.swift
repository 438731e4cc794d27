/// Reads the fields of one protobuf message, in the order in which they were written, without copying them.
///
///     var reader = ProtobufReader(payload)
///     while let field = try reader.next() {
///         switch field.number {
///         case 1: key = try field.bytes
///         case 12: name = try field.string
///         default: break  // A field of a newer version.
///         }
///     }
///
/// Any input either yields fields or throws; none traps. Groups, which no message of the service protocol uses, are
/// refused. Nested messages are read by a reader of their own over `field.bytes`.
public struct ProtobufReader {
    /// One field: its number and its undecoded value.
    public struct Field: Sendable {
        /// The number that the message's definition gives to the field.
        public let number: UInt32
        /// The value as the wire type says.
        public let value: Value
    }

    /// A value as it stands on the wire.
    public enum Value: Sendable, Hashable {
        /// An integer, Boolean or enumeration.
        case varint(UInt64)
        /// Eight bytes, little-endian.
        case fixed64(UInt64)
        /// A text, bytes, a nested message, or packed numbers.
        case bytes(Bytes)
        /// Four bytes, little-endian.
        case fixed32(UInt32)
    }

    private let bytes: Bytes
    private var position: Int

    /// A reader of the message that `bytes` are.
    public init(_ bytes: Bytes) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    /// The next field; nil at the end of the message.
    public mutating func next() throws(WireError) -> Field? {
        guard position < bytes.endIndex else { return nil }
        let tag = try varint()
        let wireType = tag & 7
        guard tag >> 3 != 0 else { throw .fieldNumberZero }
        guard let number = UInt32(exactly: tag >> 3), number < 1 << 29 else { throw .fieldNumberTooLarge }
        switch wireType {
        case 0: return Field(number: number, value: .varint(try varint()))
        case 1: return Field(number: number, value: .fixed64(try littleEndian(count: 8, field: number)))
        case 2:
            let length = try varint()
            guard length <= UInt64(bytes.endIndex - position) else { throw .truncated(field: number) }
            let start = position
            position += Int(length)
            return Field(number: number, value: .bytes(bytes[start..<position]))
        case 5:
            let value = try littleEndian(count: 4, field: number)
            return Field(number: number, value: .fixed32(UInt32(truncatingIfNeeded: value)))
        default: throw .unknownWireType(wireType, field: number)
        }
    }

    private mutating func varint() throws(WireError) -> UInt64 { try readVarint(bytes, &position) }

    private mutating func littleEndian(count: Int, field: UInt32) throws(WireError) -> UInt64 {
        guard bytes.endIndex - position >= count else { throw .truncated(field: field) }
        var value: UInt64 = 0
        for offset in 0..<count { value |= UInt64(bytes[position + offset]) << (8 * UInt64(offset)) }
        position += count
        return value
    }
}

extension ProtobufReader.Field {
    /// The value of a `uint64` field.
    public var u64: UInt64 {
        get throws(WireError) {
            guard case .varint(let number) = value else { throw wrongType(expected: "a number") }
            return number
        }
    }

    /// The value of a `uint32` or enumeration field; what exceeds 32 bits is cut off, as protobuf demands.
    public var u32: UInt32 {
        get throws(WireError) { UInt32(truncatingIfNeeded: try u64) }
    }

    /// The value of a `bool` field.
    public var bool: Bool {
        get throws(WireError) { try u64 != 0 }
    }

    /// The value of a `bytes` field, or a nested message.
    public var bytes: Bytes {
        get throws(WireError) {
            guard case .bytes(let bytes) = value else { throw wrongType(expected: "a sequence of bytes") }
            return bytes
        }
    }

    /// The value of a `string` field, which must be valid UTF-8.
    public var string: String {
        get throws(WireError) {
            guard let text = try bytes.utf8String else { throw .notUTF8(field: number) }
            return text
        }
    }

    /// Appends the value, or the values, of a `repeated uint32` field, whether it is packed or not.
    public func appendU32(to numbers: inout [UInt32]) throws(WireError) {
        guard case .bytes(let packed) = value else {
            numbers.append(try u32)
            return
        }
        var position = packed.startIndex
        while position < packed.endIndex {
            numbers.append(UInt32(truncatingIfNeeded: try readVarint(packed, &position)))
        }
    }

    private func wrongType(expected: String) -> WireError {
        let found =
            switch value {
            case .varint: "a number"
            case .fixed64, .fixed32: "a number of fixed width"
            case .bytes: "a sequence of bytes"
            }
        return .wrongWireType(field: number, found: found, expected: expected)
    }
}

/// Reads a varint at `position`, which moves behind it.
func readVarint(_ bytes: Bytes, _ position: inout Int) throws(WireError) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while position < bytes.endIndex {
        let byte = bytes[position]
        position += 1
        // The tenth byte holds the last of 64 bits: anything above 1 does not fit.
        guard shift < 63 || byte <= 1 else { throw .overlongVarint }
        value |= UInt64(byte & 0x7F) << shift
        if byte < 0x80 { return value }
        shift += 7
    }
    throw .truncatedVarint
}
