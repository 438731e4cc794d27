import HoldfastWire

/// A terminal failure: what a handler, a step or a promise ends with instead of a value.
public struct Failure: Error, Sendable, Hashable {
    /// A code from the range of HTTP statuses.
    public var code: UInt32
    /// What happened, for people.
    public var message: String
    /// Whatever else the failing side tells (since version 6).
    public var metadata: [Metadata]

    /// A name and a value.
    public struct Metadata: Sendable, Hashable {
        /// The name.
        public var key: String
        /// The value.
        public var value: String

        /// A name with its value.
        public init(key: String, value: String) {
            self.key = key
            self.value = value
        }
    }

    /// A failure with these parts.
    public init(code: UInt32, message: String, metadata: [Metadata] = []) {
        self.code = code
        self.message = message
        self.metadata = metadata
    }

    /// Reads a failure as it is nested in messages, and stored.
    public init(reading payload: Bytes) throws(WireError) {
        self.init(code: 0, message: "")
        var reader = ProtobufReader(payload)
        while let field = try reader.next() {
            switch field.number {
            case 1: code = try field.u32
            case 2: message = try field.string
            case 3:
                // Metadata has the fields of a header.
                let entry = try Header(reading: field.bytes)
                metadata.append(Metadata(key: entry.key, value: entry.value))
            default: break
            }
        }
    }

    /// Writes the fields of a failure.
    public func write(to writer: inout ProtobufWriter) {
        writer.number(1, code)
        writer.string(2, message)
        writer.headers(3, metadata.map { Header(key: $0.key, value: $0.value) })
    }
}

/// What something ended with: a value or a failure.
public enum Completion: Sendable, Hashable {
    /// It succeeded.
    case value(Bytes)
    /// It failed for good.
    case failure(Failure)
}
