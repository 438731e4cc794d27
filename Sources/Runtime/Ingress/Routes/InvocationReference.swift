import HoldfastWire

/// An invocation as clients name it: by its id, or by what its id is computed from (ingress §3).
enum InvocationReference: Equatable {
    case invocation(InvocationID)
    case workflow(name: String, key: String, scope: String?)
    /// `key` is nil for plain services.
    case idempotent(service: String, key: String?, handler: String, idempotencyKey: String, scope: String?)

    /// The id. Whether there is such an invocation, or even such a service, is another question.
    var id: InvocationID {
        switch self {
        case .invocation(let id): id
        case .workflow(let name, let key, let scope):
            InvocationID(
                partitionKey: scope.map(PartitionKey.ofScope) ?? PartitionKey.ofKey(key),
                uuid: DeterministicID.workflowRun(scope: scope, service: name, key: key))
        case .idempotent(let service, let key, let handler, let idempotencyKey, let scope):
            InvocationID(
                partitionKey: scope.map(PartitionKey.ofScope) ?? key.map(PartitionKey.ofKey)
                    ?? PartitionKey.service(service, bucket: PartitionKey.bucket(idempotencyKey: idempotencyKey)),
                uuid: DeterministicID.idempotent(
                    scope: scope, service: service, key: key, handler: handler, idempotencyKey: idempotencyKey))
        }
    }
}

// MARK: - Parsing

extension InvocationReference {
    /// Reads the JSON body of an attach, output or lookup request; members with other names are ignored.
    ///
    /// - Parameter kind: How messages call the body: `lookup` or `request`.
    init(body: Bytes, kind: String) throws(IngressError) {
        let json: JSON
        do throws(JSONError) {
            json = try JSON(parsing: body)
        } catch {
            throw .badTargetBody(kind, error.description)
        }
        guard json.members != nil else { throw .badTargetBody(kind, "expected an object with the member `target`") }
        let members = Members(json: json, kind: kind)
        switch try members.required("target") {
        case "invocation":
            let text = try members.required("invocationId")
            do throws(IdentifierError) {
                self = .invocation(try InvocationID(text: text))
            } catch {
                throw .badInvocationID(text, error)
            }
        case "workflow":
            self = .workflow(
                name: try members.required("workflowName"), key: try members.required("workflowKey"),
                scope: try members.scope())
        case "idempotentInvocation":
            self = .idempotent(
                service: try members.required("service"), key: try members.optional("key"),
                handler: try members.required("handler"), idempotencyKey: try members.required("idempotencyKey"),
                scope: try members.scope())
        case let other:
            throw .badTargetBody(
                kind,
                "unknown variant `\(other)`, expected one of `workflow`, `idempotentInvocation`, `invocation`")
        }
    }

    private struct Members {
        let json: JSON
        let kind: String

        func required(_ name: String) throws(IngressError) -> String {
            guard let text = try optional(name) else { throw .badTargetBody(kind, "missing field `\(name)`") }
            return text
        }

        /// A text; null counts as absent.
        func optional(_ name: String) throws(IngressError) -> String? {
            guard let value = json[name], !value.isNull else { return nil }
            guard let text = value.string else {
                throw .badTargetBody(kind, "invalid type of field `\(name)`, expected a string")
            }
            return text
        }

        func scope() throws(IngressError) -> String? {
            guard let scope = try optional("scope") else { return nil }
            if let fault = ScopeName.fault(in: scope) { throw .badScope(fault) }
            return scope
        }
    }
}
