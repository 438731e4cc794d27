import HoldfastWire

/// A message of the service protocol that can be read and written.
public protocol Message: Sendable, Hashable {
    /// The type by which frames announce such messages.
    static var type: MessageType { get }

    /// Reads the fields. Unknown ones are ignored: they belong to a newer version.
    init(reading payload: Bytes) throws(WireError)

    /// Writes the fields.
    func write(to writer: inout ProtobufWriter)
}

extension Message {
    /// The type by which frames announce the message.
    public var type: MessageType { Self.type }

    /// Decodes a payload.
    ///
    /// - Throws: RT0012 for bytes that are no such message, texts that are not valid UTF-8, and missing results.
    public init(decoding payload: Bytes) throws(ProtocolError) {
        do { try self.init(reading: payload) } catch { throw .undecodable(Self.type, error) }
    }

    /// Appends the payload to a buffer.
    public func encode(into buffer: inout [UInt8]) {
        ProtobufWriter.append(to: &buffer) { write(to: &$0) }
    }

    /// The payload, without a frame.
    public var payload: Bytes {
        var buffer: [UInt8] = []
        encode(into: &buffer)
        return buffer[...]
    }
}

extension ProtobufReader.Field {
    /// The content of a nested `Value {content: bytes = 1}`.
    var content: Bytes {
        get throws(WireError) {
            var content = Bytes()
            var reader = ProtobufReader(try bytes)
            while let field = try reader.next() {
                if field.number == 1 { content = try field.bytes }
            }
            return content
        }
    }

    /// Appends the key of a nested `StateKeys {repeated bytes keys = 1}`.
    var stateKeys: [Bytes] {
        get throws(WireError) {
            var keys: [Bytes] = []
            var reader = ProtobufReader(try bytes)
            while let field = try reader.next() {
                if field.number == 1 { keys.append(try field.bytes) }
            }
            return keys
        }
    }

    /// A nested failure.
    var failure: Failure {
        get throws(WireError) { try Failure(reading: bytes) }
    }
}

extension ProtobufWriter {
    mutating func failure(_ field: UInt32, _ failure: Failure) { message(field) { failure.write(to: &$0) } }

    mutating func stateKeys(_ field: UInt32, _ keys: [Bytes]) {
        message(field) { writer in
            for key in keys { writer.bytes(1, optional: key) }
        }
    }

    mutating func headers(_ field: UInt32, _ headers: [Header]) {
        for header in headers {
            message(field) { writer in
                writer.string(1, header.key)
                writer.string(2, header.value)
            }
        }
    }
}
