import HoldfastServiceProtocol
import HoldfastWire

// How parts of records and messages between partitions are stored: protobuf, so that fields can be added.
// Field numbers are stored: they never change.

extension ProtobufReader.Field {
    var timestamp: Timestamp {
        get throws(WireError) { Timestamp(millis: try u64) }
    }

    /// An enumeration by its stored number.
    func stored<Value>(_ make: (UInt8) -> Value?) throws(WireError) -> Value {
        guard let raw = UInt8(exactly: try u64), let value = make(raw) else {
            throw WireError(what: "field \(number) has a value that this version does not know")
        }
        return value
    }

    /// A future of any depth: the limit is the invoker's, and may have been higher when this was stored.
    var future: Future {
        get throws(WireError) {
            let bytes = try bytes
            do throws(ProtocolError) {
                return try Future(decoding: bytes, maximumDepth: .max)
            } catch {
                throw WireError(what: error.message)
            }
        }
    }

    var invocationID: InvocationID {
        get throws(WireError) {
            guard let id = InvocationID(bytes: try bytes) else {
                throw WireError(what: "field \(number) is not an invocation id")
            }
            return id
        }
    }
}

extension InvocationTarget {
    func encode(into writer: inout ProtobufWriter) {
        writer.string(1, service)
        writer.string(2, key)
        writer.string(3, handler)
        writer.number(4, UInt32(kind.rawValue))
        writer.string(5, optional: scope)
    }

    init(decoding bytes: Bytes) throws(WireError) {
        self.init(service: "", handler: "", kind: .service)
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: service = try field.string
            case 2: key = try field.string
            case 3: handler = try field.string
            case 4: kind = try field.stored(TargetKind.init(rawValue:))
            case 5: scope = try field.string
            default: break
            }
        }
    }
}

extension InvocationSource {
    func encode(into writer: inout ProtobufWriter) {
        switch self {
        case .ingress: writer.number(1, 1 as UInt32)
        case .invocation(let id, let target):
            writer.bytes(2, id.bytes[...])
            writer.message(3) { target.encode(into: &$0) }
        case .subscription(let id): writer.string(4, optional: id)
        case .restartedFrom(let id): writer.bytes(5, id.bytes[...])
        case .engine: break
        }
    }

    init(decoding bytes: Bytes) throws(WireError) {
        self = .engine
        var caller: InvocationID?
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: self = .ingress(nil)
            case 2: caller = try field.invocationID
            case 3:
                guard let caller else { throw WireError(what: "a source has a target and no id") }
                self = .invocation(caller, try InvocationTarget(decoding: try field.bytes))
            case 4: self = .subscription(try field.string)
            case 5: self = .restartedFrom(try field.invocationID)
            default: break
            }
        }
    }
}

extension CallerReference {
    func encode(into writer: inout ProtobufWriter) {
        writer.bytes(1, id.bytes[...])
        writer.number(2, incarnation)
        writer.number(3, completionID)
        writer.number(4, UInt32(type.rawValue))
    }

    init(decoding bytes: Bytes) throws(WireError) {
        var id: InvocationID?
        var incarnation: UInt64 = 0
        var completionID: UInt32 = 0
        var type: UInt16 = 0
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: id = try field.invocationID
            case 2: incarnation = try field.u64
            case 3: completionID = try field.u32
            case 4: type = UInt16(truncatingIfNeeded: try field.u32)
            default: break
            }
        }
        guard let id else { throw WireError(what: "a caller has no id") }
        self.init(id: id, incarnation: incarnation, completionID: completionID, type: MessageType(rawValue: type))
    }
}

extension Completion {
    func encode(into writer: inout ProtobufWriter) {
        switch self {
        case .value(let value): writer.bytes(1, optional: value)
        case .failure(let failure): writer.message(2) { failure.write(to: &$0) }
        }
    }

    init(decoding bytes: Bytes) throws(WireError) {
        self = .value([])
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: self = .value(try field.bytes)
            case 2: self = .failure(try Failure(reading: try field.bytes))
            default: break
            }
        }
    }
}

extension InvokeRequest {
    func encode(into writer: inout ProtobufWriter) {
        writer.bytes(1, id.bytes[...])
        writer.message(2) { target.encode(into: &$0) }
        writer.message(3) { source.encode(into: &$0) }
        writer.bytes(4, optional: input)
        writer.string(5, optional: idempotencyKey)
        writer.string(6, optional: limitKey)
        writer.number(7, optional: executionTime?.millis)
        writer.number(8, completionRetention)
        writer.number(9, journalRetention)
    }

    init(decoding bytes: Bytes) throws(WireError) {
        var id: InvocationID?
        var target: InvocationTarget?
        var source = InvocationSource.engine
        var input: Bytes = []
        var idempotencyKey: String?
        var limitKey: String?
        var executionTime: Timestamp?
        var completionRetention: UInt64 = 0
        var journalRetention: UInt64 = 0
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: id = try field.invocationID
            case 2: target = try InvocationTarget(decoding: try field.bytes)
            case 3: source = try InvocationSource(decoding: try field.bytes)
            case 4: input = try field.bytes
            case 5: idempotencyKey = try field.string
            case 6: limitKey = try field.string
            case 7: executionTime = try field.timestamp
            case 8: completionRetention = try field.u64
            case 9: journalRetention = try field.u64
            default: break
            }
        }
        guard let id, let target else { throw WireError(what: "a request has no id or no target") }
        self.init(
            id: id, target: target, source: source, input: input, idempotencyKey: idempotencyKey, limitKey: limitKey,
            executionTime: executionTime, completionRetention: completionRetention, journalRetention: journalRetention)
    }
}

extension Notification {
    /// Type and payload, for places that store a notification outside a journal.
    func encode(into writer: inout ProtobufWriter) {
        writer.number(1, UInt32(type.rawValue))
        writer.bytes(2, optional: payload)
    }

    init(stored bytes: Bytes) throws(WireError) {
        var type: UInt16 = 0
        var payload: Bytes = []
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: type = UInt16(truncatingIfNeeded: try field.u32)
            case 2: payload = try field.bytes
            default: break
            }
        }
        do throws(ProtocolError) {
            try self.init(type: MessageType(rawValue: type), payload: payload)
        } catch {
            throw WireError(what: error.message)
        }
    }
}

extension PartitionMessage {
    private static let version: UInt8 = 1

    var stored: [UInt8] {
        var writer = ProtobufWriter(capacity: 256)
        switch self {
        case .invoke(let request, let caller):
            writer.message(1) { request.encode(into: &$0) }
            if case .invocation(let reference) = caller { writer.message(2) { reference.encode(into: &$0) } }
        case .complete(let reference, let result):
            writer.message(3) { reference.encode(into: &$0) }
            let notification = Notification(
                type: reference.type, id: .completion(reference.completionID), result: result)
            writer.message(4) { notification.encode(into: &$0) }
        case .signal(let id, let notification):
            writer.bytes(5, id.bytes[...])
            writer.message(4) { notification.encode(into: &$0) }
        case .attach(let id, let reference, let waiting):
            writer.bytes(6, id.bytes[...])
            writer.message(3) { reference.encode(into: &$0) }
            writer.bool(7, waiting)
        case .kill(let id, let reference):
            writer.bytes(8, id.bytes[...])
            writer.message(3) { reference.encode(into: &$0) }
        }
        return [Self.version] + writer.bytes
    }

    init(stored value: Bytes) throws(StorageError) {
        guard value.first == Self.version else {
            throw .damagedRecord("outbox message", "its version is \(value.first.map(String.init) ?? "missing")")
        }
        do throws(WireError) {
            try self.init(fields: value.dropFirst())
        } catch {
            throw .damagedRecord("outbox message", error.what)
        }
    }

    private init(fields: Bytes) throws(WireError) {
        var request: InvokeRequest?
        var caller: CallerReference?
        var reference: CallerReference?
        var notification: Notification?
        var signalled: InvocationID?
        var attached: InvocationID?
        var killed: InvocationID?
        var waiting = false
        var reader = ProtobufReader(fields)
        while let field = try reader.next() {
            switch field.number {
            case 1: request = try InvokeRequest(decoding: try field.bytes)
            case 2: caller = try CallerReference(decoding: try field.bytes)
            case 3: reference = try CallerReference(decoding: try field.bytes)
            case 4: notification = try Notification(stored: try field.bytes)
            case 5: signalled = try field.invocationID
            case 6: attached = try field.invocationID
            case 7: waiting = try field.bool
            case 8: killed = try field.invocationID
            default: break
            }
        }
        if let request {
            self = .invoke(request, caller.map(Caller.invocation) ?? .none)
        } else if let signalled, let notification {
            self = .signal(signalled, notification)
        } else if let attached, let reference {
            self = .attach(attached, reference, waiting: waiting)
        } else if let reference, let notification {
            self = .complete(reference, notification.result)
        } else if let killed, let reference {
            self = .kill(killed, by: reference)
        } else {
            throw WireError(what: "it is of no known kind")
        }
    }
}

extension StateMutation {
    var stored: [UInt8] {
        var writer = ProtobufWriter(capacity: 64)
        writer.string(1, optional: object.scope)
        writer.string(2, object.service)
        writer.string(3, object.key)
        writer.bool(4, isWorkflow)
        writer.string(5, optional: expectedVersion)
        for (key, value) in entries {
            writer.message(6) { entry in
                entry.bytes(1, key)
                entry.bytes(2, value)
            }
        }
        return writer.bytes
    }

    init(decoding bytes: Bytes) throws(WireError) {
        self.init(
            object: ObjectID(scope: nil, service: "", key: ""), isWorkflow: false, expectedVersion: nil, entries: [])
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: object.scope = try field.string
            case 2: object.service = try field.string
            case 3: object.key = try field.string
            case 4: isWorkflow = try field.bool
            case 5: expectedVersion = try field.string
            case 6:
                var entry: (key: Bytes, value: Bytes) = ([], [])
                var entryReader = ProtobufReader(try field.bytes)
                while let part = try entryReader.next() {
                    if part.number == 1 { entry.key = try part.bytes } else { entry.value = try part.bytes }
                }
                entries.append(entry)
            default: break
            }
        }
    }
}
