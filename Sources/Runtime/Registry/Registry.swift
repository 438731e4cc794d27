import HoldfastEngine
import HoldfastWire

/// What the server knows of deployments, their services and the limit rules, at one moment.
///
/// Immutable: a change makes another registry (`Registry+Changes`), which is published to all event loops once it is
/// durable. Everything that the hot path asks for is computed when the registry is made.
final class Registry: Sendable {
    /// What the server's configuration says about settings that no service has.
    let defaults: InvocationDefaults
    /// The limit rules.
    let rules: RuleBook

    private let registered: [DeploymentID: RegisteredDeployment]
    private let active: [String: RegisteredService]

    /// A registry without deployments and rules.
    convenience init(defaults: InvocationDefaults = InvocationDefaults()) {
        self.init(registered: [:], rules: RuleBook(), defaults: defaults)
    }

    /// A registry of these deployments.
    convenience init(deployments: [Deployment], rules: RuleBook, defaults: InvocationDefaults) {
        let registered = deployments.map { ($0.id, RegisteredDeployment($0, defaults: defaults)) }
        self.init(
            registered: Dictionary(registered) { _, latter in latter }, rules: rules, defaults: defaults)
    }

    private init(
        registered: [DeploymentID: RegisteredDeployment], rules: RuleBook, defaults: InvocationDefaults
    ) {
        self.registered = registered
        self.rules = rules
        self.defaults = defaults
        var active: [String: RegisteredService] = [:]
        for service in registered.values.flatMap(\.services.values) {
            if let other = active[service.schema.name], !service.supersedes(other) { continue }
            active[service.schema.name] = service
        }
        self.active = active
    }

    // MARK: Questions

    /// The revision of a service that new invocations get: the highest one over all deployments.
    func activeService(_ name: String) -> ServiceSchema? { active[name]?.schema }

    /// A handler of a service's active revision.
    func resolve(service: String, handler: String) -> ResolvedHandler? { active[service]?.handlers[handler] }

    /// A handler of the revision that a deployment has; nil if the deployment, or it in it, is unknown.
    func resolve(service: String, handler: String, on deployment: DeploymentID) -> ResolvedHandler? {
        registered[deployment]?.services[service]?.handlers[handler]
    }

    /// The deployment of a service's active revision.
    func activeDeployment(ofService name: String) -> Deployment? {
        active[name].flatMap { deployment($0.schema.deployment) }
    }

    /// A deployment.
    func deployment(_ id: DeploymentID) -> Deployment? { registered[id]?.deployment }

    /// The active revisions of all services, by name.
    var services: [ServiceSchema] { active.values.map(\.schema).sorted { $0.name < $1.name } }

    /// All deployments, by creation.
    var deployments: [Deployment] {
        registered.values.map(\.deployment).sorted { ($0.created, $0.id) < ($1.created, $1.id) }
    }

    // MARK: Successors

    /// This registry with one deployment added or replaced.
    func with(_ deployment: Deployment) -> Registry {
        var registered = registered
        registered[deployment.id] = RegisteredDeployment(deployment, defaults: defaults)
        return Registry(registered: registered, rules: rules, defaults: defaults)
    }

    /// This registry with one deployment less.
    func without(_ deployment: DeploymentID) -> Registry {
        var registered = registered
        registered[deployment] = nil
        return Registry(registered: registered, rules: rules, defaults: defaults)
    }

    /// This registry with other limit rules.
    func with(_ rules: RuleBook) -> Registry {
        Registry(registered: registered, rules: rules, defaults: defaults)
    }

    /// The deployments that are not as they were in `earlier`, and the ids of those that are gone.
    func differences(from earlier: Registry) -> (changed: [Deployment], removed: [DeploymentID]) {
        let changed = registered.filter { earlier.registered[$0.key] !== $0.value }.values.map(\.deployment)
        let removed = earlier.registered.keys.filter { registered[$0] == nil }
        return (changed.sorted { $0.id < $1.id }, removed.sorted())
    }
}

/// A deployment with its handlers resolved. Registries that share a deployment share this object.
private final class RegisteredDeployment: Sendable {
    let deployment: Deployment
    let services: [String: RegisteredService]

    init(_ deployment: Deployment, defaults: InvocationDefaults) {
        self.deployment = deployment
        services = deployment.services.mapValues {
            RegisteredService($0, of: deployment, defaults: defaults)
        }
    }
}

/// One revision of a service, with its handlers resolved.
private final class RegisteredService: Sendable {
    let schema: ServiceSchema
    let handlers: [String: ResolvedHandler]
    private let created: Timestamp

    init(_ schema: ServiceSchema, of deployment: Deployment, defaults: InvocationDefaults) {
        self.schema = schema
        created = deployment.created
        handlers = schema.handlers.mapValues {
            ResolvedHandler($0, of: schema, mode: deployment.protocolMode, defaults: defaults)
        }
    }

    /// Whether this revision is the active one of the two. Equal revisions exist after an overwriting update only;
    /// then the newer deployment's counts.
    func supersedes(_ other: RegisteredService) -> Bool {
        (schema.revision, created, schema.deployment)
            > (other.schema.revision, other.created, other.schema.deployment)
    }
}
