import HoldfastEngine
import HoldfastWire

/// What an operator wants to register (admin §4.2).
struct RegistrationRequest: Sendable {
    var address: DeploymentAddress
    var additionalHeaders: [(name: String, value: String)] = []
    var metadata: [(key: String, value: String)] = []
    /// Accept services whose type differs from the active revision's.
    var allowsBreakingChanges = false
    /// Overwrite a deployment with the same address.
    var overwrites = false
    /// The headers whose values tell deployments with equal addresses apart, in lower case.
    var routingHeaders: [String] = []
}

/// What became of a registration.
struct Registration: Sendable {
    enum Outcome: Sendable {
        case created
        case overwritten
        /// The address is registered, and the request did not ask to overwrite it: nothing was changed.
        case existing
    }

    var outcome: Outcome
    var deployment: Deployment
}

/// What an operator wants to change about a deployment (admin §4.4). Nil: as it is.
struct DeploymentUpdate: Sendable {
    var address: DeploymentAddress?
    var additionalHeaders: [(name: String, value: String)]?
    /// Replace the stored services by the discovered ones.
    var replacesServices = false
}

/// What an operator wants to change about a service's active revision (admin §5.2). Nil: as it is.
struct ServiceUpdate: Sendable {
    var isPublic: Bool?
    /// Only the settings that operators can change are looked at.
    var settings = HandlerSettings()

    var isEmpty: Bool { isPublic == nil && settings == HandlerSettings() }
}

extension Registry {
    /// The newest deployment that has an address, hence serves requests to it.
    func deployment(
        at address: DeploymentAddress, headers: [(name: String, value: String)], routingHeaders: [String]
    ) -> Deployment? {
        deployments.last { deployment in
            deployment.address.isSameEndpoint(as: address)
                && routingHeaders.allSatisfy { name in
                    value(of: name, in: deployment.additionalHeaders) == value(of: name, in: headers)
                }
        }
    }

    /// Registers an endpoint, as a new deployment or over one with the same address (admin §4.2, steps 4 to 7).
    ///
    /// All or nothing: an error in one service refuses the endpoint.
    ///
    /// - Parameter id: Identity of the deployment, if it is a new one.
    func registering(
        _ endpoint: DiscoveredEndpoint, as request: RegistrationRequest, id: DeploymentID, now: Timestamp
    ) throws(RegistryError) -> (registry: Registry, registration: Registration) {
        let existing = deployment(
            at: request.address, headers: request.additionalHeaders, routingHeaders: request.routingHeaders)
        if let existing, !request.overwrites {
            return (self, Registration(outcome: .existing, deployment: existing))
        }
        for service in endpoint.services where !request.allowsBreakingChanges && !request.overwrites {
            if let active = activeService(service.name), active.kind != service.kind {
                throw .serviceTypeChanged(service: service.name)
            }
        }
        let id = existing?.id ?? id
        let deployment = Deployment(
            id: id, address: request.address, protocolMode: endpoint.protocolMode, httpVersion: endpoint.httpVersion,
            additionalHeaders: request.additionalHeaders, metadata: request.metadata, created: now,
            protocolVersions: endpoint.protocolVersions, sdkVersion: endpoint.sdkVersion,
            services: services(of: endpoint, in: id) { (activeService($0)?.revision ?? 0) &+ 1 })
        let outcome = existing == nil ? Registration.Outcome.created : .overwritten
        return (with(deployment), Registration(outcome: outcome, deployment: deployment))
    }

    /// Changes where or how a deployment is called, and optionally what it offers (admin §4.4).
    func updating(
        _ id: DeploymentID, _ update: DeploymentUpdate, with endpoint: DiscoveredEndpoint
    ) throws(RegistryError) -> (registry: Registry, deployment: Deployment) {
        guard var deployment = deployment(id) else { throw .deploymentNotInRegistry(id) }
        guard deployment.protocolVersions == endpoint.protocolVersions else {
            throw .protocolRangeChanged(from: deployment.protocolVersions, to: endpoint.protocolVersions)
        }
        deployment.address = update.address ?? deployment.address
        deployment.additionalHeaders = update.additionalHeaders ?? deployment.additionalHeaders
        deployment.protocolMode = endpoint.protocolMode
        deployment.httpVersion = endpoint.httpVersion
        deployment.sdkVersion = endpoint.sdkVersion
        if update.replacesServices {
            let former = deployment.services
            deployment.services = services(of: endpoint, in: id) { former[$0]?.revision ?? 1 }
        }
        return (with(deployment), deployment)
    }

    /// Removes a deployment; its services fall back to the highest revision that is left, or disappear.
    func removing(_ id: DeploymentID) throws(RegistryError) -> Registry {
        guard deployment(id) != nil else { throw .deploymentNotInRegistry(id) }
        return without(id)
    }

    /// Changes the settings of a service's active revision. The revision's number stays.
    func modifying(service name: String, _ update: ServiceUpdate) throws(RegistryError) -> Registry {
        guard !update.isEmpty else {
            guard activeService(name) != nil else { throw .serviceUnknown(name) }
            return self
        }
        guard var service = activeService(name), var deployment = deployment(service.deployment) else {
            throw .serviceNotInRegistry(name)
        }
        guard update.settings.workflowCompletionRetention == nil || service.kind == .workflow else {
            throw .workflowRetentionOfOther(kind: service.kind)
        }
        service.isPublic = update.isPublic ?? service.isPublic
        service.settings = update.settings.over(service.settings)
        deployment.services[name] = service
        return with(deployment)
    }

    /// Of several services with one name the last one counts, as upstream.
    private func services(
        of endpoint: DiscoveredEndpoint, in deployment: DeploymentID, revision: (String) -> UInt32
    ) -> [String: ServiceSchema] {
        var services: [String: ServiceSchema] = [:]
        for var service in endpoint.services {
            service.deployment = deployment
            service.revision = revision(service.name)
            services[service.name] = service
        }
        return services
    }

    private func value(of name: String, in headers: [(name: String, value: String)]) -> String? {
        headers.first { $0.name == name }?.value
    }
}
