import HoldfastWire

/// One message as it came: its type, its flags, and its payload, which is not decoded yet.
public struct Frame: Sendable, Hashable {
    /// The type of the message.
    public var type: MessageType
    /// Bits that qualify the message.
    public var flags: UInt16
    /// The protobuf message.
    public var payload: Bytes

    /// A frame with these parts.
    public init(type: MessageType, flags: UInt16 = 0, payload: Bytes) {
        self.type = type
        self.flags = flags
        self.payload = payload
    }

    /// Whether the sender asks to be told when the message is durable.
    public var requestsAck: Bool { flags & FrameHeader.requestAck != 0 }
}

/// Appends a frame to what is about to be sent.
///
/// A payload has to be smaller than 4 GiB; message size limits are far below.
public func writeFrame(type: MessageType, flags: UInt16 = 0, payload: Bytes, into buffer: inout [UInt8]) {
    FrameHeader(type: type, flags: flags, length: UInt32(truncatingIfNeeded: payload.count)).append(to: &buffer)
    buffer.append(contentsOf: payload)
}

/// Appends a message with its header to what is about to be sent.
public func writeFrame(_ message: some Message, flags: UInt16 = 0, into buffer: inout [UInt8]) {
    writeFrame(type: message.type, flags: flags, into: &buffer) { message.write(to: &$0) }
}

/// Appends a frame whose payload `body` writes in place.
func writeFrame(
    type: MessageType, flags: UInt16, into buffer: inout [UInt8], _ body: (inout ProtobufWriter) -> Void
) {
    let start = buffer.count
    FrameHeader(type: type, flags: flags, length: 0).append(to: &buffer)
    ProtobufWriter.append(to: &buffer, body)
    let length = UInt32(truncatingIfNeeded: buffer.count - start - FrameHeader.size)
    for (offset, shift) in zip(4..<8, [24, 16, 8, 0] as [UInt32]) {
        buffer[start + offset] = UInt8(truncatingIfNeeded: length >> shift)
    }
}
