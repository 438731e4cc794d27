/// Writes protobuf messages into one growing buffer.
///
/// Fields are written in the order of the calls. Of each writer there are two forms: the plain one leaves out the
/// default value (zero, or an empty text), as proto3 does for ordinary fields; the form with `optional:` writes
/// whatever is not nil, as proto3 does for optional fields and for members of a oneof.
public struct ProtobufWriter {
    /// What has been written.
    public private(set) var bytes: [UInt8]

    /// A writer with an empty buffer that holds `capacity` bytes before it grows.
    public init(capacity: Int = 0) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    /// Appends what `body` writes to a buffer, without copying what is in it.
    public static func append(to buffer: inout [UInt8], _ body: (inout ProtobufWriter) -> Void) {
        var writer = ProtobufWriter()
        swap(&writer.bytes, &buffer)
        body(&writer)
        swap(&writer.bytes, &buffer)
    }

    /// A number that is left out when it is 0.
    public mutating func number(_ field: UInt32, _ value: UInt64) {
        if value != 0 { number(field, optional: value) }
    }

    /// A number that is left out when it is 0.
    public mutating func number(_ field: UInt32, _ value: UInt32) { number(field, UInt64(value)) }

    /// A number that is left out when it is nil.
    public mutating func number(_ field: UInt32, optional value: UInt64?) {
        guard let value else { return }
        varint(UInt64(field) << 3)
        varint(value)
    }

    /// A number that is left out when it is nil.
    public mutating func number(_ field: UInt32, optional value: UInt32?) {
        number(field, optional: value.map(UInt64.init))
    }

    /// A Boolean that is left out when it is false.
    public mutating func bool(_ field: UInt32, _ value: Bool) { number(field, value ? 1 : 0 as UInt64) }

    /// Bytes that are left out when they are empty.
    public mutating func bytes(_ field: UInt32, _ value: Bytes) {
        if !value.isEmpty { bytes(field, optional: value) }
    }

    /// Bytes that are left out when they are nil.
    public mutating func bytes(_ field: UInt32, optional value: Bytes?) {
        guard let value else { return }
        header(field, length: value.count)
        bytes.append(contentsOf: value)
    }

    /// A text that is left out when it is empty.
    public mutating func string(_ field: UInt32, _ value: String) {
        if !value.isEmpty { string(field, optional: value) }
    }

    /// A text that is left out when it is nil.
    public mutating func string(_ field: UInt32, optional value: String?) {
        guard let value else { return }
        let text = value.utf8
        header(field, length: text.count)
        bytes.append(contentsOf: text)
    }

    /// Numbers as one packed field, which is left out when there are none.
    public mutating func packed(_ field: UInt32, _ values: some Collection<UInt32>) {
        guard !values.isEmpty else { return }
        header(field, length: values.reduce(0) { $0 + Self.size(ofVarint: UInt64($1)) })
        for value in values { varint(UInt64(value)) }
    }

    /// A message with nothing in it, written explicitly: its tag and length 0.
    public mutating func empty(_ field: UInt32) { header(field, length: 0) }

    /// The message `{content: bytes = 1}`, by which the service protocol tells an empty value from none.
    ///
    /// The field is always written, its content only if it is not empty: an empty value is two bytes. The sizes are
    /// known beforehand, so that a large payload is moved once.
    public mutating func value(_ field: UInt32, _ content: Bytes) {
        let length = content.isEmpty ? 0 : 1 + Self.size(ofVarint: UInt64(content.count)) + content.count
        header(field, length: length)
        bytes(1, content)
    }

    /// A nested message, always written, whose fields `body` writes.
    ///
    /// One byte is kept for its length; a body of 128 bytes or more is moved by the few bytes that are missing.
    public mutating func message(_ field: UInt32, _ body: (inout ProtobufWriter) -> Void) {
        header(field, length: 0)
        let start = bytes.count
        body(&self)
        var length = UInt64(bytes.count - start)
        guard length > 0x7F else {
            bytes[start - 1] = UInt8(length)
            return
        }
        bytes[start - 1] = UInt8(length & 0x7F) | 0x80
        var more: [UInt8] = []
        length >>= 7
        while length > 0x7F {
            more.append(UInt8(length & 0x7F) | 0x80)
            length >>= 7
        }
        more.append(UInt8(length))
        bytes.insert(contentsOf: more, at: start)
    }

    /// The tag and the length of a field whose `length` bytes follow.
    public mutating func header(_ field: UInt32, length: Int) {
        varint(UInt64(field) << 3 | 2)
        varint(UInt64(length))
    }

    /// How many bytes a varint takes.
    public static func size(ofVarint value: UInt64) -> Int {
        let bits = 64 - (value | 1).leadingZeroBitCount
        return (bits + 6) / 7
    }

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest > 0x7F {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
