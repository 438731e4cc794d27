import HoldfastEngine
import HoldfastWire

/// The kind of a service.
enum ServiceKind: String, Sendable {
    case service = "Service"
    case virtualObject = "VirtualObject"
    case workflow = "Workflow"

    var isKeyed: Bool { self != .service }
}

/// A service as one revision declares it, with what operators changed since.
struct ServiceSchema: Sendable {
    var name: String
    var kind: ServiceKind
    var revision: UInt32
    var deployment: DeploymentID
    var handlers: [String: HandlerSchema]
    var documentation: String?
    var metadata: [(key: String, value: String)]
    var isPublic: Bool
    var settings: HandlerSettings

    /// Its handlers in the order of their names.
    var sortedHandlers: [HandlerSchema] { handlers.values.sorted { $0.name < $1.name } }
    /// A workflow's first run handler by name; there should be one.
    var runHandler: HandlerSchema? { sortedHandlers.first { $0.kind == .workflowRun } }
}

/// A handler as its manifest declares it.
struct HandlerSchema: Sendable {
    var name: String
    var kind: TargetKind
    /// Nil: as the service.
    var isPublic: Bool?
    var settings: HandlerSettings
    var input: InputRules
    var output: OutputRules
    var documentation: String?
    var metadata: [(key: String, value: String)]

    /// Whether clients may call it: a private service hides all of its handlers.
    func isPublic(in service: ServiceSchema) -> Bool { service.isPublic && isPublic != false }
}

/// What a request to a handler must look like (ingress §7).
struct InputRules: Sendable {
    /// False: the manifest has no `input`.
    var isDeclared: Bool
    var isRequired: Bool
    var contentType: String?
    /// The JSON text of the schema.
    var jsonSchema: String?
}

/// What a handler's answer looks like (ingress §7).
struct OutputRules: Sendable {
    var isDeclared: Bool
    var contentType: String?
    var setContentTypeIfEmpty: Bool
    var jsonSchema: String?
}
