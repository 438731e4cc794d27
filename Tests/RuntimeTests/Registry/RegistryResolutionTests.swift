import HoldfastEngine
import HoldfastWire
import Testing

@testable import HoldfastRuntime

@Suite struct RegistryResolutionTests {
    private func resolve(
        handler: HandlerSettings = HandlerSettings(), service: HandlerSettings = HandlerSettings(),
        kind: TargetKind = .service, defaults: InvocationDefaults = InvocationDefaults(),
        mode: ProtocolMode = .bidirectional
    ) -> ResolvedHandler {
        var handlerSchema = HandlerSchema.sample("h", kind)
        handlerSchema.settings = handler
        var serviceSchema = ServiceSchema.sample("S", handlers: [handlerSchema])
        serviceSchema.settings = service
        return ResolvedHandler(handlerSchema, of: serviceSchema, mode: mode, defaults: defaults)
    }

    @Test func `without settings the server's defaults apply`() {
        let resolved = resolve()
        #expect(resolved.inactivityTimeout == 60_000)
        #expect(resolved.abortTimeout == 600_000)
        #expect(resolved.journalRetention == 86_400_000)
        #expect(resolved.keyedCompletionRetention == 86_400_000)
        #expect(!resolved.isLazyState)
        #expect(resolved.retryPolicy == InvocationDefaults().retryPolicy)
    }

    @Test func `each setting comes from the handler, else from the service`() {
        var handler = HandlerSettings()
        handler.abortTimeout = 1
        handler.retryMaxAttempts = 0
        var service = HandlerSettings()
        service.abortTimeout = 2
        service.inactivityTimeout = 3
        service.enableLazyState = true
        service.retryFactor = 1.5
        let resolved = resolve(handler: handler, service: service)
        #expect(resolved.abortTimeout == 1)
        #expect(resolved.inactivityTimeout == 3)
        #expect(resolved.isLazyState)
        #expect(resolved.retryPolicy.factor == 1.5)
        #expect(resolved.retryPolicy.maxAttempts == 1)
        #expect(resolved.retryPolicy.initialInterval == 500)
    }

    @Test func `a request-response deployment has no inactivity timeout`() {
        var service = HandlerSettings()
        service.inactivityTimeout = 3
        #expect(resolve(service: service, mode: .requestResponse).inactivityTimeout == 0)
    }

    @Test func `maximums hold for explicit and default values alike`() {
        var defaults = InvocationDefaults()
        defaults.journalRetentionMax = 10
        defaults.idempotencyRetentionMax = 20
        defaults.workflowCompletionRetentionMax = 30
        defaults.retryMaxAttemptsMax = 5
        var handler = HandlerSettings()
        handler.journalRetention = 11
        handler.retryMaxAttempts = 6
        #expect(resolve(handler: handler, defaults: defaults).journalRetention == 10)
        #expect(resolve(handler: handler, defaults: defaults).retryPolicy.maxAttempts == 5)
        #expect(resolve(defaults: defaults).keyedCompletionRetention == 20)
        #expect(resolve(kind: .workflowRun, defaults: defaults).keyedCompletionRetention == 30)
        #expect(resolve(kind: .workflowShared, defaults: defaults).keyedCompletionRetention == 20)
        defaults.retryPolicy.maxAttempts = nil
        #expect(resolve(defaults: defaults).retryPolicy.maxAttempts == 5)
    }

    @Test func `no journal retention by default is zero`() {
        var defaults = InvocationDefaults()
        defaults.journalRetention = nil
        #expect(resolve(defaults: defaults).journalRetention == 0)
    }

    @Test(arguments: [
        (TargetKind.service, false, 9, 9), (.service, true, 5, 5), (.workflowRun, false, 7, 7),
        (.workflowShared, false, 9, 9), (.objectExclusive, true, 5, 5),
    ])
    func `what an invocation keeps depends on its identity`(
        kind: TargetKind, hasKey: Bool, completion: Int, journal: Int
    ) {
        var handler = HandlerSettings()
        handler.journalRetention = 9
        handler.idempotencyRetention = 5
        handler.workflowCompletionRetention = 7
        let retention = resolve(handler: handler, kind: kind).retention(hasIdempotencyKey: hasKey)
        #expect(retention.completion == UInt64(completion))
        #expect(retention.journal == UInt64(journal))
    }

    @Test func `a handler is public if its service is and it does not hide`() {
        var service = ServiceSchema.sample("S")
        var handler = HandlerSchema.sample("h")
        #expect(handler.isPublic(in: service))
        handler.isPublic = false
        #expect(!handler.isPublic(in: service))
        service.isPublic = false
        handler.isPublic = nil
        #expect(!handler.isPublic(in: service))
    }
}
