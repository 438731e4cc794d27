import HoldfastWire

/// The handler's input, which the engine writes as the first entry of the journal.
public struct InputCommand: JournalCommandMessage {
    /// The type by which frames announce it.
    public static let type = MessageType.input

    /// The headers of the request.
    public var headers: [Header]
    /// The body of the request.
    public var value: Bytes
    /// Always empty, so far.
    public var name: String

    /// A command with these fields.
    public init(headers: [Header] = [], value: Bytes, name: String = "") {
        self.headers = headers
        self.value = value
        self.name = name
    }

    /// Reads the fields. A missing value is read as an empty one.
    public init(reading payload: Bytes) throws(WireError) {
        self.init(value: [])
        var reader = ProtobufReader(payload)
        while let field = try reader.next() {
            switch field.number {
            case 1: headers.append(try Header(reading: field.bytes))
            case 12: name = try field.string
            case 14: value = try field.content
            default: break
            }
        }
    }

    /// Writes the fields.
    public func write(to writer: inout ProtobufWriter) {
        writer.headers(1, headers)
        writer.string(12, name)
        writer.value(14, value)
    }
}

/// The handler's result. Of several the last one counts.
public struct OutputCommand: JournalCommandMessage {
    /// The type by which frames announce it.
    public static let type = MessageType.output

    /// What the handler returned, or how it failed for good.
    public var result: Completion
    /// The name that the handler gave to it; empty in all SDKs.
    public var name: String

    /// A command with these fields.
    public init(result: Completion, name: String = "") {
        self.result = result
        self.name = name
    }

    /// Reads the fields.
    public init(reading payload: Bytes) throws(WireError) {
        var result: Completion?
        var name = ""
        var reader = ProtobufReader(payload)
        while let field = try reader.next() {
            switch field.number {
            case 12: name = try field.string
            case 14: result = .value(try field.content)
            case 15: result = .failure(try field.failure)
            default: break
            }
        }
        guard let result else { throw .noResult }
        self.init(result: result, name: name)
    }

    /// Writes the fields.
    public func write(to writer: inout ProtobufWriter) {
        writer.string(12, name)
        switch result {
        case .value(let value): writer.value(14, value)
        case .failure(let failure): writer.failure(15, failure)
        }
    }
}
