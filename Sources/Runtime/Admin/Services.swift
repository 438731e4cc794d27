import HoldfastWire

extension AdminAPI {
    func listServices(_ call: AdminCall) {
        call.respond(.json(200, ["services": .array(registry.services.compactMap(json(of:)))]))
    }

    func showService(_ call: AdminCall) throws(AdminError) {
        let service = try activeService(call)
        call.respond(.json(200, json(of: service) ?? .null))
    }

    /// Changes settings of a service's active revision (admin §5.2).
    func modifyService(_ call: AdminCall) throws(AdminError) {
        let name = call.parameter("service")
        let fields = try JSONFields(body: call)
        var update = ServiceUpdate()
        update.isPublic = try fields.bool("public")
        update.settings.idempotencyRetention = try fields.duration("idempotency_retention")
        update.settings.workflowCompletionRetention = try fields.duration("workflow_completion_retention")
        update.settings.journalRetention = try fields.duration("journal_retention")
        update.settings.inactivityTimeout = try fields.duration("inactivity_timeout")
        update.settings.abortTimeout = try fields.duration("abort_timeout")
        guard !update.isEmpty else { return try showService(call) }
        environment.change { [update] registry throws(RegistryError) in
            let changed = try registry.modifying(service: name, update)
            guard let service = changed.activeService(name) else { throw .serviceUnknown(name) }
            return (changed, service)
        } done: { [self] result in
            call.respond(result) { .json(200, json(of: $0) ?? .null) }
        }
    }

    func listHandlers(_ call: AdminCall) throws(AdminError) {
        let service = try activeService(call)
        let handlers = service.sortedHandlers.compactMap { json(of: $0, in: service) }
        call.respond(.json(200, ["handlers": .array(handlers)]))
    }

    func showHandler(_ call: AdminCall) throws(AdminError) {
        let service = try activeService(call)
        let name = call.parameter("handler")
        guard let handler = service.handlers[name] else { throw .handlerUnknown(name, service: service.name) }
        call.respond(.json(200, json(of: handler, in: service) ?? .null))
    }

    func showServiceOpenAPI(_ call: AdminCall) throws(AdminError) {
        let service = try activeService(call)
        call.respond(.json(200, ServiceOpenAPI(service, ingressURL: environment.settings.ingressURL).document))
    }

    func activeService(_ call: AdminCall) throws(AdminError) -> ServiceSchema {
        let name = call.parameter("service")
        guard let service = registry.activeService(name) else { throw .serviceUnknown(name) }
        return service
    }

    private func json(of service: ServiceSchema) -> JSON? {
        registry.deployment(service.deployment).map {
            ServiceJSON.make(service, of: $0, defaults: registry.defaults)
        }
    }

    private func json(of handler: HandlerSchema, in service: ServiceSchema) -> JSON? {
        registry.deployment(service.deployment).map {
            ServiceJSON.handler(handler, of: service, mode: $0.protocolMode, registry.defaults)
        }
    }
}
