import HoldfastEngine
import HoldfastStorage
import HoldfastWire
import Testing

@testable import HoldfastRuntime

@Suite struct RegistryRecordsTests {
    /// A registry that uses every field.
    private func fullRegistry() throws -> Registry {
        var handler = HandlerSchema.sample("run", .workflowRun)
        handler.isPublic = false
        handler.documentation = "doc"
        handler.metadata = [("a", "b")]
        handler.settings.workflowCompletionRetention = 5
        handler.settings.retryFactor = 1.5
        handler.settings.retryMaxAttempts = 3
        handler.settings.retryOnMaxAttempts = .kill
        handler.settings.enableLazyState = true
        handler.input = InputRules(
            isDeclared: true, isRequired: true, contentType: "application/json", jsonSchema: #"{"type":"string"}"#)
        handler.output = OutputRules(
            isDeclared: true, contentType: "text/plain", setContentTypeIfEmpty: true, jsonSchema: "true")
        var service = ServiceSchema.sample("Flow", .workflow, handlers: [handler, .sample("look", .workflowShared)])
        service.documentation = "words"
        service.isPublic = false
        service.metadata = [("k", "v"), ("a", "")]
        service.settings.journalRetention = UInt64.max
        var request = RegistrationRequest(address: try .sample("https://h:1/x?y"))
        request.additionalHeaders = [("x-a", "1"), ("x-b", "ü")]
        request.metadata = [("git", "abc")]
        let endpoint = DiscoveredEndpoint(
            protocolMode: .requestResponse, httpVersion: .http1_1, protocolVersions: 5...6, sdkVersion: nil,
            services: [service])
        var registry = try Registry().registering(
            endpoint, as: request, id: DeploymentID(UInt128(1) << 90), now: Timestamp(millis: 17)
        ).registry
        registry = try registry.registering([.sample("Greeter")], at: "http://h:2", moment: 5).registry
        var rules = RuleBook()
        _ = try rules.upsert(
            [
                RuleChange(pattern: "a/*", concurrency: 4, description: "d", isDisabled: true),
                RuleChange(pattern: "b"),
            ], now: Timestamp(millis: 3))
        return registry.with(rules)
    }

    /// Everything that a registry holds, in a fixed order.
    private func descriptions(_ registry: Registry) -> [String] {
        registry.deployments.flatMap { deployment in
            var alone = deployment
            alone.services = [:]
            let services = deployment.sortedServices.flatMap { service in
                var alone = service
                alone.handlers = [:]
                return ["\(alone)"] + service.sortedHandlers.map { "\($0)" }
            }
            return ["\(alone)"] + services
        }
    }

    private func pairs(_ changes: [RegistryRecords.Change]) -> [(key: Bytes, value: Bytes)] {
        changes.compactMap { change in change.value.map { (change.key[...], $0) } }
    }

    @Test func `what was written is read back`() throws {
        let registry = try fullRegistry()
        let changes = RegistryRecords.changes(from: Registry(), to: registry)
        #expect(changes.count == 3)
        let read = try RegistryRecords.registry(of: pairs(changes), defaults: InvocationDefaults())
        #expect(read.rules == registry.rules)
        #expect(descriptions(read) == descriptions(registry))
        #expect(read.activeService("Flow")?.settings.journalRetention == UInt64.max)
        let again = RegistryRecords.changes(from: Registry(), to: read)
        #expect(again.map(\.value) == changes.map(\.value))
    }

    @Test func `a store gives back what a transaction put`() throws {
        let store = MemoryStore()
        let transaction = store.transaction()
        let registry = try fullRegistry()
        for (key, value) in RegistryRecords.changes(from: Registry(), to: registry) {
            if let value { transaction.put(.metadata, key, value) }
        }
        transaction.put(.metadata, Array("registry".utf8), [1])
        transaction.put(.metadata, Array("registry/x".utf8), [1])
        transaction.put(.metadata, Array("registryx".utf8), [1])
        _ = try store.commit(transaction)
        let read = try RegistryRecords.read(from: store.snapshot(), defaults: InvocationDefaults())
        #expect(read.deployments.count == 2)
        #expect(read.rules.rules.count == 2)
    }

    @Test func `only what changed is written`() throws {
        let registry = try fullRegistry()
        #expect(RegistryRecords.changes(from: registry, to: registry).isEmpty)
        let removed = try registry.removing(DeploymentID(UInt128(5)))
        let changes = RegistryRecords.changes(from: registry, to: removed)
        #expect(changes.count == 1)
        #expect(changes.first?.value == nil)
        var update = ServiceUpdate()
        update.isPublic = true
        let modified = try registry.modifying(service: "Flow", update)
        #expect(RegistryRecords.changes(from: registry, to: modified).count == 1)
        var rules = registry.rules
        _ = try rules.remove([("b", nil)])
        #expect(RegistryRecords.changes(from: registry, to: registry.with(rules)).map(\.key.count) == [14])
    }

    @Test func `a record of a newer format and one that is damaged are told apart`() throws {
        let key = Array("registry/rules".utf8)[...]
        let cases: [(value: Bytes, code: StorageError.Code)] = [
            ([2, 0x7B, 0x7D], .tooNew), ([], .damaged), ([1, 0x7B], .damaged), ([1, 0x7B, 0x7D], .damaged),
        ]
        for (value, code) in cases {
            let error = #expect(throws: StorageError.self) {
                try RegistryRecords.registry(of: [(key, value)], defaults: InvocationDefaults())
            }
            #expect(error?.code == code)
        }
    }
}
