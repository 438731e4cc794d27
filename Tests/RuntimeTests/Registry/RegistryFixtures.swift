import HoldfastEngine
import HoldfastWire

@testable import HoldfastRuntime

extension DeploymentAddress {
    /// The address of a deployment whose text does not matter to the test.
    static func sample(_ text: String = "http://localhost:9080") throws -> DeploymentAddress {
        try DeploymentAddress(text: text)
    }
}

extension HandlerSchema {
    static func sample(_ name: String, _ kind: TargetKind = .service) -> HandlerSchema {
        HandlerSchema(
            name: name, kind: kind, isPublic: nil, settings: HandlerSettings(),
            input: InputRules(isDeclared: false, isRequired: false, contentType: nil, jsonSchema: nil),
            output: OutputRules(isDeclared: false, contentType: nil, setContentTypeIfEmpty: false, jsonSchema: nil),
            documentation: nil, metadata: [])
    }
}

extension ServiceSchema {
    static func sample(
        _ name: String, _ kind: ServiceKind = .service, handlers: [HandlerSchema] = [.sample("greet")]
    ) -> ServiceSchema {
        ServiceSchema(
            name: name, kind: kind, revision: 0, deployment: DeploymentID(UInt128(0)),
            handlers: Dictionary(uniqueKeysWithValues: handlers.map { ($0.name, $0) }), documentation: nil,
            metadata: [], isPublic: true, settings: HandlerSettings())
    }
}

extension DiscoveredEndpoint {
    static func sample(_ services: [ServiceSchema], mode: ProtocolMode = .bidirectional) -> DiscoveredEndpoint {
        DiscoveredEndpoint(
            protocolMode: mode, httpVersion: .http2, protocolVersions: 5...7, sdkVersion: "restate-sdk-python/1.3.0",
            services: services)
    }
}

extension Registry {
    /// Registers services at an address, at a moment that is also the deployment's id.
    func registering(
        _ services: [ServiceSchema], at address: String, moment: UInt64, force: Bool = false, breaking: Bool = false
    ) throws -> (registry: Registry, registration: Registration) {
        var request = RegistrationRequest(address: try .sample(address))
        request.overwrites = force
        request.allowsBreakingChanges = breaking
        return try registering(
            .sample(services), as: request, id: DeploymentID(UInt128(moment)), now: Timestamp(millis: moment))
    }
}
