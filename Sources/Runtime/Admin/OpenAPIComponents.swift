import HoldfastWire

/// What the OpenAPI documents of all services share.
enum OpenAPIComponents {
    static func parameter(_ name: String) -> JSON { ["$ref": .string("#/components/parameters/\(name)")] }

    static func response(_ name: String) -> JSON { ["$ref": .string("#/components/responses/\(name)")] }

    static let parameters: JSON = [
        "key": ["name": "key", "in": "path", "required": true, "schema": ["type": "string"]],
        "idempotencyKeyHeader": [
            "name": "idempotency-key", "in": "header", "required": false, "schema": ["type": "string"],
            "description": "Requests with the same key are one invocation.",
        ],
        "idempotencyKeyPath": [
            "name": "idempotencyKey", "in": "path", "required": true, "schema": ["type": "string"],
            "description": "The idempotency key of the request that is looked for.",
        ],
        "delay": [
            "name": "delay", "in": "query", "required": false, "schema": ["type": "string"], "example": "10s",
            "description": "How long to wait before the invocation starts: `10s`, `1h 30m`, or an ISO 8601 duration.",
        ],
    ]

    static let responses: JSON = [
        "GenericError": error(
            "The request was refused, or the invocation failed.", 500, "Internal server error", "invocation"),
        "InvocationNotFoundError": error("There is no such invocation.", nil, "invocation not found", "ingress"),
        "InvocationNotReadyError": error(
            "The invocation has not completed.", nil, "the invocation exists but has not completed yet", "ingress"),
        "Send": [
            "description": "The invocation is durable.",
            "content": [
                "application/json": [
                    "schema": sendResponse,
                    "example": ["invocationId": "inv_1fmRNvSNVxNp2O9FJ1OlOzP5ytGEhn0IsV", "status": "Accepted"],
                ]
            ],
        ],
    ]

    static let error: JSON = [
        "title": "RestateError", "description": "An error of the ingress or of an invocation.", "type": "object",
        "properties": [
            "code": ["title": "error code", "type": "number"],
            "message": ["title": "Error message", "type": "string"],
            "source": [
                "title": "Error source", "description": "Who failed.", "type": "string",
                "enum": ["ingress", "invocation"],
            ],
            "stacktrace": ["title": "Stacktrace of the error", "type": "string"],
            "metadata": [
                "title": "Additional metadata map", "type": "object", "additionalProperties": ["type": "string"],
            ],
        ],
        "required": ["message", "source"], "additionalProperties": false,
    ]

    static let tags: JSON = [
        ["name": "Request Response", "description": "Call a handler and wait for its result."],
        ["name": "Send", "description": "Call a handler and go on."],
        ["name": "Attach", "description": "Wait for the result of an earlier request."],
        ["name": "Get Output", "description": "Look for the result of an earlier request."],
    ]

    private static let sendResponse: JSON = [
        "title": "RestateSendResponse", "type": "object",
        "properties": [
            "invocationId": ["type": "string"],
            "status": ["type": "string", "enum": ["Accepted", "PreviouslyAccepted"]],
            "executionTime": [
                "type": "string", "format": "date-time", "description": "When a delayed invocation starts.",
            ],
        ],
        "required": ["invocationId", "status"], "additionalProperties": false,
    ]

    private static func error(_ description: String, _ code: Int64?, _ message: String, _ source: String) -> JSON {
        var example = JSONMembers()
        example["code"] = code.map(JSON.integer)
        example["message"] = .string(message)
        example["source"] = .string(source)
        return [
            "description": .string(description),
            "content": [
                "application/json": [
                    "schema": ["$ref": "#/components/schemas/RestateError"], "example": .object(example.list),
                ]
            ],
        ]
    }
}
