import HoldfastWire

/// Reads a state that the start message did not have. The engine completes it with a value, or void for none.
public struct GetLazyStateCommand: JournalCommandMessage {
    /// The type by which frames announce it.
    public static let type = MessageType.getLazyState

    /// The key of the state.
    public var key: Bytes
    /// The identifier of the completion.
    public var resultCompletionID: UInt32
    /// The name that the handler gave to it; may be empty.
    public var name: String

    /// A command with these fields.
    public init(key: Bytes, resultCompletionID: UInt32, name: String = "") {
        self.key = key
        self.resultCompletionID = resultCompletionID
        self.name = name
    }

    /// Reads the fields.
    public init(reading payload: Bytes) throws(WireError) {
        self.init(key: [], resultCompletionID: 0)
        var reader = ProtobufReader(payload)
        while let field = try reader.next() {
            switch field.number {
            case 1: key = try field.bytes
            case 11: resultCompletionID = try field.u32
            case 12: name = try field.string
            default: break
            }
        }
    }

    /// Writes the fields.
    public func write(to writer: inout ProtobufWriter) {
        writer.bytes(1, key)
        writer.number(11, resultCompletionID)
        writer.string(12, name)
    }
}

/// Writes a state.
public struct SetStateCommand: JournalCommandMessage {
    /// The type by which frames announce it.
    public static let type = MessageType.setState

    /// The key of the state.
    public var key: Bytes
    /// The value; an empty one is a value too.
    public var value: Bytes
    /// The name that the handler gave to it; may be empty.
    public var name: String

    /// A command with these fields.
    public init(key: Bytes, value: Bytes, name: String = "") {
        self.key = key
        self.value = value
        self.name = name
    }

    /// Reads the fields.
    public init(reading payload: Bytes) throws(WireError) {
        var (key, value, name) = (Bytes(), Bytes?.none, "")
        var reader = ProtobufReader(payload)
        while let field = try reader.next() {
            switch field.number {
            case 1: key = try field.bytes
            case 3: value = try field.content
            case 12: name = try field.string
            default: break
            }
        }
        guard let value else { throw .missing("value") }
        self.init(key: key, value: value, name: name)
    }

    /// Writes the fields.
    public func write(to writer: inout ProtobufWriter) {
        writer.bytes(1, key)
        writer.value(3, value)
        writer.string(12, name)
    }
}

/// Deletes a state.
public struct ClearStateCommand: JournalCommandMessage {
    /// The type by which frames announce it.
    public static let type = MessageType.clearState

    /// The key of the state.
    public var key: Bytes
    /// The name that the handler gave to it; may be empty.
    public var name: String

    /// A command with these fields.
    public init(key: Bytes, name: String = "") {
        self.key = key
        self.name = name
    }

    /// Reads the fields.
    public init(reading payload: Bytes) throws(WireError) {
        self.init(key: [])
        var reader = ProtobufReader(payload)
        while let field = try reader.next() {
            switch field.number {
            case 1: key = try field.bytes
            case 12: name = try field.string
            default: break
            }
        }
    }

    /// Writes the fields.
    public func write(to writer: inout ProtobufWriter) {
        writer.bytes(1, key)
        writer.string(12, name)
    }
}

/// Deletes every state of the object.
public struct ClearAllStateCommand: JournalCommandMessage {
    /// The type by which frames announce it.
    public static let type = MessageType.clearAllState

    /// The name that the handler gave to it; may be empty.
    public var name: String

    /// A command with these fields.
    public init(name: String = "") { self.name = name }

    /// Reads the fields.
    public init(reading payload: Bytes) throws(WireError) {
        self.init()
        var reader = ProtobufReader(payload)
        while let field = try reader.next() {
            if field.number == 12 { name = try field.string }
        }
    }

    /// Writes the fields.
    public func write(to writer: inout ProtobufWriter) { writer.string(12, name) }
}

/// Lists the keys of the object's state. The engine completes it with state keys.
public struct GetLazyStateKeysCommand: JournalCommandMessage {
    /// The type by which frames announce it.
    public static let type = MessageType.getLazyStateKeys

    /// The identifier of the completion.
    public var resultCompletionID: UInt32
    /// The name that the handler gave to it; may be empty.
    public var name: String

    /// A command with these fields.
    public init(resultCompletionID: UInt32, name: String = "") {
        self.resultCompletionID = resultCompletionID
        self.name = name
    }

    /// Reads the fields.
    public init(reading payload: Bytes) throws(WireError) {
        (resultCompletionID, name) = try completionIDAndName(of: payload)
    }

    /// Writes the fields.
    public func write(to writer: inout ProtobufWriter) {
        writer.number(11, resultCompletionID)
        writer.string(12, name)
    }
}

/// Records a read of a state that the start message answered.
public struct GetEagerStateCommand: JournalCommandMessage {
    /// The type by which frames announce it.
    public static let type = MessageType.getEagerState

    /// The key of the state.
    public var key: Bytes
    /// The value that the handler saw; nil when there was none.
    public var value: Bytes?
    /// The name that the handler gave to it; may be empty.
    public var name: String

    /// A command with these fields.
    public init(key: Bytes, value: Bytes?, name: String = "") {
        self.key = key
        self.value = value
        self.name = name
    }

    /// Reads the fields.
    public init(reading payload: Bytes) throws(WireError) {
        self.init(key: [], value: nil)
        var hasResult = false
        var reader = ProtobufReader(payload)
        while let field = try reader.next() {
            switch field.number {
            case 1: key = try field.bytes
            case 12: name = try field.string
            case 13: (value, hasResult) = (nil, true)
            case 14: (value, hasResult) = (try field.content, true)
            default: break
            }
        }
        guard hasResult else { throw .missing("result") }
    }

    /// Writes the fields.
    public func write(to writer: inout ProtobufWriter) {
        writer.bytes(1, key)
        writer.string(12, name)
        if let value { writer.value(14, value) } else { writer.empty(13) }
    }
}

/// Records a listing of keys that the start message answered.
public struct GetEagerStateKeysCommand: JournalCommandMessage {
    /// The type by which frames announce it.
    public static let type = MessageType.getEagerStateKeys

    /// The keys that the handler saw.
    public var keys: [Bytes]
    /// The name that the handler gave to it; may be empty.
    public var name: String

    /// A command with these fields.
    public init(keys: [Bytes], name: String = "") {
        self.keys = keys
        self.name = name
    }

    /// Reads the fields.
    public init(reading payload: Bytes) throws(WireError) {
        var (keys, name) = ([Bytes]?.none, "")
        var reader = ProtobufReader(payload)
        while let field = try reader.next() {
            switch field.number {
            case 12: name = try field.string
            case 14: keys = try field.stateKeys
            default: break
            }
        }
        guard let keys else { throw .missing("list of keys") }
        self.init(keys: keys, name: name)
    }

    /// Writes the fields.
    public func write(to writer: inout ProtobufWriter) {
        writer.string(12, name)
        writer.stateKeys(14, keys)
    }
}

/// The fields of commands that have no others.
func completionIDAndName(of payload: Bytes) throws(WireError) -> (UInt32, String) {
    var (completionID, name) = (0 as UInt32, "")
    var reader = ProtobufReader(payload)
    while let field = try reader.next() {
        switch field.number {
        case 11: completionID = try field.u32
        case 12: name = try field.string
        default: break
        }
    }
    return (completionID, name)
}
