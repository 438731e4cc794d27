import HoldfastWire

extension AdminAPI {
    func listDeployments(_ call: AdminCall) {
        let deployments = registry.deployments.map { deployment in
            DeploymentJSON.make(deployment, services: deployment.sortedServices.map(DeploymentJSON.reference))
        }
        call.respond(.json(200, ["deployments": .array(deployments)]))
    }

    func showDeployment(_ call: AdminCall) throws(AdminError) {
        let id = try deploymentID(call)
        guard let deployment = registry.deployment(id) else { throw .deploymentUnknown(id) }
        call.respond(.json(200, detail(of: deployment)))
    }

    /// Registers an endpoint: discovery, then one change of the registry (admin §4.2).
    func register(_ call: AdminCall) throws(AdminError) {
        let fields = try JSONFields(body: call)
        let registration = try RegistrationBody(fields, version: call.version, settings: environment.settings)
        let request = registration.request
        // Without force a known address is answered without asking the endpoint; v2 calls it a conflict.
        if !request.overwrites,
            let existing = registry.deployment(
                at: request.address, headers: request.additionalHeaders, routingHeaders: request.routingHeaders)
        {
            return respond(call, Registration(outcome: .existing, deployment: existing))
        }
        let id = DeploymentID(environment.makeULID())
        environment.discover(registration.discovery) { [self] result in
            switch result {
            case .failure(let error): call.respond(.error(AdminError(error)))
            case .success(let endpoint) where registration.isDryRun:
                respondDryRun(call) { registry, now throws(RegistryError) in
                    try registry.registering(endpoint, as: request, id: id, now: now).registration
                }
            case .success(let endpoint):
                let now = environment.now
                environment.change { registry throws(RegistryError) in
                    let outcome = try registry.registering(endpoint, as: request, id: id, now: now)
                    return (outcome.registry, outcome.registration)
                } done: { [self] result in
                    switch result {
                    case .success(let registration): respond(call, registration)
                    case .failure(let error): call.respond(.error(AdminError(error)))
                    }
                }
            }
        }
    }

    /// Changes a deployment's address, headers or HTTP version (admin §4.4).
    func updateDeployment(_ call: AdminCall) throws(AdminError) {
        let id = try deploymentID(call)
        let fields = try JSONFields(body: call)
        guard let deployment = registry.deployment(id) else { throw .deploymentUnknown(id) }
        guard let body = try UpdateBody(fields, of: deployment) else {
            return call.respond(.json(200, detail(of: deployment)))
        }
        let update = body.update
        environment.discover(body.discovery) { [self] result in
            switch result {
            case .failure(let error): call.respond(.error(AdminError(error)))
            case .success(let endpoint) where body.isDryRun:
                let changed = Result { () throws(RegistryError) in
                    try registry.updating(id, update, with: endpoint).deployment
                }
                call.respond(changed) { .json(200, detail(of: $0)) }
            case .success(let endpoint):
                environment.change { registry throws(RegistryError) in
                    let outcome = try registry.updating(id, update, with: endpoint)
                    return (outcome.registry, outcome.deployment)
                } done: { [self] result in
                    call.respond(result) { .json(200, detail(of: $0)) }
                }
            }
        }
    }

    /// With force at once; else only what nobody needs any more.
    func removeDeployment(_ call: AdminCall) throws(AdminError) {
        let id = try deploymentID(call)
        if try call.flag("force") ?? false { return remove(id, call) }
        guard registry.deployment(id) != nil else { throw .deploymentUnknown(id) }
        if let service = registry.services.first(where: { $0.deployment == id }) {
            throw .deploymentActive(id, service: service.name)
        }
        // Nothing new comes to a deployment without active revisions, so what is counted now only gets less.
        environment.query(Self.pinnedCountQuery(id), accept: "application/json") { [self] response in
            let document = try? JSON(parsing: response.body)
            guard response.status == 200, let count = document?["rows"]?.array?.first?["n"]?.uint else {
                return call.respond(.error(.deploymentUseUnknown(id, document?["message"]?.string)))
            }
            guard count == 0 else { return call.respond(.error(.deploymentInUse(id, invocations: count))) }
            remove(id, call)
        }
    }

    static func pinnedCountQuery(_ id: DeploymentID) -> String {
        "SELECT count(*) AS n FROM sys_invocation WHERE pinned_deployment_id = '\(id)' AND status <> 'completed'"
    }

    private func remove(_ id: DeploymentID, _ call: AdminCall) {
        environment.change { registry throws(RegistryError) in
            (try registry.removing(id), ())
        } done: { result in
            call.respond(result) { .empty(202) }
        }
    }

    private func respondDryRun(
        _ call: AdminCall, _ body: (Registry, Timestamp) throws(RegistryError) -> Registration
    ) {
        do throws(RegistryError) {
            respond(call, try body(registry, environment.now))
        } catch {
            call.respond(.error(AdminError(error)))
        }
    }

    private func respond(_ call: AdminCall, _ registration: Registration) {
        let deployment = registration.deployment
        let status: Int
        switch (registration.outcome, call.version) {
        case (.existing, .v2): return call.respond(.error(.deploymentExists(deployment.id)))
        case (.created, _), (.overwritten, .v2): status = 201
        case (.overwritten, _), (.existing, _): status = 200
        }
        call.respond(
            .json(
                status, DeploymentJSON.registered(deployment, defaults: registry.defaults),
                headers: [("location", "deployments/\(deployment.id)")]))
    }

    private func detail(of deployment: Deployment) -> JSON {
        DeploymentJSON.make(
            deployment,
            services: deployment.sortedServices.map {
                ServiceJSON.make($0, of: deployment, defaults: registry.defaults)
            })
    }

    private func deploymentID(_ call: AdminCall) throws(AdminError) -> DeploymentID {
        let text = call.parameter("deployment")
        do {
            return try DeploymentID(text: text)
        } catch {
            throw .pathParameter("deployment", text, error)
        }
    }
}
