import HoldfastWire

/// Calls a handler.
///
/// The engine first tells the identifier of the new invocation, and completes the call with its result.
public struct CallCommand: JournalCommandMessage {
    /// The type by which frames announce it.
    public static let type = MessageType.call

    /// The service, virtual object or workflow.
    public var serviceName: String
    /// The handler.
    public var handlerName: String
    /// The handler's input.
    public var parameter: Bytes
    /// The headers that are passed on to the handler.
    public var headers: [Header]
    /// The virtual object's or workflow's key; empty for plain services.
    public var key: String
    /// The idempotency key; calls with equal ones share one invocation.
    public var idempotencyKey: String?
    /// The scope, since version 7.
    public var scope: String?
    /// The limit key, since version 7.
    public var limitKey: String?
    /// The identifier of the notification with the new invocation's identifier.
    public var invocationIDCompletionID: UInt32
    /// The identifier of the completion.
    public var resultCompletionID: UInt32
    /// The name that the handler gave to it; may be empty.
    public var name: String

    /// A command with these fields.
    public init(
        serviceName: String, handlerName: String, parameter: Bytes, headers: [Header] = [], key: String = "",
        idempotencyKey: String? = nil, scope: String? = nil, limitKey: String? = nil,
        invocationIDCompletionID: UInt32, resultCompletionID: UInt32, name: String = ""
    ) {
        self.serviceName = serviceName
        self.handlerName = handlerName
        self.parameter = parameter
        self.headers = headers
        self.key = key
        self.idempotencyKey = idempotencyKey
        self.scope = scope
        self.limitKey = limitKey
        self.invocationIDCompletionID = invocationIDCompletionID
        self.resultCompletionID = resultCompletionID
        self.name = name
    }

    /// Reads the fields.
    public init(reading payload: Bytes) throws(WireError) {
        self.init(
            serviceName: "", handlerName: "", parameter: [], invocationIDCompletionID: 0, resultCompletionID: 0)
        var reader = ProtobufReader(payload)
        while let field = try reader.next() {
            switch field.number {
            case 1: serviceName = try field.string
            case 2: handlerName = try field.string
            case 3: parameter = try field.bytes
            case 4: headers.append(try Header(reading: field.bytes))
            case 5: key = try field.string
            case 6: idempotencyKey = try field.string
            case 7: scope = try field.string
            case 8: limitKey = try field.string
            case 10: invocationIDCompletionID = try field.u32
            case 11: resultCompletionID = try field.u32
            case 12: name = try field.string
            default: break
            }
        }
    }

    /// Writes the fields.
    public func write(to writer: inout ProtobufWriter) {
        writer.string(1, serviceName)
        writer.string(2, handlerName)
        writer.bytes(3, parameter)
        writer.headers(4, headers)
        writer.string(5, key)
        writer.string(6, optional: idempotencyKey)
        writer.string(7, optional: scope)
        writer.string(8, optional: limitKey)
        writer.number(10, invocationIDCompletionID)
        writer.number(11, resultCompletionID)
        writer.string(12, name)
    }
}

/// Calls a handler, now or later, whose result nobody gets.
///
/// The engine only tells the identifier of the new invocation.
public struct OneWayCallCommand: JournalCommandMessage {
    /// The type by which frames announce it.
    public static let type = MessageType.oneWayCall

    /// The service, virtual object or workflow.
    public var serviceName: String
    /// The handler.
    public var handlerName: String
    /// The handler's input.
    public var parameter: Bytes
    /// When the handler is to be invoked; 0 for at once.
    public var invokeTime: Timestamp
    /// The headers that are passed on to the handler.
    public var headers: [Header]
    /// The virtual object's or workflow's key; empty for plain services.
    public var key: String
    /// The idempotency key; calls with equal ones share one invocation.
    public var idempotencyKey: String?
    /// The scope, since version 7.
    public var scope: String?
    /// The limit key, since version 7.
    public var limitKey: String?
    /// The identifier of the notification with the new invocation's identifier.
    public var invocationIDCompletionID: UInt32
    /// The name that the handler gave to it; may be empty.
    public var name: String

    /// A command with these fields.
    public init(
        serviceName: String, handlerName: String, parameter: Bytes, invokeTime: Timestamp = Timestamp(millis: 0),
        headers: [Header] = [], key: String = "", idempotencyKey: String? = nil, scope: String? = nil,
        limitKey: String? = nil, invocationIDCompletionID: UInt32, name: String = ""
    ) {
        self.serviceName = serviceName
        self.handlerName = handlerName
        self.parameter = parameter
        self.invokeTime = invokeTime
        self.headers = headers
        self.key = key
        self.idempotencyKey = idempotencyKey
        self.scope = scope
        self.limitKey = limitKey
        self.invocationIDCompletionID = invocationIDCompletionID
        self.name = name
    }

    /// Reads the fields.
    public init(reading payload: Bytes) throws(WireError) {
        self.init(serviceName: "", handlerName: "", parameter: [], invocationIDCompletionID: 0)
        var reader = ProtobufReader(payload)
        while let field = try reader.next() {
            switch field.number {
            case 1: serviceName = try field.string
            case 2: handlerName = try field.string
            case 3: parameter = try field.bytes
            case 4: invokeTime.millis = try field.u64
            case 5: headers.append(try Header(reading: field.bytes))
            case 6: key = try field.string
            case 7: idempotencyKey = try field.string
            case 8: scope = try field.string
            case 9: limitKey = try field.string
            case 10: invocationIDCompletionID = try field.u32
            case 12: name = try field.string
            default: break
            }
        }
    }

    /// Writes the fields.
    public func write(to writer: inout ProtobufWriter) {
        writer.string(1, serviceName)
        writer.string(2, handlerName)
        writer.bytes(3, parameter)
        writer.number(4, invokeTime.millis)
        writer.headers(5, headers)
        writer.string(6, key)
        writer.string(7, optional: idempotencyKey)
        writer.string(8, optional: scope)
        writer.string(9, optional: limitKey)
        writer.number(10, invocationIDCompletionID)
        writer.string(12, name)
    }
}
