import HoldfastEngine
import HoldfastServiceProtocol
import HoldfastWire
import Testing

@testable import HoldfastRuntime

@Suite struct AdminDeploymentsTests {
    private let unknown = "dp_17sztQp4gnEC1L0OCFM9aEh"

    private func endpoint(_ names: String..., versions: ClosedRange<Int> = 5...7) -> DiscoveredEndpoint {
        var endpoint = DiscoveredEndpoint.sample(names.map { .sample($0) })
        endpoint.protocolVersions = versions
        return endpoint
    }

    // MARK: Registering

    @Test func `a new address is discovered and registered`() throws {
        let fake = AdminFake()
        fake.endpoints = [.success(endpoint("Greeter"))]
        let response = try fake.send(
            "POST", "/deployments",
            """
            {"uri":"http://127.0.0.1:9080","metadata":{"git.commit.sha":"abc","my":"x"},
             "additional_headers":{"X-Api-Key":"k1"},"use_http_11":true,"other":1}
            """)
        #expect(response.status == 201)
        let document = try response.json
        let id = try fake.deploymentID
        #expect(response.header("location") == "deployments/\(id)")
        #expect(document["id"]?.string == id.description)
        #expect(document["services"]?.array?.map { $0["name"]?.string } == ["Greeter"])
        #expect(document["min_protocol_version"] == 5)
        #expect(document["max_protocol_version"] == 7)
        #expect(document["sdk_version"] == "restate-sdk-python/1.3.0")
        let discovery = try #require(fake.discoveries.first)
        #expect(discovery.usesHTTP1)
        #expect(discovery.additionalHeaders.map(\.name) == ["x-api-key"])

        let listed = try fake.send("GET", "/deployments").json
        #expect(
            listed.sorted
                == [
                    "deployments": [
                        [
                            "additional_headers": ["x-api-key": "k1"], "created_at": "2026-01-05T10:20:30.123000000Z",
                            "http_version": "HTTP/2.0", "id": .string(id.description), "max_protocol_version": 7,
                            "metadata": ["git.commit.sha": "abc", "my": "x"], "min_protocol_version": 5,
                            "protocol_type": "BidiStream", "sdk_version": "restate-sdk-python/1.3.0",
                            "services": [["name": "Greeter", "revision": 1]], "uri": "http://127.0.0.1:9080/",
                        ]
                    ]
                ])
        let shown = try fake.send("GET", "/deployments/\(id)").json
        #expect(shown["services"]?.array?.first?["handlers"]?.array?.count == 1)
    }

    @Test func `a deployment without headers, metadata and SDK version leaves them out`() throws {
        let fake = try AdminFake.withServices()
        let deployment = try fake.send("GET", "/deployments").json["deployments"]?.array?.first
        #expect(deployment?["additional_headers"] == nil)
        #expect(deployment?["metadata"] == nil)
        #expect(deployment?["info"] == nil)
    }

    @Test(arguments: [
        ("", #""force":false"#, 200, 1), ("", "", 200, 1), ("", #""force":true"#, 200, 2), ("/v3", "", 200, 1),
        ("/v4", #""dry_run":true"#, 200, 1), ("/v2", "", 201, 2), ("/v2", #""force":null"#, 201, 2),
        ("/v2", #""force":false"#, 409, 1), ("/v4", #""force":true,"dry_run":true"#, 200, 1),
    ])
    func `a known address is kept, overwritten or a conflict`(
        prefix: String, options: String, status: Int, revision: Int
    ) throws {
        let fake = try AdminFake.withServices()
        let id = try fake.deploymentID
        fake.endpoints = [.success(.sample(try AdminFake.sampleServices()))]
        let body = #"{"uri":"http://127.0.0.1:9080/"\#(options.isEmpty ? "" : ",")\#(options)}"#
        let response = try fake.send("POST", "\(prefix)/deployments", body)
        #expect(response.status == status)
        #expect(fake.registry.activeService("Counter")?.revision == UInt32(revision))
        if status == 409 {
            #expect(try response.message == "Conflict: deployment \(id) already exists")
        } else {
            #expect(try response.json["id"]?.string == id.description)
            #expect(response.header("location") == "deployments/\(id)")
        }
        let discovers = options.contains("true") && options.contains("force") || prefix == "/v2" && status == 201
        #expect(fake.discoveries.count == (discovers ? 2 : 1))
    }

    @Test func `a dry run checks everything and changes nothing`() throws {
        let fake = AdminFake()
        fake.endpoints = [.success(endpoint("A"))]
        let response = try fake.send("POST", "/deployments", #"{"uri":"http://h:1","dry_run":true}"#)
        #expect(response.status == 201)
        #expect(try response.json["services"]?.array?.count == 1)
        #expect(fake.registry.deployments.isEmpty)
        let refused = try fake.send("POST", "/deployments", #"{"uri":"http://h:1","dry_run":true}"#)
        #expect(refused.status == 500)
    }

    @Test func `a changed type is refused unless it may break`() throws {
        let fake = try AdminFake.withServices()
        let changed = Result<DiscoveredEndpoint, RegistryError>.success(endpoint("Counter"))
        fake.endpoints = [changed, changed, changed]
        let refused = try fake.send("POST", "/deployments", #"{"uri":"http://127.0.0.1:9082"}"#)
        #expect(refused.status == 409)
        #expect(try refused.json["restate_code"] == "META0006")
        #expect(
            try refused.message
                == "[META0006] detected a new service revision for 'Counter' changing the service type from previous "
                + "revision. Service type cannot be changed across revisions.")
        let body = #"{"uri":"http://127.0.0.1:9082","breaking":true}"#
        #expect(try fake.send("POST", "/deployments", body).status == 201)
        #expect(fake.registry.activeService("Counter")?.revision == 2)
    }

    @Test(arguments: [
        (
            #"{"uri":"foo"}"#, 400,
            "The request field 'uri' is invalid. Reason: The provided uri foo is not absolute, only absolute URIs can be used."
        ),
        (#"{"uri":"http:///x"}"#, 422, nil), (#"{"uri":""}"#, 422, nil), (#"{"uri":5}"#, 422, nil), ("{}", 422, nil),
        ("[]", 422, nil), (#"{"uri":"http://h","force":"x"}"#, 422, nil),
        (#"{"uri":"http://h","additional_headers":{"a b":"c"}}"#, 422, nil),
        (#"{"uri":"http://h","additional_headers":{"a":"b\n"}}"#, 422, nil),
        (#"{"uri":"http://h","metadata":{"a":1}}"#, 422, nil),
        (
            #"{"arn":"arn:aws:nope"}"#, 400,
            "The request field 'arn' is invalid. Reason: A qualified ARN must have 8 components delimited by `:`"
        ),
        (#"{"arn":"arn:aws:lambda:eu-central-1:123456789012:function:f:1"}"#, 400, nil),
        (#"{"uri":"https://h","auth":{"GoogleIdToken":{}}}"#, 400, nil),
    ])
    func `requests that make no sense are refused`(body: String, status: Int, message: String?) throws {
        let fake = AdminFake()
        let response = try fake.send("POST", "/deployments", body)
        #expect(response.status == status)
        let found = try response.message
        if let message { #expect(found == message) }
        #expect(fake.discoveries.isEmpty)
    }

    // MARK: Looking

    @Test func `unknown and malformed ids are told apart`() throws {
        let fake = AdminFake()
        for method in ["GET", "DELETE"] {
            let suffix = method == "DELETE" ? "?force=true" : ""
            let malformed = try fake.send(method, "/deployments/nope\(suffix)")
            #expect(malformed.status == 400)
            #expect(try malformed.message == "Invalid URL: Cannot parse `deployment` with value `nope`: bad format")
        }
        #expect(
            try fake.send("GET", "/deployments/\(unknown)").message
                == "The requested deployment '\(unknown)' does not exist")
        #expect(
            try fake.send("DELETE", "/deployments/\(unknown)?force=true").message
                == "not found in the schema registry: deployment with id '\(unknown)'")
    }

    // MARK: Removing

    @Test func `force removes at once`() throws {
        let fake = try AdminFake.withServices()
        let id = try fake.deploymentID
        #expect(try fake.send("DELETE", "/deployments/\(id)?force=1").status == 400)
        #expect(try fake.send("DELETE", "/deployments/\(unknown)").status == 404)
        #expect(fake.registry.deployments.count == 1)
        let removed = try fake.send("DELETE", "/deployments/\(id)?force=true")
        #expect(removed.status == 202)
        #expect(removed.body.isEmpty)
        #expect(fake.registry.services.isEmpty)
        #expect(fake.queries.isEmpty)
    }

    @Test func `without force only what nobody needs is removed`() throws {
        let fake = try AdminFake.withServices()
        let old = try fake.deploymentID
        let active = try fake.send("DELETE", "/deployments/\(old)?force=false")
        #expect(active.status == 409)
        #expect(try active.message.contains("new invocations of 'Counter' run on it"))
        fake.endpoints = [.success(.sample(try AdminFake.sampleServices()))]
        _ = try fake.send("POST", "/deployments", #"{"uri":"http://newer:1"}"#)

        fake.queryAnswer = .json(200, ["rows": [["n": 2]]])
        let used = try fake.send("DELETE", "/deployments/\(old)")
        #expect(used.status == 409)
        #expect(try used.message.contains("2 invocations"))
        #expect(fake.queries.last?.contains("pinned_deployment_id = '\(old)'") == true)
        fake.queryAnswer = .json(429, ["message": "Too many queries wait already."])
        #expect(try fake.send("DELETE", "/deployments/\(old)").status == 500)
        #expect(fake.registry.deployments.count == 2)
        fake.queryAnswer = .json(200, ["rows": [["n": 0]]])
        #expect(try fake.send("DELETE", "/deployments/\(old)").status == 202)
        #expect(fake.registry.deployments.count == 1)
    }

    // MARK: Updating

    @Test func `an update without anything to change asks nobody`() throws {
        let fake = try AdminFake.withServices()
        let id = try fake.deploymentID
        let before = try fake.send("GET", "/deployments/\(id)").json
        for body in ["{}", #"{"overwrite":true}"#, #"{"uri":null}"#] {
            let response = try fake.send("PATCH", "/deployments/\(id)", body)
            #expect(response.status == 200)
            #expect(try response.json == before)
        }
        #expect(fake.discoveries.count == 1)
    }

    @Test func `an update replaces address and headers, and keeps the rest`() throws {
        let fake = try AdminFake.withServices()
        let id = try fake.deploymentID
        fake.endpoints = [.success(endpoint("Other"))]
        let body = #"{"uri":"http://h:2/x","additional_headers":{"X-Two":"2"}}"#
        let changed = try fake.send("PATCH", "/v4/deployments/\(id)", body).json
        #expect(changed["uri"] == "http://h:2/x")
        #expect(changed["additional_headers"] == ["x-two": "2"])
        #expect(changed["services"]?.array?.count == 3)
        #expect(fake.discoveries.last?.usesHTTP1 == false)
    }

    @Test func `a dry update shows and stores nothing`() throws {
        let fake = try AdminFake.withServices()
        let id = try fake.deploymentID
        let before = try fake.send("GET", "/deployments/\(id)").json
        fake.endpoints = [.success(endpoint("Other"))]
        let body = #"{"uri":"http://h:2","overwrite":true,"dry_run":true}"#
        let shown = try fake.send("PATCH", "/deployments/\(id)", body).json
        #expect(shown["services"]?.array?.map { $0["name"]?.string } == ["Other"])
        #expect(try fake.send("GET", "/deployments/\(id)").json == before)
    }

    @Test func `an update to another protocol range is refused`() throws {
        let fake = try AdminFake.withServices()
        let id = try fake.deploymentID
        fake.endpoints = [.success(endpoint("Greeter", versions: 5...6))]
        let response = try fake.send("PATCH", "/deployments/\(id)", #"{"uri":"http://h:2"}"#)
        #expect(response.status == 400)
        #expect(try response.json["restate_code"] == "META0016")
    }

    @Test func `PUT is an update on version 2 only`() throws {
        let fake = try AdminFake.withServices()
        let id = try fake.deploymentID
        let refused = try fake.send("PUT", "/deployments/\(id)", "{}")
        #expect(refused.status == 405)
        #expect(try refused.message == "PUT deployment is deprecated, use PATCH instead")
        #expect(try fake.send("PUT", "/v2/deployments/\(id)", "{}").status == 200)
    }

    @Test(arguments: [
        (#"{"uri":"relative"}"#, 400), (#"{"assume_role_arn":"arn:aws:iam::1:role/x"}"#, 400), (#"{"arn":"x"}"#, 400),
        (#"{"uri":5}"#, 422),
    ])
    func `updates that make no sense are refused`(body: String, status: Int) throws {
        let fake = try AdminFake.withServices()
        #expect(try fake.send("PATCH", "/deployments/\(try fake.deploymentID)", body).status == status)
        #expect(try fake.send("PATCH", "/deployments/\(unknown)", body).status == 404)
    }

    @Test func `HTTP 1 1 is kept unless the address changes`() throws {
        let fake = AdminFake()
        var endpoint = endpoint("A")
        endpoint.httpVersion = .http1_1
        fake.endpoints = [.success(endpoint), .success(endpoint), .success(endpoint)]
        _ = try fake.send("POST", "/deployments", #"{"uri":"http://h:1","use_http_11":true}"#)
        let path = "/deployments/\(try fake.deploymentID)"
        _ = try fake.send("PATCH", path, #"{"additional_headers":{}}"#)
        #expect(fake.discoveries.last?.usesHTTP1 == true)
        _ = try fake.send("PATCH", path, #"{"uri":"http://h:2"}"#)
        #expect(fake.discoveries.last?.usesHTTP1 == false)
    }
}
