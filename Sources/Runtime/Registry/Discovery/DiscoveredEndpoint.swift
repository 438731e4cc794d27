import HoldfastEngine
import HoldfastServiceProtocol
import HoldfastWire

/// What the discovery of an endpoint brought to light.
struct DiscoveredEndpoint: Sendable {
    var protocolMode: ProtocolMode
    var httpVersion: DeploymentHTTPVersion
    var protocolVersions: ClosedRange<Int>
    var sdkVersion: String?
    /// As the manifest declares them; revision and deployment are set when they are registered.
    var services: [ServiceSchema]
}

extension DiscoveredEndpoint {
    /// What a manifest says, if it keeps the rules that it can break by itself (discovery §6.1 to 6.3).
    init(
        _ manifest: Manifest, httpVersion: DeploymentHTTPVersion, sdkVersion: String?
    ) throws(RegistryError) {
        do throws(DiscoveryError) {
            try manifest.check()
        } catch {
            throw RegistryError(error)
        }
        protocolMode = manifest.protocolMode == .requestResponse ? .requestResponse : .bidirectional
        self.httpVersion = httpVersion
        let lowest = Int(clamping: manifest.minProtocolVersion)
        protocolVersions = lowest...max(lowest, Int(clamping: manifest.maxProtocolVersion))
        self.sdkVersion = sdkVersion
        services = []
        for service in manifest.services { services.append(try ServiceSchema(service)) }
    }
}

extension ServiceSchema {
    fileprivate init(_ service: Manifest.Service) throws(RegistryError) {
        name = service.name
        kind = ServiceKind(service.type)
        revision = 0
        deployment = DeploymentID(UInt128(0))
        handlers = [:]
        for handler in service.handlers { handlers[handler.name] = try HandlerSchema(handler, of: service) }
        documentation = service.options.documentation
        metadata = pairs(service.options.metadata)
        isPublic = service.options.ingressPrivate != true
        settings = HandlerSettings(service.options, workflowCompletionRetention: nil)
    }
}

extension HandlerSchema {
    fileprivate init(_ handler: Manifest.Handler, of service: Manifest.Service) throws(RegistryError) {
        name = handler.name
        kind = TargetKind(handler.kind(in: service.type) ?? .shared, in: service.type)
        isPublic = handler.options.ingressPrivate.map { !$0 }
        settings = HandlerSettings(
            handler.options, workflowCompletionRetention: handler.workflowCompletionRetention)
        input = InputRules(
            isDeclared: handler.input != nil, isRequired: handler.input?.isRequired ?? false,
            contentType: handler.input?.contentType,
            jsonSchema: try schema(
                handler.input?.jsonSchema, handler.input?.contentType, "input", service.name, handler.name))
        output = OutputRules(
            isDeclared: handler.output != nil, contentType: handler.output?.contentType,
            setContentTypeIfEmpty: handler.output?.setsContentTypeIfEmpty ?? false,
            jsonSchema: try schema(
                handler.output?.jsonSchema, handler.output?.contentType, "output", service.name, handler.name))
        documentation = handler.options.documentation
        metadata = pairs(handler.options.metadata)
    }
}

/// The text of a schema that can be published; one without a content type is not looked at.
private func schema(
    _ document: JSON?, _ contentType: String?, _ side: String, _ service: String, _ handler: String
) throws(RegistryError) -> String? {
    guard let document, contentType != nil else { return nil }
    if let fault = JSONSchemaCheck.fault(in: document) {
        throw .jsonSchema(service: service, handler: handler, side: side, reason: fault)
    }
    return document.text
}

private func pairs(_ metadata: [String: String]?) -> [(key: String, value: String)] {
    (metadata ?? [:]).sorted { $0.key < $1.key }.map { (key: $0.key, value: $0.value) }
}

extension ServiceKind {
    fileprivate init(_ type: Manifest.ServiceType) {
        switch type {
        case .service: self = .service
        case .virtualObject: self = .virtualObject
        case .workflow: self = .workflow
        }
    }
}

extension TargetKind {
    fileprivate init(_ type: Manifest.HandlerType, in service: Manifest.ServiceType) {
        switch (service, type) {
        case (.service, _): self = .service
        case (.virtualObject, .exclusive): self = .objectExclusive
        case (.virtualObject, _): self = .objectShared
        case (.workflow, .workflow): self = .workflowRun
        case (.workflow, _): self = .workflowShared
        }
    }
}

extension HandlerSettings {
    fileprivate init(_ options: Manifest.Options, workflowCompletionRetention: UInt64?) {
        self.init()
        inactivityTimeout = options.inactivityTimeout
        abortTimeout = options.abortTimeout
        journalRetention = options.journalRetention
        idempotencyRetention = options.idempotencyRetention
        self.workflowCompletionRetention = workflowCompletionRetention
        enableLazyState = options.enableLazyState
        retryInitialInterval = options.retryPolicy.initialInterval
        retryMaxInterval = options.retryPolicy.maxInterval
        retryMaxAttempts = options.retryPolicy.maxAttempts.map { UInt32(clamping: $0) }
        retryFactor = options.retryPolicy.exponentiationFactor.map(Float.init)
        retryOnMaxAttempts = options.retryPolicy.onMaxAttempts.map { $0 == .kill ? .kill : .pause }
    }
}
