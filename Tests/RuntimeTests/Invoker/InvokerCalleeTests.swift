import HoldfastEngine
import HoldfastServiceProtocol
import HoldfastWire
import Testing

@testable import HoldfastRuntime

@Suite struct InvokerCalleeTests {
    private let now = Timestamp(millis: 1_760_000_000_000)

    private func callee(
        _ request: CalleeResolver.Request, scopes: CalleeResolver.ScopeRules = .init(), seed: UInt64 = 1
    ) throws(PreconditionViolation) -> ResolvedCallee {
        var random = FastRandom(seed: seed)
        let resolver = CalleeResolver(registry: InvokerFixtures.registry, scopes: scopes)
        return try resolver.callee(of: request, now: now, random: &random)
    }

    @Test func `ids with an identity of their own are computed`() throws {
        let keyed = try callee(.init(service: "Greeter", handler: "greet", idempotencyKey: "my-key"))
        #expect(keyed.id.description == "inv_11x6cJlusUs54YqNdo5AAzdYrYOmeoHQrU")
        let object = try callee(.init(service: "Counter", handler: "add", key: "my-counter", idempotencyKey: "abc"))
        #expect(object.id.description == "inv_1l8n0Bsg2WP301dx4d3NQNLVY5b1Tmry3k")
        #expect(object.target.kind == .objectExclusive)
        let run = CalleeResolver.Request(service: "SignUp", handler: "run", key: "wf-1")
        let again = CalleeResolver.Request(service: "SignUp", handler: "run", key: "wf-1", idempotencyKey: "ignored")
        #expect(try callee(run, seed: 1).id == callee(again, seed: 2).id)
    }

    @Test func `other ids are random, in the object's or one of the service's places`() throws {
        let request = CalleeResolver.Request(service: "Counter", handler: "get", key: "my-counter")
        let (one, two) = (try callee(request, seed: 1), try callee(request, seed: 2))
        #expect(one.id != two.id)
        #expect(one.id.partitionKey == 0xf5da_6e20_6131_2cf6 && two.id.partitionKey == 0xf5da_6e20_6131_2cf6)
        #expect(ULID(one.id.uuid).timestamp == now)
        let places = try (0..<20).map { seed in
            try callee(.init(service: "Greeter", handler: "greet"), seed: seed).id.partitionKey
        }
        let buckets = Set((0..<PartitionKey.bucketCount).map { PartitionKey.service("Greeter", bucket: $0) })
        #expect(Set(places).count > 10)
        #expect(Set(places).isSubset(of: buckets))
    }

    @Test func `retention is that of the callee`() throws {
        let send = try callee(.init(service: "Greeter", handler: "greet"))
        #expect(send.completionRetention == 86_400_000)
        #expect(send.journalRetention == 86_400_000)
    }

    @Test func `what a call may not be is told in the order of the checks`() {
        let scoped = CalleeResolver.ScopeRules(allowsScopes: true)
        let cases: [(CalleeResolver.Request, CalleeResolver.ScopeRules, PreconditionViolation)] = [
            (
                .init(service: "Nobody", handler: "greet", key: "k", scope: "s"), .init(),
                .handlerNotFound(service: "Nobody", handler: "greet")
            ),
            (
                .init(service: "Greeter", handler: "none"), .init(),
                .handlerNotFound(service: "Greeter", handler: "none")
            ),
            (.init(service: "Greeter", handler: "greet", key: "k", scope: "s"), .init(), .keyOfService("Greeter")),
            (
                .init(service: "Greeter", handler: "greet", idempotencyKey: "", scope: "s"), .init(), .scopesDisabled
            ),
            (
                .init(service: "Greeter", handler: "greet", scope: "a b"), scoped,
                .invalidScope("value contains characters outside the allowed set [a-zA-Z0-9_.-]")
            ),
            (
                .init(service: "Greeter", handler: "greet", idempotencyKey: "", scope: "s"), scoped,
                .emptyIdempotencyKey
            ),
            (.init(service: "Greeter", handler: "greet", limitKey: "l"), .init(), .limitKeyWithoutScope),
            (.init(service: "Counter", handler: "add", scope: "s"), scoped, .scopedObject),
        ]
        for (request, scopes, violation) in cases {
            #expect(throws: violation) { try callee(request, scopes: scopes) }
        }
    }

    @Test func `an empty scope, an empty limit key and an empty object key are none`() throws {
        let callee = try callee(.init(service: "Counter", handler: "add", key: "", scope: "", limitKey: ""))
        #expect(callee.target.scope == nil)
        #expect(callee.id.partitionKey == PartitionKey.ofKey(""))
    }

    @Test func `scoped calls live in the scope's place`() throws {
        let scoped = CalleeResolver.ScopeRules(allowsScopes: true, allowsScopedObjects: true)
        let callee = try callee(
            .init(service: "Greeter", handler: "greet", idempotencyKey: "my-key", scope: "tenant-a"), scopes: scoped)
        #expect(callee.id.description == "inv_1bCHipEtBoR23fEKjncz7G0jyWo7kTPQz3")
        #expect(callee.target.scope == "tenant-a")
    }

    @Test func `attach names workflows and idempotent requests by computation`() throws {
        let workflow = try CalleeResolver.id(
            of: .workflow(WorkflowTarget(workflowName: "MyWorkflow", workflowKey: "wf-1")))
        #expect(workflow.description == "inv_1jFEjVDI9dt16WD9yJBs6iubtTvgXH215i")
        let request = try CalleeResolver.id(
            of: .idempotentRequest(
                IdempotentRequestTarget(serviceName: "Greeter", handlerName: "greet", idempotencyKey: "my-key")))
        #expect(request.description == "inv_11x6cJlusUs54YqNdo5AAzdYrYOmeoHQrU")
        let object = try CalleeResolver.id(
            of: .idempotentRequest(
                IdempotentRequestTarget(
                    serviceName: "Counter", serviceKey: "my-counter", handlerName: "add", idempotencyKey: "abc")))
        #expect(object.description == "inv_1l8n0Bsg2WP301dx4d3NQNLVY5b1Tmry3k")
    }
}
