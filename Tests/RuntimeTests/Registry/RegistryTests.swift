import HoldfastEngine
import HoldfastWire
import Testing

@testable import HoldfastRuntime

@Suite struct RegistryTests {
    private let first = DeploymentID(UInt128(1))
    private let second = DeploymentID(UInt128(2))

    @Test func `a new service starts at revision 1 and is active at once`() throws {
        let (registry, registration) = try Registry().registering([.sample("Greeter")], at: "http://h:1", moment: 1)
        #expect(registration.outcome == .created)
        #expect(registration.deployment.id == first)
        #expect(registry.activeService("Greeter")?.revision == 1)
        #expect(registry.activeService("Greeter")?.deployment == first)
        #expect(registry.resolve(service: "Greeter", handler: "greet")?.handler.name == "greet")
        #expect(registry.resolve(service: "Greeter", handler: "nope") == nil)
        #expect(registry.resolve(service: "Nope", handler: "greet") == nil)
    }

    @Test func `every registration at another address is a revision more, and the highest is active`() throws {
        var registry = try Registry().registering([.sample("A"), .sample("B")], at: "http://h:1", moment: 1).registry
        registry = try registry.registering([.sample("A")], at: "http://h:2", moment: 2).registry
        #expect(registry.activeService("A")?.revision == 2)
        #expect(registry.activeService("A")?.deployment == second)
        #expect(registry.activeService("B")?.deployment == first)
        #expect(registry.resolve(service: "A", handler: "greet", on: first)?.service.revision == 1)
        #expect(registry.resolve(service: "B", handler: "greet", on: second) == nil)
        #expect(registry.services.map(\.name) == ["A", "B"])
        #expect(registry.deployments.map(\.id) == [first, second])
    }

    @Test func `a known address without force is answered with what is there`() throws {
        let registry = try Registry().registering([.sample("A")], at: "http://h:1", moment: 1).registry
        let again = try registry.registering([.sample("B")], at: "https://H:1/?q", moment: 2)
        #expect(again.registration.outcome == .existing)
        #expect(again.registration.deployment.id == first)
        #expect(again.registry === registry)
    }

    @Test func `force keeps the id, renews the moment and drops services that are gone`() throws {
        let registry = try Registry().registering([.sample("A"), .sample("B")], at: "http://h:1", moment: 1).registry
        let forced = try registry.registering([.sample("A")], at: "http://h:1", moment: 9, force: true)
        #expect(forced.registration.outcome == .overwritten)
        #expect(forced.registration.deployment.id == first)
        #expect(forced.registration.deployment.created == Timestamp(millis: 9))
        #expect(forced.registry.activeService("A")?.revision == 2)
        #expect(forced.registry.activeService("B") == nil)
    }

    @Test func `force overwrites the newest of several deployments with the address`() throws {
        var registry = try Registry().registering([.sample("A")], at: "http://h:1", moment: 1).registry
        registry = try registry.registering([.sample("A")], at: "http://h:2", moment: 2).registry
        var update = DeploymentUpdate()
        update.address = try .sample("http://h:1")
        registry = try registry.updating(second, update, with: .sample([.sample("A")])).registry
        let forced = try registry.registering([.sample("A")], at: "http://h:1", moment: 3, force: true)
        #expect(forced.registration.deployment.id == second)
    }

    @Test func `a service that changes its type is refused unless that is allowed`() throws {
        let registry = try Registry().registering([.sample("A")], at: "http://h:1", moment: 1).registry
        let changed = [ServiceSchema.sample("A", .virtualObject)]
        #expect(throws: RegistryError.serviceTypeChanged(service: "A")) {
            try registry.registering(changed, at: "http://h:2", moment: 2)
        }
        #expect(
            try registry.registering(changed, at: "http://h:2", moment: 2, breaking: true).registry
                .activeService("A")?.kind == .virtualObject)
        #expect(
            try registry.registering(changed, at: "http://h:1", moment: 2, force: true).registry
                .activeService("A")?.kind == .virtualObject)
    }

    @Test func `routing headers tell deployments with one address apart`() throws {
        func request(_ tenant: String) throws -> RegistrationRequest {
            var request = RegistrationRequest(address: try .sample())
            request.additionalHeaders = [("x-tenant", tenant)]
            request.routingHeaders = ["x-tenant"]
            return request
        }
        let endpoint = DiscoveredEndpoint.sample([.sample("A")])
        let registry = try Registry().registering(
            endpoint, as: request("a"), id: first, now: Timestamp(millis: 1)
        ).registry
        let other = try registry.registering(endpoint, as: request("b"), id: second, now: Timestamp(millis: 2))
        #expect(other.registration.outcome == .created)
        let same = try registry.registering(endpoint, as: request("a"), id: second, now: Timestamp(millis: 2))
        #expect(same.registration.outcome == .existing)
    }

    @Test func `removing a deployment falls back to the next highest revision`() throws {
        var registry = try Registry().registering([.sample("A"), .sample("B")], at: "http://h:1", moment: 1).registry
        registry = try registry.registering([.sample("A"), .sample("C")], at: "http://h:2", moment: 2).registry
        registry = try registry.removing(second)
        #expect(registry.activeService("A")?.deployment == first)
        #expect(registry.activeService("C") == nil)
        #expect(throws: RegistryError.deploymentNotInRegistry(second)) { try registry.removing(second) }
    }

    @Test func `an update without overwrite keeps services, revisions and moment`() throws {
        let registry = try Registry().registering([.sample("A")], at: "http://h:1", moment: 1).registry
        var update = DeploymentUpdate()
        update.address = try .sample("http://h:2/x")
        update.additionalHeaders = [("a", "b")]
        let (updated, deployment) = try registry.updating(first, update, with: .sample([.sample("B")]))
        #expect(deployment.address.description == "http://h:2/x")
        #expect(deployment.additionalHeaders.map(\.value) == ["b"])
        #expect(deployment.created == Timestamp(millis: 1))
        #expect(updated.services.map(\.name) == ["A"])
    }

    @Test func `an overwriting update keeps revision numbers and gives new services 1`() throws {
        var registry = try Registry().registering([.sample("A")], at: "http://h:1", moment: 1).registry
        registry = try registry.registering([.sample("A")], at: "http://h:2", moment: 2).registry
        var update = DeploymentUpdate()
        update.replacesServices = true
        let endpoint = DiscoveredEndpoint.sample([.sample("A", .virtualObject), .sample("N")])
        registry = try registry.updating(second, update, with: endpoint).registry
        #expect(registry.activeService("A")?.revision == 2)
        #expect(registry.activeService("A")?.kind == .virtualObject)
        #expect(registry.activeService("N")?.revision == 1)
    }

    @Test func `an update may not change the range of protocol versions`() throws {
        let registry = try Registry().registering([.sample("A")], at: "http://h:1", moment: 1).registry
        var endpoint = DiscoveredEndpoint.sample([.sample("A")])
        endpoint.protocolVersions = 5...6
        #expect(throws: RegistryError.protocolRangeChanged(from: 5...7, to: 5...6)) {
            try registry.updating(first, DeploymentUpdate(), with: endpoint)
        }
        #expect(throws: RegistryError.deploymentNotInRegistry(second)) {
            try registry.updating(second, DeploymentUpdate(), with: endpoint)
        }
    }

    @Test func `modifying a service changes its active revision only, and its number stays`() throws {
        var registry = try Registry().registering([.sample("A")], at: "http://h:1", moment: 1).registry
        registry = try registry.registering([.sample("A")], at: "http://h:2", moment: 2).registry
        var update = ServiceUpdate()
        update.isPublic = false
        update.settings.abortTimeout = 7
        registry = try registry.modifying(service: "A", update)
        #expect(registry.activeService("A")?.revision == 2)
        #expect(registry.resolve(service: "A", handler: "greet")?.isPublic == false)
        #expect(registry.resolve(service: "A", handler: "greet")?.abortTimeout == 7)
        #expect(registry.resolve(service: "A", handler: "greet", on: first)?.isPublic == true)
        registry = try registry.registering([.sample("A")], at: "http://h:2", moment: 3, force: true).registry
        #expect(registry.resolve(service: "A", handler: "greet")?.isPublic == true)
    }

    @Test func `modifying refuses unknown services and workflow retention of others`() throws {
        let registry = try Registry().registering([.sample("A")], at: "http://h:1", moment: 1).registry
        var update = ServiceUpdate()
        #expect(throws: RegistryError.serviceUnknown("N")) { try registry.modifying(service: "N", update) }
        #expect(try registry.modifying(service: "A", update) === registry)
        update.settings.workflowCompletionRetention = 1
        #expect(throws: RegistryError.serviceNotInRegistry("N")) { try registry.modifying(service: "N", update) }
        #expect(throws: RegistryError.workflowRetentionOfOther(kind: .service)) {
            try registry.modifying(service: "A", update)
        }
    }

    @Test func `error texts begin with their code`() {
        #expect(
            RegistryError.protocolRangeChanged(from: 5...6, to: 5...7).message
                == "[META0016] an update deployment operation must provide an endpoint with the same services and "
                + "handlers. The update tried to change the supported protocol versions from 5..=6 to 5..=7")
        #expect(
            RegistryError.serviceTypeChanged(service: "Counter").message
                == "[META0006] detected a new service revision for 'Counter' changing the service type from previous "
                + "revision. Service type cannot be changed across revisions.")
    }
}
