import HoldfastEngine
import HoldfastWire

/// How clients call a service through the ingress, as an OpenAPI 3.1 document (admin §5.4).
struct ServiceOpenAPI {
    private let service: ServiceSchema
    private let ingressURL: String?

    init(_ service: ServiceSchema, ingressURL: String?) {
        self.service = service
        self.ingressURL = ingressURL
    }

    var document: JSON {
        var info = JSONMembers()
        info["title"] = .string(service.name)
        info["version"] = .string(String(service.revision))
        info["description"] = service.documentation.map(JSON.string)
        if !service.metadata.isEmpty {
            info["x-restate-extensions"] = .object(service.metadata.map { JSON.Member($0.key, .string($0.value)) })
        }
        let handlers = service.sortedHandlers.filter { $0.isPublic(in: service) }
        var document = JSONMembers()
        document["openapi"] = "3.1.0"
        document["info"] = .object(info.list)
        if let ingressURL, !ingressURL.hasPrefix("unix:") {
            document["servers"] = [["url": .string(ingressURL), "description": "The ingress of this server"]]
        }
        document["paths"] = .object(handlers.flatMap(paths(of:)))
        document["components"] = [
            "parameters": OpenAPIComponents.parameters,
            "responses": OpenAPIComponents.responses,
            "schemas": .object(
                [JSON.Member("RestateError", OpenAPIComponents.error)] + handlers.flatMap(schemas(of:))),
        ]
        document["tags"] = OpenAPIComponents.tags
        return .object(document.list)
    }

    // MARK: Paths

    private func paths(of handler: HandlerSchema) -> [JSON.Member] {
        let key = service.kind.isKeyed ? "/{key}" : ""
        let target = "\(service.name)\(key)/\(handler.name)"
        var paths = [
            JSON.Member("/restate/call/\(target)", ["post": call(handler)]),
            JSON.Member("/restate/send/\(target)", ["post": send(handler)]),
        ]
        let lookup =
            service.kind == .workflow ? "workflow/\(service.name)/{key}" : "invocation/\(target)/{idempotencyKey}"
        if service.kind != .workflow || handler.kind == .workflowRun {
            paths.append(JSON.Member("/restate/\(lookup)/attach", ["get": attach(handler)]))
            paths.append(JSON.Member("/restate/\(lookup)/output", ["get": output(handler)]))
        }
        return paths
    }

    private func call(_ handler: HandlerSchema) -> JSON {
        var operation = JSONMembers()
        operation["summary"] = .string("Call \(handler.name)")
        operation["description"] = .string(
            handler.documentation ?? "Calls \(handler.name) of \(service.name) and waits for its result.")
        operation["operationId"] = .string(handler.name)
        operation["parameters"] = .array(requestParameters)
        operation["requestBody"] = requestBody(handler)
        operation["responses"] = ["200": success(handler), "default": OpenAPIComponents.response("GenericError")]
        return .object(operation.list)
    }

    private func send(_ handler: HandlerSchema) -> JSON {
        var operation = JSONMembers()
        operation["summary"] = .string("Send to \(handler.name)")
        operation["description"] = .string(
            "Calls \(handler.name) of \(service.name), at once or later, and does not wait for its result.")
        operation["operationId"] = .string("\(handler.name)Send")
        operation["tags"] = ["Send"]
        operation["parameters"] = .array(requestParameters + [OpenAPIComponents.parameter("delay")])
        operation["requestBody"] = requestBody(handler)
        operation["responses"] = [
            "200": OpenAPIComponents.response("Send"), "202": OpenAPIComponents.response("Send"),
            "default": OpenAPIComponents.response("GenericError"),
        ]
        return .object(operation.list)
    }

    private func attach(_ handler: HandlerSchema) -> JSON {
        lookup(
            handler, suffix: "Attach", tag: "Attach", summary: "Attach to \(handler.name)",
            description: "Waits for the result of an invocation of \(handler.name).",
            errors: [JSON.Member("404", OpenAPIComponents.response("InvocationNotFoundError"))])
    }

    private func output(_ handler: HandlerSchema) -> JSON {
        lookup(
            handler, suffix: "Output", tag: "Get Output", summary: "Get the output of \(handler.name)",
            description: "Tells the result of an invocation of \(handler.name), if there is one yet.",
            errors: [
                JSON.Member("404", OpenAPIComponents.response("InvocationNotFoundError")),
                JSON.Member("470", OpenAPIComponents.response("InvocationNotReadyError")),
            ])
    }

    private func lookup(
        _ handler: HandlerSchema, suffix: String, tag: String, summary: String, description: String,
        errors: [JSON.Member]
    ) -> JSON {
        var parameters = service.kind.isKeyed ? [OpenAPIComponents.parameter("key")] : []
        if service.kind != .workflow { parameters.append(OpenAPIComponents.parameter("idempotencyKeyPath")) }
        let responses =
            [JSON.Member("200", success(handler))] + errors
            + [JSON.Member("default", OpenAPIComponents.response("GenericError"))]
        return [
            "summary": .string(summary), "description": .string(description),
            "operationId": .string(handler.name + suffix), "tags": [.string(tag)], "deprecated": true,
            "parameters": .array(parameters), "responses": .object(responses),
        ]
    }

    /// The run of a workflow is identified by its key, and has no idempotency key.
    private var requestParameters: [JSON] {
        var parameters = service.kind.isKeyed ? [OpenAPIComponents.parameter("key")] : []
        if service.kind != .workflow { parameters.append(OpenAPIComponents.parameter("idempotencyKeyHeader")) }
        return parameters
    }

    // MARK: Bodies

    /// None for handlers without input.
    private func requestBody(_ handler: HandlerSchema) -> JSON? {
        guard let contentType = handler.input.isDeclared ? handler.input.contentType : "*/*" else { return nil }
        let media = media(handler.input.jsonSchema, "\(handler.name)Request")
        return ["required": .bool(handler.input.isRequired), "content": .object([JSON.Member(contentType, media)])]
    }

    private func success(_ handler: HandlerSchema) -> JSON {
        guard let contentType = handler.output.isDeclared ? handler.output.contentType : "application/json" else {
            return ["description": "Empty response"]
        }
        let media = media(handler.output.jsonSchema, "\(handler.name)Response")
        return ["description": "", "content": .object([JSON.Member(contentType, media)])]
    }

    private func media(_ schema: String?, _ name: String) -> JSON {
        schema == nil ? [:] : ["schema": ["$ref": .string("#/components/schemas/\(name)")]]
    }

    private func schemas(of handler: HandlerSchema) -> [JSON.Member] {
        [
            ("\(handler.name)Request", handler.input.jsonSchema),
            ("\(handler.name)Response", handler.output.jsonSchema),
        ]
        .compactMap { name, text in
            guard let schema = text.flatMap({ try? JSON(parsing: $0) }) else { return nil }
            return JSON.Member(name, Self.rooted(schema, at: "#/components/schemas/\(name)"))
        }
    }

    /// Makes references to the schema's own parts references to the document's.
    private static func rooted(_ schema: JSON, at root: String) -> JSON {
        switch schema {
        case .array(let elements): .array(elements.map { rooted($0, at: root) })
        case .object(let members):
            .object(
                members.map { member in
                    if member.key == "$ref", let reference = member.value.string, reference.hasPrefix("#") {
                        return JSON.Member("$ref", .string(root + reference.dropFirst()))
                    }
                    return JSON.Member(member.key, rooted(member.value, at: root))
                })
        case .null, .bool, .integer, .unsigned, .number, .string: schema
        }
    }
}
