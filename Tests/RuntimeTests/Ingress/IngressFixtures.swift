import HoldfastEngine
import HoldfastWire

@testable import HoldfastRuntime

/// The services that the recorded exchanges of `Fixtures/ingress.json` meet.
enum IngressFixtures {
    static func registry(
        withoutGone: Bool = false, settings: HandlerSettings = HandlerSettings()
    ) throws -> Registry {
        let deployment = Deployment(
            id: DeploymentID(1),
            address: try DeploymentAddress(text: "http://localhost:9080"), protocolMode: .bidirectional,
            httpVersion: .http2, additionalHeaders: [], metadata: [],
            created: Timestamp(millis: 1), protocolVersions: 5...7, sdkVersion: nil,
            services: Dictionary(
                uniqueKeysWithValues: services(withoutGone).map { service in
                    var service = service
                    service.settings = settings
                    return (service.name, service)
                }))
        return Registry(deployments: [deployment], rules: RuleBook(), defaults: InvocationDefaults())
    }

    private static func services(_ withoutGone: Bool) -> [ServiceSchema] {
        [
            service(
                "Greeter", .service,
                [
                    handler("greet", input: json), handler("void"), handler("nap", input: json),
                    handler("fail", input: json), handler("awk"),
                ]),
            service(
                "Counter", .virtualObject,
                [
                    handler("add", .objectExclusive, input: json), handler("get", .objectShared),
                    handler("key", .objectExclusive),
                ]),
            service(
                "Quick", .workflow, [handler("run", .workflowRun, input: json), handler("look", .workflowShared)]),
            service("Hidden", .service, [handler("ping", input: json)], isPublic: false),
            service("Raw", .service, raw),
            service("send", .service, [raw("send")]),
            service("Gone", .service, withoutGone ? [raw("other")] : [raw("h")]),
        ]
    }

    private static let json = InputRules(
        isDeclared: true, isRequired: false, contentType: "application/json", jsonSchema: nil)

    private static func handler(
        _ name: String, _ kind: TargetKind = .service,
        input: InputRules = InputRules(isDeclared: true, isRequired: false, contentType: nil, jsonSchema: nil)
    ) -> HandlerSchema {
        HandlerSchema(
            name: name, kind: kind, isPublic: nil, settings: HandlerSettings(), input: input,
            output: OutputRules(
                isDeclared: true, contentType: "application/json", setContentTypeIfEmpty: false, jsonSchema: nil),
            documentation: nil, metadata: [])
    }

    private static func service(
        _ name: String, _ kind: ServiceKind, _ handlers: [HandlerSchema], isPublic: Bool = true
    ) -> ServiceSchema {
        ServiceSchema(
            name: name, kind: kind, revision: 1, deployment: DeploymentID(1),
            handlers: Dictionary(uniqueKeysWithValues: handlers.map { ($0.name, $0) }), documentation: nil,
            metadata: [], isPublic: isPublic, settings: HandlerSettings())
    }

    // MARK: The handlers of the hand-made endpoint

    private static let raw: [HandlerSchema] = [
        raw("echo"),
        raw("noin", input: .init(isDeclared: true, isRequired: false)),
        raw("reqjson", input: .init(isDeclared: true, isRequired: true, contentType: "application/json")),
        raw("optjson", input: .init(isDeclared: true, isRequired: false, contentType: "application/json")),
        raw(
            "schemajson",
            input: .init(
                isDeclared: true, isRequired: false, contentType: "application/json",
                jsonSchema: #"{"type":"string"}"#)),
        raw("text", input: .init(isDeclared: true, isRequired: true, contentType: "text/*")),
        raw("reqonly", input: .init(isDeclared: true, isRequired: true)),
        raw("outnone", output: .init(isDeclared: true, setContentTypeIfEmpty: false)),
        raw("outtext", output: .init(isDeclared: true, contentType: "text/plain", setContentTypeIfEmpty: false)),
        raw("outset", output: .init(isDeclared: true, contentType: "text/plain", setContentTypeIfEmpty: true)),
        raw("hidden", isPublic: false),
        raw("kill1"),
        raw("kill3"),
    ]

    private static func raw(
        _ name: String, input: InputRules = InputRules(isDeclared: false, isRequired: false),
        output: OutputRules = OutputRules(isDeclared: false, setContentTypeIfEmpty: false), isPublic: Bool? = nil
    ) -> HandlerSchema {
        HandlerSchema(
            name: name, kind: .service, isPublic: isPublic, settings: HandlerSettings(), input: input,
            output: output, documentation: nil, metadata: [])
    }
}
