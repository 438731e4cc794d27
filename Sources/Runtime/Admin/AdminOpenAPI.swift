import HoldfastWire

/// This API as an OpenAPI 3.1 document: what the table of routes says (admin §3).
enum AdminOpenAPI {
    static func document(_ routes: [AdminRoute], version: String) -> JSON {
        var paths = JSONMembers()
        for route in routes where route.summary != nil {
            let methods = paths[route.pattern.text]?.members ?? []
            paths[route.pattern.text] = .object(methods + [JSON.Member(route.method.lowercased(), operation(route))])
        }
        return [
            "openapi": "3.1.0",
            "info": ["title": "Admin API", "version": .string(version)],
            "paths": .object(paths.list),
            "components": ["schemas": ["ErrorDescriptionResponse": error]],
        ]
    }

    private static func operation(_ route: AdminRoute) -> JSON {
        var operation = JSONMembers()
        operation["summary"] = route.summary.map(JSON.string)
        operation["operationId"] = .string(operationID(route))
        operation["tags"] = [.string(String(route.pattern.text.split(separator: "/").first ?? ""))]
        if route.isDeprecated { operation["deprecated"] = true }
        let parameters = route.pattern.names.map { name -> JSON in
            ["name": .string(name), "in": "path", "required": true, "schema": ["type": "string"]]
        }
        if !parameters.isEmpty { operation["parameters"] = .array(parameters) }
        if route.takesJSON {
            operation["requestBody"] = ["required": true, "content": ["application/json": ["schema": true]]]
        }
        operation["responses"] = [
            "2XX": ["description": "Done, or accepted"],
            "default": [
                "description": "What went wrong",
                "content": [
                    "application/json": ["schema": ["$ref": "#/components/schemas/ErrorDescriptionResponse"]]
                ],
            ],
        ]
        return .object(operation.list)
    }

    /// `get_services_service_handlers`: the method and the words of the path.
    private static func operationID(_ route: AdminRoute) -> String {
        let words = route.pattern.text.split { !($0.isLetter || $0.isNumber || $0 == "_") }
        return ([route.method.lowercased()[...]] + words).joined(separator: "_")
    }

    private static let error: JSON = [
        "type": "object",
        "properties": [
            "message": ["type": "string"],
            "restate_code": ["type": ["string", "null"], "description": "The documented code, such as META0003"],
        ],
        "required": ["message"],
    ]
}
