import HoldfastServiceProtocol
import HoldfastWire

/// Any message, decoded.
enum AnyMessage: Equatable {
    case start(StartMessage)
    case suspension(SuspensionMessage)
    case error(ErrorMessage)
    case end(EndMessage)
    case commandAck(CommandAckMessage)
    case proposeRunCompletion(ProposeRunCompletionMessage)
    case awaitingOn(AwaitingOnMessage)
    case proposeRunCompletionAck(ProposeRunCompletionAckMessage)
    case command(JournalCommand)
    case notification(Notification)

    init(type: MessageType, version: ProtocolVersion, payload: Bytes) throws(ProtocolError) {
        switch type {
        case .start: self = .start(try .init(decoding: payload))
        case .suspension: self = .suspension(try .init(decoding: payload, version: version))
        case .error: self = .error(try .init(decoding: payload))
        case .end: self = .end(try .init(decoding: payload))
        case .commandAck: self = .commandAck(try .init(decoding: payload))
        case .proposeRunCompletion: self = .proposeRunCompletion(try .init(decoding: payload))
        case .awaitingOn: self = .awaitingOn(try .init(decoding: payload))
        case .proposeRunCompletionAck: self = .proposeRunCompletionAck(try .init(decoding: payload))
        case _ where type.isNotification: self = .notification(try .init(type: type, payload: payload))
        default: self = .command(try .init(type: type, payload: payload))
        }
    }

    func payload(version: ProtocolVersion) -> Bytes {
        var buffer: [UInt8] = []
        switch self {
        case .start(let message): message.encode(version: version, into: &buffer)
        case .suspension(let message): message.encode(version: version, into: &buffer)
        case .error(let message): message.encode(into: &buffer)
        case .end(let message): message.encode(into: &buffer)
        case .commandAck(let message): message.encode(into: &buffer)
        case .proposeRunCompletion(let message): message.encode(into: &buffer)
        case .awaitingOn(let message): message.encode(into: &buffer)
        case .proposeRunCompletionAck(let message): message.encode(into: &buffer)
        case .command(let command): command.encode(into: &buffer)
        case .notification(let notification): notification.encode(into: &buffer)
        }
        return buffer[...]
    }

    /// The fields under the names of the protocol's page, without default values of fields that have no presence.
    func fields(version: ProtocolVersion) -> JSON {
        var fields = FieldList()
        switch self {
        case .start(let message): fields.add(message)
        case .suspension(let message):
            if version >= .v7 {
                fields.add("awaiting_on", nested: FieldList(message.awaitingOn).json)
            } else {
                fields.members = FieldList(message.awaitingOn).members
            }
        case .error(let message): fields.add(message)
        case .end: break
        case .commandAck(let message): fields.add("command_index", message.commandIndex)
        case .proposeRunCompletion(let message):
            fields.add("result_completion_id", message.resultCompletionID)
            switch message.result {
            case .value(let value): fields.add("value", optional: value)
            case .failure(let failure): fields.add("failure", nested: FieldList(failure).json)
            case nil: break
            }
        case .awaitingOn(let message):
            fields.add("awaiting_on", nested: FieldList(message.awaitingOn).json)
            fields.add("executing_side_effects", message.isExecutingSteps ? 1 : 0 as UInt32)
        case .proposeRunCompletionAck(let message): fields.add("completion_id", message.completionID)
        case .command(let command): fields.add(command)
        case .notification(let notification): fields.add(notification)
        }
        return fields.json
    }
}

/// Collects fields that are set.
struct FieldList {
    var members: [JSON.Member] = []

    init() {}

    var json: JSON { .object(members) }

    mutating func add(_ name: String, _ number: some BinaryInteger) {
        if number != 0 { members.append(.init(name, JSON(number))) }
    }

    mutating func add(_ name: String, _ text: String) {
        if !text.isEmpty { members.append(.init(name, .string(text))) }
    }

    mutating func add(_ name: String, _ bytes: Bytes) {
        if !bytes.isEmpty { add(name, optional: bytes) }
    }

    mutating func add(_ name: String, optional number: (some BinaryInteger)?) {
        if let number { members.append(.init(name, JSON(number))) }
    }

    mutating func add(_ name: String, optional text: String?) {
        if let text { members.append(.init(name, .string(text))) }
    }

    mutating func add(_ name: String, optional bytes: Bytes?) {
        if let bytes { members.append(.init(name, Self.spell(bytes))) }
    }

    mutating func add(_ name: String, nested: JSON) { members.append(.init(name, nested)) }

    mutating func add(_ name: String, list: [JSON]) {
        if !list.isEmpty { members.append(.init(name, .array(list))) }
    }

    /// The message `{content}`.
    mutating func add(_ name: String, value: Bytes) {
        var inner = FieldList()
        inner.add("content", value)
        add(name, nested: inner.json)
    }

    mutating func add(_ name: String, headers: [Header]) {
        add(
            name,
            list: headers.map { header in
                var inner = FieldList()
                inner.add("key", header.key)
                inner.add("value", header.value)
                return inner.json
            })
    }

    static func spell(_ bytes: Bytes) -> JSON {
        bytes.utf8String.map(JSON.string) ?? ["hex": .string(bytes.hex)]
    }
}

extension JSON {
    /// The same document with the members of each object in the order of their names.
    var sorted: JSON {
        switch self {
        case .array(let elements): .array(elements.map(\.sorted))
        case .object(let members):
            .object(members.map { Member($0.key, $0.value.sorted) }.sorted { $0.key < $1.key })
        default: self
        }
    }
}
