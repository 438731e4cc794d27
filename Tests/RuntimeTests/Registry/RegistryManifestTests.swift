import HoldfastServiceProtocol
import HoldfastWire
import Testing

@testable import HoldfastRuntime

@Suite struct RegistryManifestTests {
    private func endpoint(_ services: String, range: ClosedRange<Int> = 5...7) throws -> DiscoveredEndpoint {
        let text =
            #"{"protocolMode":"BIDI_STREAM","minProtocolVersion":\#(range.lowerBound),"#
            + #""maxProtocolVersion":\#(range.upperBound),"services":\#(services)}"#
        let manifest = try Manifest(json: try JSON(parsing: text))
        return try DiscoveredEndpoint(manifest, httpVersion: .http2, sdkVersion: "sdk/1")
    }

    @Test func `a manifest with everything becomes schemas with everything`() throws {
        let endpoint = try endpoint(
            """
            [{"name":"Full","ty":"VIRTUAL_OBJECT","documentation":"doc s","metadata":{"k":"v","a":"b"},
              "inactivityTimeout":120000,"abortTimeout":1,"journalRetention":5400000,"idempotencyRetention":3,
              "enableLazyState":true,"ingressPrivate":false,"retryPolicyInitialInterval":250,
              "retryPolicyMaxInterval":10000,"retryPolicyMaxAttempts":10,"retryPolicyExponentiationFactor":3,
              "retryPolicyOnMaxAttempts":"KILL",
              "handlers":[
                {"name":"x","ty":"EXCLUSIVE","ingressPrivate":true,"retryPolicyMaxAttempts":0,
                 "input":{"required":true,"contentType":"application/json","jsonSchema":{"type":"string"}},
                 "output":{"contentType":"text/plain","setContentTypeIfEmpty":true}},
                {"name":"y","ty":"SHARED","input":{"jsonSchema":{"type":"zzz"}},"output":{}},
                {"name":"z"}]}]
            """)
        #expect(endpoint.protocolVersions == 5...7)
        #expect(endpoint.protocolMode == .bidirectional)
        let service = try #require(endpoint.services.first)
        #expect(service.kind == .virtualObject)
        #expect(service.metadata.map(\.key) == ["a", "k"])
        #expect(service.isPublic)
        #expect(service.settings.inactivityTimeout == 120_000)
        #expect(service.settings.retryFactor == 3)
        #expect(service.settings.retryOnMaxAttempts == .kill)
        #expect(service.settings.workflowCompletionRetention == nil)
        let exclusive = try #require(service.handlers["x"])
        #expect(exclusive.kind == .objectExclusive)
        #expect(exclusive.isPublic == false)
        #expect(exclusive.settings.retryMaxAttempts == 1)
        #expect(exclusive.input.jsonSchema == #"{"type":"string"}"#)
        #expect(exclusive.output.setContentTypeIfEmpty)
        let shared = try #require(service.handlers["y"])
        #expect(shared.kind == .objectShared)
        #expect(shared.isPublic == nil)
        #expect(shared.input.jsonSchema == nil, "without a content type a schema is not looked at")
        #expect(shared.input.isDeclared)
        #expect(service.handlers["z"]?.kind == .objectExclusive)
        #expect(service.handlers["z"]?.input.isDeclared == false)
    }

    @Test func `handlers of each type of service have their kinds`() throws {
        let services = try endpoint(
            """
            [{"name":"S","ty":"SERVICE","handlers":[{"name":"a"},{"name":"b","ty":"SHARED"}]},
             {"name":"W","ty":"WORKFLOW","handlers":[{"name":"a"},{"name":"b","ty":"SHARED"},
               {"name":"run","ty":"WORKFLOW","workflowCompletionRetention":3600000}]}]
            """
        ).services
        #expect(services[0].sortedHandlers.map(\.kind) == [.service, .service])
        #expect(services[1].sortedHandlers.map(\.kind) == [.workflowShared, .workflowShared, .workflowRun])
        #expect(services[1].runHandler?.settings.workflowCompletionRetention == 3_600_000)
    }

    @Test func `an endpoint may serve nothing`() throws {
        #expect(try endpoint("[]").services.isEmpty)
    }

    @Test(arguments: [
        (
            #"{"name":"restateFoo","ty":"SERVICE","handlers":[]}"#, "META0005",
            "[META0005] cannot insert/modify service 'restateFoo' as it contains a reserved name"
        ),
        (
            #"{"name":"S","ty":"SERVICE","handlers":[{"name":"h","ty":"EXCLUSIVE"}]}"#, nil,
            "invalid combination of service type and handler type '(Service, Some(Exclusive))'"
        ),
        (
            #"{"name":"S","ty":"SERVICE","handlers":[{"name":"h","input":{"contentType":"nope"}}]}"#, nil,
            "the handler 'h' input content-type is not valid: can't parse the content-type 'nope': must contain one /"
        ),
        (
            #"{"name":"FakeSvc","ty":"SERVICE","handlers":[{"name":"h","input":{"contentType":"a/b","#
                + #""jsonSchema":{"type":"zzz"}}}]}"#, nil,
            #"the json schema for FakeSvc/h input is invalid: "zzz" is not valid under any of the schemas listed in "#
                + "the 'anyOf' keyword"
        ),
        (
            #"{"name":"FakeSvc","ty":"SERVICE","handlers":[{"name":"h","output":{"contentType":"a/b","jsonSchema":5}}]}"#,
            nil, #"the json schema for FakeSvc/h output is invalid: 5 is not of types "boolean", "object""#
        ),
    ])
    func `a manifest that breaks a rule is refused as a whole`(service: String, code: String?, message: String) throws {
        let error = #expect(throws: RegistryError.self) {
            try endpoint(#"[{"name":"Good","ty":"SERVICE","handlers":[]},\#(service)]"#)
        }
        #expect(error?.status == 400)
        #expect(error?.code == code)
        #expect(error?.message == message)
    }
}
