import HoldfastEngine
import HoldfastServiceProtocol
import HoldfastWire

/// A call or a send on its way to the partition, as far as the head of the request decides about it.
///
/// The order of the checks decides which error a client sees when several apply (ingress §4).
struct Submission {
    let verb: SubmitVerb
    let handler: ResolvedHandler
    let target: InvocationTarget
    let id: InvocationID
    let idempotencyKey: String?

    /// Resolves the handler, and gives the invocation its id.
    init(
        _ route: SubmitRoute, _ request: IngressRequest, door: any PartitionDoor, settings: IngressSettings,
        random: inout FastRandom
    ) throws(IngressError) {
        let registry = door.registry
        let now = door.now
        guard let handler = registry.resolve(service: route.service, handler: route.handler) else {
            throw .handlerNotFound(route.handler, of: route.service)
        }
        guard handler.isPublic else { throw .notPublic }
        let kind = handler.handler.kind
        var idempotencyKey = try request.text(ofHeader: "idempotency-key")
        if idempotencyKey != nil, kind == .workflowRun { throw .keyOnWorkflowRun }
        if idempotencyKey == nil, !kind.isWorkflow {
            idempotencyKey = Self.randomKey(for: kind, of: route, door: door, now: now, random: &random)
        }
        if let scope = route.scope { try Self.check(scope, on: kind, settings) }
        guard request.method == "POST" || request.method == "GET" else { throw .methodNotAllowed }
        self.verb = route.verb
        self.handler = handler
        self.idempotencyKey = idempotencyKey
        target = InvocationTarget(
            service: route.service, key: route.key ?? "", handler: route.handler, kind: kind, scope: route.scope)
        id = CalleeResolver.id(of: target, idempotencyKey: idempotencyKey, now: now, random: &random)
    }

    /// A random key makes the result of every request kept, and its id a digest, as clients of today expect it.
    ///
    /// Where the key alone decides about the partition, it is drawn until the door favours that; a few times at most.
    private static func randomKey(
        for kind: TargetKind, of route: SubmitRoute, door: any PartitionDoor, now: Timestamp,
        random: inout FastRandom
    ) -> String {
        var key = random.ulid(at: now).description
        guard kind == .service, route.scope == nil else { return key }
        for _ in 0..<8 {
            let bucket = PartitionKey.bucket(idempotencyKey: key)
            if door.favours(PartitionKey.service(route.service, bucket: bucket)) { break }
            key = random.ulid(at: now).description
        }
        return key
    }

    private static func check(
        _ scope: String, on kind: TargetKind, _ settings: IngressSettings
    ) throws(IngressError) {
        if let fault = ScopeName.fault(in: scope) { throw .badScope(fault) }
        guard settings.scopesEnabled else { throw .scopesDisabled }
        let isObject = kind == .objectExclusive || kind == .objectShared
        if isObject, !settings.scopedObjectsEnabled { throw .scopeOnObject }
    }
}

// MARK: - With the body

extension Submission {
    /// The command's content.
    ///
    /// - Parameter now: When the request was received in full; delays count from then.
    func invokeRequest(
        _ request: IngressRequest, body: Bytes, now: Timestamp
    ) throws(IngressError) -> InvokeRequest {
        let content = RequestContent(
            contentType: try request.text(ofHeader: "content-type"), isEmpty: body.isEmpty)
        if let fault = handler.handler.input.fault(in: content) { throw .badInput(fault) }
        let executionTime = try Self.executionTime(request, now: now)
        let limitKey = try limitKey(request)
        let input = try Self.input(request, body: body)
        if verb == .call, executionTime != nil { throw .delayOnCall }
        let retention = handler.retention(hasIdempotencyKey: idempotencyKey != nil)
        return InvokeRequest(
            id: id, target: target, source: .ingress(nil), input: input, idempotencyKey: idempotencyKey,
            limitKey: limitKey, executionTime: executionTime, completionRetention: retention.completion,
            journalRetention: retention.journal)
    }

    private static func executionTime(
        _ request: IngressRequest, now: Timestamp
    ) throws(IngressError) -> Timestamp? {
        guard let text = request.parameter("delay") else { return nil }
        let time = now.advanced(by: try Delay.milliseconds(text))
        guard time <= .lastOfYear9999 else { throw .badDelay("the execution time lies beyond the year 9999") }
        return time
    }

    private func limitKey(_ request: IngressRequest) throws(IngressError) -> String? {
        guard
            let text = try request.text(ofHeader: "x-restate-limit-key") ?? request.parameter("limit-key"),
            !text.isEmpty
        else { return nil }
        let limitKey: LimitKey
        do throws(WireError) {
            limitKey = try LimitKey(text: text)
        } catch {
            throw .badLimitKey(error.what)
        }
        guard target.scope != nil else { throw .limitKeyWithoutScope }
        return limitKey.description
    }

    /// The Input command: the headers that the handler gets, and the body.
    ///
    /// Of a repeated header the first value counts. `x-restate-ingress-path` comes first.
    private static func input(_ request: IngressRequest, body: Bytes) throws(IngressError) -> Bytes {
        var headers = [Header(key: "x-restate-ingress-path", value: request.path.text)]
        headers.reserveCapacity(request.headers.count + 1)
        for line in request.headers {
            switch line.name {
            case "connection", "host", "idempotency-key", "idempotency-expires": continue
            case let name where headers.contains { $0.key == name }: continue
            case let name:
                headers.append(Header(key: name, value: try IngressRequest.checked(line.value, ofHeader: name)))
            }
        }
        return InputCommand(headers: headers, value: body).payload
    }
}
