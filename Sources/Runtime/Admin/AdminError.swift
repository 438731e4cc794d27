import HoldfastEngine
import HoldfastWire

/// An error as operators read it: status, code and text (admin §1.2). All texts of the admin API are below, and those
/// of the registry in `RegistryError`.
struct AdminError: Error, Sendable {
    let status: Int
    /// The documented code (`META0006`), docs/errors.md.
    var code: String?
    let message: String
    var headers: [(name: String, value: String)] = []

    init(_ status: Int, _ message: String) {
        self.status = status
        self.message = message
    }

    init(_ error: RegistryError) {
        status = error.status
        code = error.code
        message = error.message
    }
}

// MARK: - The request as such

extension AdminError {
    static func unknownPath(_ path: String) -> Self {
        Self(404, "There is no '\(path)' in the admin API. GET /openapi lists its paths.")
    }

    static func methodNotAllowed(_ method: String, allowed: [String]) -> Self {
        let allowed = allowed.joined(separator: ",")
        var error = Self(405, "\(method) is not possible here; \(allowed) is.")
        error.headers = [("allow", allowed)]
        return error
    }

    static let unsupportedVersion = Self(
        400, "Unsupported Admin API version V1. This server supports versions between V2 and V4.")

    static func notJSON(_ error: JSONError) -> Self { Self(400, "Failed to parse the request body as JSON: \(error)") }

    static let noJSONContentType = Self(415, "Expected request with `Content-Type: application/json`")

    static func bodyShape(_ fault: String) -> Self {
        Self(422, "Failed to deserialize the JSON body into the target type: \(fault)")
    }

    static func bodyTooLarge(limit: Int) -> Self {
        Self(413, "The request's body is larger than \(limit) bytes, which is the limit.")
    }

    static func badText(_ text: some StringProtocol) -> Self {
        Self(400, "Invalid URL: '\(text)' is not percent-encoded UTF-8")
    }

    static func queryNotBoolean(_ name: String, _ text: String) -> Self {
        Self(
            400,
            "Failed to deserialize query string: \(name): provided string was not `true` or `false` (it was '\(text)')")
    }

    static func queryValue(_ name: String, _ reason: String) -> Self {
        Self(400, "The query parameter '\(name)' is invalid. Reason: \(reason)")
    }

    static func field(_ name: String, _ reason: String) -> Self {
        Self(400, "The request field '\(name)' is invalid. Reason: \(reason)")
    }

    static func pathParameter(_ name: String, _ text: String, _ error: IdentifierError) -> Self {
        Self(400, "Invalid URL: Cannot parse `\(name)` with value `\(text)`: \(error)")
    }
}

// MARK: - Deployments and services

extension AdminError {
    static func deploymentUnknown(_ id: DeploymentID) -> Self {
        Self(404, "The requested deployment '\(id)' does not exist")
    }

    static func deploymentExists(_ id: DeploymentID) -> Self {
        Self(409, "Conflict: deployment \(id) already exists")
    }

    static let putDeprecated = Self(405, "PUT deployment is deprecated, use PATCH instead")

    static let lambdaUpdateOfHTTP = Self(
        400,
        "cannot update the deployment, as the deployment type is http while the update options are for type lambda")

    static let lambdaUnsupported = Self(
        400,
        "AWS Lambda deployments are not supported: this server calls deployments over HTTP only. Register the "
            + "service's HTTP address instead.")

    static let authUnsupported = field(
        "auth", "Google identity tokens are not supported by this server. Put a bearer token into additional_headers.")

    static func deploymentActive(_ id: DeploymentID, service: String) -> Self {
        Self(
            409,
            "The deployment '\(id)' was not removed: new invocations of '\(service)' run on it. Register a newer revision "
                + "elsewhere first, or remove it with `?force=true`.")
    }

    static func deploymentInUse(_ id: DeploymentID, invocations: UInt64) -> Self {
        Self(
            409,
            "The deployment '\(id)' was not removed: \(invocations) invocations that have not completed are pinned to "
                + "it. Wait for them, or remove it with `?force=true`; their next attempts then fail with RT0011 until "
                + "they are resumed elsewhere.")
    }

    static func deploymentUseUnknown(_ id: DeploymentID, _ reason: String?) -> Self {
        Self(
            500,
            "The deployment '\(id)' was not removed: whether invocations need it could not be found out"
                + (reason.map { " (\($0))" } ?? "") + ". Try again, or remove it with `?force=true`.")
    }

    static func serviceUnknown(_ name: String) -> Self { Self(RegistryError.serviceUnknown(name)) }

    static func handlerUnknown(_ handler: String, service: String) -> Self {
        Self(404, "The requested handler '\(handler)' on service '\(service)' does not exist")
    }

    static func stateOfService(_ kind: ServiceKind) -> Self {
        Self(400, "Cannot modify state for service type \(kind.rawValue)")
    }

    static func badScope(_ fault: String) -> Self { Self(400, "bad scope: \(fault)") }
}

// MARK: - Invocations

extension AdminError {
    static func batchTooLarge(_ count: Int, limit: Int) -> Self {
        Self(400, "Batch size \(count) exceeds maximum allowed size of \(limit)")
    }

    static func store(_ message: String) -> Self { Self(500, message) }

    static let engineAnswer = Self(
        500, "The partition gave an answer that does not fit the request. The request may have had its effect.")
}

// MARK: - Kafka

extension AdminError {
    private static let withoutConsumer =
        "This server has no Kafka consumer, so clusters and subscriptions cannot be created. Let a small consumer send "
        + "each record to the ingress, with topic, partition and offset as idempotency key."

    static let kafkaUnsupported = Self(400, withoutConsumer)

    static func clusterWithoutBrokers(_ name: String) -> Self {
        Self(
            400,
            "kafka cluster '\(name)' properties must contain either 'bootstrap.servers' or 'metadata.broker.list'")
    }

    static func subscriptionCluster(_ name: String) -> Self {
        Self(400, "Kafka cluster '\(name)' not found. Available clusters: []. \(withoutConsumer)")
    }

    /// - Parameter side: `source` or `sink`.
    static func subscriptionScheme(_ side: String, _ uri: String, _ scheme: String) -> Self {
        subscriptionURI(side, uri, "must have a scheme segment, with supported schemes: [\(scheme)].")
    }

    static func subscriptionSink(_ uri: String) -> Self {
        subscriptionURI("sink", uri, "cannot find service/handler specified in the sink URI.")
    }

    private static func subscriptionURI(_ side: String, _ uri: String, _ reason: String) -> Self {
        let code = "META0009"
        var error = Self(400, "[\(code)] invalid \(side) URI '\(uri)': \(reason)")
        error.code = code
        return error
    }

    static func clusterUnknown(_ name: String) -> Self {
        Self(404, "The requested kafka cluster '\(name)' does not exist")
    }

    static func subscriptionUnknown(_ id: SubscriptionID) -> Self {
        Self(404, "The requested subscription '\(id)' does not exist")
    }

    static func subscriptionUnknown(in call: AdminCall) throws(AdminError) -> Self {
        let text = call.parameter("subscription")
        do {
            return subscriptionUnknown(try SubscriptionID(text: text))
        } catch {
            throw .pathParameter("subscription", text, error)
        }
    }
}
