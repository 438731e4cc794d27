import HoldfastWire

/// What a request asks for, as far as its path says it.
enum IngressRoute: Equatable {
    /// Tell that the server lives, and which services it has.
    case health
    /// Call a handler, or send to it.
    case submit(SubmitRoute)
    /// The result of the invocation with this id.
    case result(ResultWait, InvocationID)
    /// The result of the invocation that the body names.
    case resultOfTarget(ResultWait)
    /// The id of the invocation that the body names.
    case lookup
    /// Complete the awakeable with this id.
    case awakeable(String, AwakeableVerb)
    /// The admin API has these documents.
    case openAPI
}

/// Whether somebody waits for the result of a new invocation.
enum SubmitVerb: String {
    case call
    case send
}

/// What happens when an invocation has no result yet.
enum ResultWait: String {
    /// Wait for it.
    case attach
    /// Say so.
    case output
}

/// How an awakeable ends.
enum AwakeableVerb: String {
    case resolve
    case reject
}

/// A handler as a path names it.
struct SubmitRoute: Equatable {
    var verb: SubmitVerb
    var service: String
    /// Nil for plain services.
    var key: String?
    var handler: String
    var scope: String?
}

// MARK: - Parsing

extension IngressRoute {
    /// Reads a path.
    ///
    /// Whether a key follows the service's name depends on the service: `kind` knows the registered ones.
    init(_ path: IngressPath, kind: (String) -> ServiceKind?) throws(IngressError) {
        guard (2...7).contains(path.slashCount) else { throw .badPath(path.bytes) }
        var segments = RouteSegments(path.segments, error: .notFound)
        switch try segments.word() {
        case "restate":
            let verb = try segments.word()
            if let parse = Self.verbs[verb] {
                self = try parse(&segments, verb, kind)
            } else {
                throw .notFound
            }
        case "openapi": self = .openAPI
        case let service: self = .submit(try SubmitRoute(service: service, &segments, kind: kind))
        }
    }

    private typealias Parser =
        @Sendable (inout RouteSegments, _ verb: String, _ kind: (String) -> ServiceKind?) throws(IngressError) ->
        IngressRoute

    /// What may follow `/restate/`. Extra segments behind health and the routes of the elder form are ignored.
    private static let verbs: [String: Parser] = [
        "health": { (_, _, _) throws(IngressError) in .health },
        "call": Self.submit,
        "send": Self.submit,
        "scope": Self.scoped,
        "attach": Self.result,
        "output": Self.result,
        "lookup": Self.lookup,
        "invocation": Self.invocation,
        "workflow": Self.workflow,
        "awakeables": Self.awakeable,
        "a": Self.awakeable,
    ]

    /// `/restate/call/{service}[/{key}]/{handler}`
    private static func submit(
        _ segments: inout RouteSegments, _ verb: String, _ kind: (String) -> ServiceKind?
    ) throws(IngressError) -> IngressRoute {
        segments.error = .badVerbPath
        guard let verb = SubmitVerb(rawValue: verb) else { throw .badVerbPath }
        return .submit(try SubmitRoute(verb, scope: nil, &segments, kind: kind))
    }

    /// `/restate/scope/{scope}/call/{service}[/{key}]/{handler}`
    private static func scoped(
        _ segments: inout RouteSegments, _: String, _ kind: (String) -> ServiceKind?
    ) throws(IngressError) -> IngressRoute {
        segments.error = .badVerbPath
        let scope = try segments.key()
        guard let verb = SubmitVerb(rawValue: try segments.word()) else { throw .badVerbPath }
        return .submit(try SubmitRoute(verb, scope: scope, &segments, kind: kind))
    }

    /// `/restate/attach`, `/restate/attach/{invocation id}`
    private static func result(
        _ segments: inout RouteSegments, _ verb: String, _: (String) -> ServiceKind?
    ) throws(IngressError) -> IngressRoute {
        segments.error = .badVerbPath
        guard let wait = ResultWait(rawValue: verb) else { throw .badVerbPath }
        guard let id = segments.optionalWord() else { return .resultOfTarget(wait) }
        try segments.end()
        return .result(wait, try invocationID(id))
    }

    private static func lookup(
        _ segments: inout RouteSegments, _: String, _: (String) -> ServiceKind?
    ) throws(IngressError) -> IngressRoute {
        segments.error = .badVerbPath
        try segments.end()
        return .lookup
    }

    /// `/restate/invocation/{invocation id}/attach`, and with `{service}[/{key}]/{handler}/{idempotency key}` for the id.
    private static func invocation(
        _ segments: inout RouteSegments, _: String, _ kind: (String) -> ServiceKind?
    ) throws(IngressError) -> IngressRoute {
        segments.error = .badInvocationPath
        let (first, second) = (try segments.word(), try segments.segment())
        guard let third = segments.optionalWord() else {
            return .result(try resultWait(second.lossyString), try invocationID(first))
        }
        guard let kind = kind(first) else { throw .serviceNotFound(first) }
        let reference: InvocationReference
        if kind.isKeyed {
            let key = try RouteSegments.key(second)
            reference = .idempotent(
                service: first, key: key, handler: third, idempotencyKey: try segments.word(), scope: nil)
        } else {
            reference = .idempotent(
                service: first, key: nil, handler: second.lossyString, idempotencyKey: third, scope: nil)
        }
        return .result(try resultWait(try segments.word()), reference.id)
    }

    /// `/restate/workflow/{workflow}/{key}/attach`. Nothing has to exist: names are only hashed.
    private static func workflow(
        _ segments: inout RouteSegments, _: String, _: (String) -> ServiceKind?
    ) throws(IngressError) -> IngressRoute {
        segments.error = .badWorkflowPath
        let reference = InvocationReference.workflow(
            name: try segments.word(), key: try segments.key(), scope: nil)
        return .result(try resultWait(try segments.word()), reference.id)
    }

    /// `/restate/awakeables/{id}/resolve`
    private static func awakeable(
        _ segments: inout RouteSegments, _: String, _: (String) -> ServiceKind?
    ) throws(IngressError) -> IngressRoute {
        segments.error = .badAwakeablePath
        let id = try segments.word()
        guard let verb = AwakeableVerb(rawValue: try segments.word()) else { throw .notFound }
        return .awakeable(id, verb)
    }

    private static func resultWait(_ verb: String) throws(IngressError) -> ResultWait {
        guard let wait = ResultWait(rawValue: verb) else { throw .notFound }
        return wait
    }

    private static func invocationID(_ text: String) throws(IngressError) -> InvocationID {
        do throws(IdentifierError) {
            return try InvocationID(text: text)
        } catch {
            throw .badInvocationID(text, error)
        }
    }
}

extension SubmitRoute {
    /// `/{service}[/{key}]/{handler}[/send]`, of which the service is read.
    ///
    /// `send` is looked for behind the handler only, so that handlers, keys and services may be called so.
    fileprivate init(
        service: String, _ segments: inout RouteSegments, kind: (String) -> ServiceKind?
    ) throws(IngressError) {
        guard let kind = kind(service) else { throw .serviceNotFound(service) }
        segments.error = .badServicePath
        let key = kind.isKeyed ? try segments.key() : nil
        let handler = try segments.word()
        let suffix = segments.optionalWord()
        guard suffix == nil || suffix == SubmitVerb.send.rawValue else { throw .badServicePath }
        try segments.end()
        self.init(verb: suffix == nil ? .call : .send, service: service, key: key, handler: handler)
    }

    /// `{service}[/{key}]/{handler}`
    fileprivate init(
        _ verb: SubmitVerb, scope: String?, _ segments: inout RouteSegments, kind: (String) -> ServiceKind?
    ) throws(IngressError) {
        let service = try segments.word()
        guard let kind = kind(service) else { throw .serviceNotFound(service) }
        let key = kind.isKeyed ? try segments.key() : nil
        self.init(verb: verb, service: service, key: key, handler: try segments.word(), scope: scope)
        try segments.end()
    }
}

/// Reads the segments of one route; `error` is what a path of this kind gets when it is too short or too long.
private struct RouteSegments {
    private var segments: IngressPath.Segments
    var error: IngressError

    init(_ segments: IngressPath.Segments, error: IngressError) {
        self.segments = segments
        self.error = error
    }

    mutating func segment() throws(IngressError) -> Bytes {
        guard let segment = segments.next() else { throw error }
        return segment
    }

    /// A name or an identifier: taken as it stands.
    mutating func word() throws(IngressError) -> String { try segment().lossyString }

    mutating func optionalWord() -> String? { segments.next()?.lossyString }

    /// A key or a scope: percent-decoded.
    mutating func key() throws(IngressError) -> String { try Self.key(segment()) }

    mutating func end() throws(IngressError) {
        guard segments.next() == nil else { throw error }
    }

    static func key(_ segment: Bytes) throws(IngressError) -> String {
        let bytes = PercentEncoding.decoded(segment: segment)
        if let text = bytes.utf8String { return text }
        guard let fault = UTF8Fault(in: bytes) else { return bytes.lossyString }
        throw .badKey(bytes, fault)
    }
}
