import HoldfastEngine
import HoldfastServiceProtocol
import HoldfastWire

/// Resolves what calls and other commands name: against the registry of this moment, and the rules for identifiers.
///
/// The result is stored with the command, so that replays and retries name the same callee. An attempt that dies before
/// its command is durable leaves nothing behind: the next one draws another random id.
struct CalleeResolver {
    /// Which uses of scopes the configuration allows.
    struct ScopeRules {
        var allowsScopes = false
        var allowsScopedObjects = false
    }

    let registry: Registry
    let scopes: ScopeRules

    /// What a Call or OneWayCall calls.
    struct Request {
        var service: String
        var handler: String
        var key = ""
        var idempotencyKey: String?
        var scope: String?
        var limitKey: String?
    }

    /// The callee of a Call or OneWayCall.
    ///
    /// The order of the checks decides which of several faults is named (semantics §4.1).
    func callee(
        of request: Request, now: Timestamp, random: inout FastRandom
    ) throws(PreconditionViolation) -> ResolvedCallee {
        guard let resolved = registry.resolve(service: request.service, handler: request.handler) else {
            throw .handlerNotFound(service: request.service, handler: request.handler)
        }
        let kind = resolved.handler.kind
        if !kind.isKeyed, !request.key.isEmpty { throw .keyOfService(request.service) }
        let scope = try checkedScope(of: request, kind: kind)
        let target = InvocationTarget(
            service: request.service, key: request.key, handler: request.handler, kind: kind, scope: scope)
        let retention = resolved.retention(hasIdempotencyKey: request.idempotencyKey != nil)
        return ResolvedCallee(
            id: Self.id(of: target, idempotencyKey: request.idempotencyKey, now: now, random: &random), target: target,
            completionRetention: retention.completion, journalRetention: retention.journal)
    }

    private func checkedScope(of request: Request, kind: TargetKind) throws(PreconditionViolation) -> String? {
        let scope = request.scope?.isEmpty == true ? nil : request.scope
        if let scope {
            guard scopes.allowsScopes else { throw .scopesDisabled }
            if let fault = ScopeName.fault(in: scope) { throw .invalidScope(fault) }
        }
        if request.idempotencyKey?.isEmpty == true { throw .emptyIdempotencyKey }
        if let text = request.limitKey, !text.isEmpty {
            do { _ = try LimitKey(text: text) } catch { throw .invalidLimitKey(error.what) }
            guard scope != nil else { throw .limitKeyWithoutScope }
        }
        let isObject = kind == .objectExclusive || kind == .objectShared
        if scope != nil, isObject, !scopes.allowsScopedObjects { throw .scopedObject }
        return scope
    }

    // MARK: - Identifiers

    /// The id of an invocation to be (ids §3, §4): computed where the request has an identity of its own, else random.
    static func id(
        of target: InvocationTarget, idempotencyKey: String?, now: Timestamp, random: inout FastRandom
    ) -> InvocationID {
        let key = target.kind.isKeyed ? target.key : nil
        let uuid: UInt128
        if target.kind == .workflowRun {
            uuid = DeterministicID.workflowRun(scope: target.scope, service: target.service, key: target.key)
        } else if let idempotencyKey {
            uuid = DeterministicID.idempotent(
                scope: target.scope, service: target.service, key: key, handler: target.handler,
                idempotencyKey: idempotencyKey)
        } else {
            uuid = random.ulid(at: now).value
        }
        let partitionKey =
            partitionKey(scope: target.scope, service: target.service, key: key, idempotencyKey: idempotencyKey)
            ?? PartitionKey.service(
                target.service, bucket: UInt64.random(in: 0..<PartitionKey.bucketCount, using: &random))
        return InvocationID(partitionKey: partitionKey, uuid: uuid)
    }

    /// The id of the invocation that an attach or output command names.
    static func id(
        of target: AttachTarget
    ) throws(PreconditionViolation) -> InvocationID {
        switch target {
        case .invocationID(let text):
            do { return try InvocationID(text: text) } catch { throw .invalidInvocationID(text, error.message) }
        case .workflow(let target):
            let scope = try checkedScope(target.scope)
            return InvocationID(
                partitionKey: scope.map(PartitionKey.ofScope) ?? PartitionKey.ofKey(target.workflowKey),
                uuid: DeterministicID.workflowRun(
                    scope: scope, service: target.workflowName, key: target.workflowKey))
        case .idempotentRequest(let target):
            let scope = try checkedScope(target.scope)
            let partitionKey = partitionKey(
                scope: scope, service: target.serviceName, key: target.serviceKey,
                idempotencyKey: target.idempotencyKey)
            return InvocationID(
                partitionKey: partitionKey ?? 0,
                uuid: DeterministicID.idempotent(
                    scope: scope, service: target.serviceName, key: target.serviceKey, handler: target.handlerName,
                    idempotencyKey: target.idempotencyKey))
        }
    }

    private static func checkedScope(_ scope: String?) throws(PreconditionViolation) -> String? {
        guard let scope, !scope.isEmpty else { return nil }
        if let fault = ScopeName.fault(in: scope) { throw .invalidScope(ofTarget: fault) }
        return scope
    }

    /// Nil where nothing but chance decides.
    private static func partitionKey(scope: String?, service: String, key: String?, idempotencyKey: String?) -> UInt64?
    {
        if let scope { return PartitionKey.ofScope(scope) }
        if let key { return PartitionKey.ofKey(key) }
        return idempotencyKey.map { PartitionKey.service(service, bucket: PartitionKey.bucket(idempotencyKey: $0)) }
    }
}
