import HoldfastServiceProtocol
import HoldfastWire
import Testing

struct ManifestTests {
    private func read(
        _ text: String, contentType: String? = Manifest.mediaTypes[3], transport: Manifest.Transport = .duplex,
        server: String? = nil
    ) throws(DiscoveryError) -> Manifest {
        try Manifest(response: Bytes(utf8: text), contentType: contentType, transport: transport, server: server)
    }

    private func endpoint(
        mode: String? = "BIDI_STREAM", versions: (Int, Int) = (5, 7), services: String = "[]"
    ) -> String {
        let mode = mode.map { "\"protocolMode\":\"\($0)\"," } ?? ""
        return
            "{\(mode)\"minProtocolVersion\":\(versions.0),\"maxProtocolVersion\":\(versions.1),\"services\":\(services)}"
    }

    private func service(_ type: String, _ handlers: String, name: String = "S", _ more: String = "") -> String {
        endpoint(services: "[{\"name\":\"\(name)\",\"ty\":\"\(type)\",\"handlers\":[\(handlers)]\(more)}]")
    }

    @Test(arguments: Fixtures.sdks) func `the manifests of SDKs are read and break no rule`(sdk: String) throws {
        let manifest = try Manifest(
            response: Fixtures.manifest(of: sdk), contentType: Manifest.mediaTypes[3], transport: .duplex)
        try manifest.check()
        #expect(manifest.protocolMode == .bidirectional)
        #expect(manifest.minProtocolVersion == 5)
        #expect(manifest.maxProtocolVersion == (sdk.hasPrefix("java") ? 6 : 7))
        let counter = try #require(manifest.services.first { $0.name.hasSuffix("Counter") })
        #expect(counter.type == .virtualObject)
        #expect(counter.handlers.first { $0.name == "add" }?.kind(in: .virtualObject) == .exclusive)
        #expect(counter.handlers.first { $0.name == "get" }?.kind(in: .virtualObject) == .shared)
        let workflow = try #require(manifest.services.first { $0.name.hasSuffix("SignUp") })
        #expect(workflow.handlers.first { $0.name == "run" }?.kind(in: .workflow) == .workflow)
    }

    @Test func `the accept header offers the versions in order`() {
        #expect(
            Manifest.acceptHeader
                == "application/vnd.restate.endpointmanifest.v1+json, application/vnd.restate.endpointmanifest.v2+json, "
                + "application/vnd.restate.endpointmanifest.v3+json, application/vnd.restate.endpointmanifest.v4+json")
    }

    @Test func `all fields of all versions are read`() throws {
        let options = """
            "documentation":"doc","metadata":{"a":"b"},"inactivityTimeout":1,"abortTimeout":2,"journalRetention":3,
            "idempotencyRetention":4,"enableLazyState":true,"ingressPrivate":false,"retryPolicyInitialInterval":5,
            "retryPolicyMaxInterval":6,"retryPolicyMaxAttempts":0,"retryPolicyExponentiationFactor":1.5,
            "retryPolicyOnMaxAttempts":"KILL"
            """
        let handler = """
            {"name":"h","ty":"SHARED","workflowCompletionRetention":7,"newerField":[1],
             "input":{"required":true,"contentType":"application/json","jsonSchema":{"z":1,"a":true}},
             "output":{"contentType":"text/plain","setContentTypeIfEmpty":true,"jsonSchema":true},\(options)}
            """
        let manifest = try read(service("VIRTUAL_OBJECT", handler, ",\"newer\":1,\(options)"))
        var expected = Manifest.Options()
        expected.documentation = "doc"
        expected.metadata = ["a": "b"]
        expected.inactivityTimeout = 1
        expected.abortTimeout = 2
        expected.journalRetention = 3
        expected.idempotencyRetention = 4
        expected.enableLazyState = true
        expected.ingressPrivate = false
        expected.retryPolicy.initialInterval = 5
        expected.retryPolicy.maxInterval = 6
        expected.retryPolicy.maxAttempts = 1
        expected.retryPolicy.exponentiationFactor = 1.5
        expected.retryPolicy.onMaxAttempts = .kill
        #expect(manifest.services[0].options == expected)
        let read = manifest.services[0].handlers[0]
        #expect(read.options == expected)
        #expect(read.workflowCompletionRetention == 7)
        #expect(read.input?.isRequired == true && read.input?.contentType == "application/json")
        #expect(read.input?.jsonSchema?.text == "{\"z\":1,\"a\":true}", "schemas are published as they are")
        #expect(read.output?.contentType == "text/plain" && read.output?.setsContentTypeIfEmpty == true)
        #expect(read.output?.jsonSchema == true)
    }

    @Test func `null is absent, and absent options are nil`() throws {
        let manifest = try read(
            service("SERVICE", "{\"name\":\"h\",\"ty\":null,\"input\":{},\"documentation\":null}", ",\"metadata\":null")
        )
        let handler = manifest.services[0].handlers[0]
        #expect(manifest.services[0].options == Manifest.Options())
        #expect(handler.options == Manifest.Options())
        #expect(handler.input?.contentType == nil && handler.input?.isRequired == false)
        #expect(handler.output == nil)
    }

    @Test func `of equal names the last one is kept`() throws {
        let handlers = "{\"name\":\"h\"},{\"name\":\"g\"},{\"name\":\"h\",\"documentation\":\"last\"}"
        let manifest = try read(service("SERVICE", handlers))
        #expect(manifest.services[0].handlers.map(\.name) == ["h", "g"])
        #expect(manifest.services[0].handlers[0].options.documentation == "last")
    }

    @Test func `responses are checked in the order that clients expect`() {
        let list = Manifest.acceptHeader
        let cases: [(String, String?, Manifest.Transport, String?, String)] = [
            (
                "{", nil, .duplex, nil,
                "[META0013] [META0013] received a bad response from the SDK: No content type header was specified. "
                    + "Expected one of '\"\(list)\"' content type."
            ),
            (
                "{", "text/plain", .duplex, nil,
                "[META0013] [META0013] received a bad response from the SDK: Bad content type header: \"text/plain\". "
                    + "Expected one of '\"\(list)\"'"
            ),
            (
                "{", "application/vnd.restate.endpointmanifest.v4+json; charset=utf-8", .duplex, nil,
                "[META0013] [META0013] received a bad response from the SDK: Bad content type header: "
                    + "\"application/vnd.restate.endpointmanifest.v4+json; charset=utf-8\". Expected one of '\"\(list)\"'"
            ),
            (
                "{", Manifest.mediaTypes[0], .duplex, nil,
                "received a bad response from the SDK that cannot be decoded: EOF while parsing an object at line 1 "
                    + "column 1. Discovery response: {"
            ),
            (
                endpoint(mode: nil, versions: (9, 1)), Manifest.mediaTypes[1], .halfDuplex, nil,
                "[META0013] [META0013] received a bad response from the SDK: missing protocol mode"
            ),
            (
                endpoint(versions: (9, 1)), Manifest.mediaTypes[2], .halfDuplex, nil,
                "[META0015] [META0015] the SDK reports itself as being in bidirectional protocol mode, but we are not "
                    + "discovering over a transport that supports it. Discovering with Lambda or HTTP < 1.1 is not supported"
            ),
            (
                endpoint(versions: (2_147_483_648, 1)), Manifest.mediaTypes[3], .duplex, nil,
                "[META0013] [META0013] received a bad response from the SDK: min protocol version must be in "
                    + "[1, 2147483647]"
            ),
            (
                endpoint(versions: (5, 2_147_483_648)), Manifest.mediaTypes[3], .duplex, nil,
                "[META0013] [META0013] received a bad response from the SDK: max protocol version must be in "
                    + "[1, 2147483647]"
            ),
            (
                endpoint(versions: (7, 6)), Manifest.mediaTypes[3], .duplex, nil,
                "[META0013] [META0013] received a bad response from the SDK: Expected min protocol version to be <= max "
                    + "protocol version. Received min protocol version '7', max protocol version '6'"
            ),
            (
                endpoint(versions: (1, 3)), Manifest.mediaTypes[3], .duplex, nil,
                "[META0012] [META0012] unsupported service protocol versions: [1, 3]. Supported versions by this runtime "
                    + "are [5, 7]. Please upgrade the SDK and try registering again."
            ),
            (
                endpoint(versions: (1, 5)), Manifest.mediaTypes[3], .duplex, "restate-sdk-typescript/1.2.9",
                "[META0012] [META0012] unsupported service protocol versions: [1, 1]. Supported versions by this runtime "
                    + "are [5, 7]. Please upgrade the SDK and try registering again."
            ),
        ]
        for (body, contentType, transport, server, text) in cases {
            let error = #expect(throws: DiscoveryError.self) {
                _ = try read(body, contentType: contentType, transport: transport, server: server)
            }
            #expect(error?.text == text)
            #expect(error?.status == 500)
        }
    }

    @Test func `ranges that overlap are accepted`() throws {
        for versions in [(1, 5), (5, 5), (7, 9), (5, 2_147_483_647)] { _ = try read(endpoint(versions: versions)) }
        _ = try read(endpoint(mode: "REQUEST_RESPONSE"), transport: .halfDuplex)
        _ = try read(endpoint(), server: "restate-sdk-typescript/1.3.0")
    }

    @Test(arguments: [
        ("[]", "the document is an array instead of an object"),
        ("{\"maxProtocolVersion\":7,\"services\":[]}", "missing field `minProtocolVersion`"),
        (
            "{\"minProtocolVersion\":0,\"maxProtocolVersion\":7,\"services\":[]}",
            "minProtocolVersion is 0; versions start at 1"
        ),
        ("{\"minProtocolVersion\":5,\"maxProtocolVersion\":7}", "missing field `services`"),
        (
            "{\"minProtocolVersion\":5,\"maxProtocolVersion\":7,\"services\":[{}]}",
            "missing field `name` in services[0]"
        ),
        ("{\"minProtocolVersion\":5,\"maxProtocolVersion\":7,\"services\":7}", "services is 7 instead of an array"),
        (
            "{\"minProtocolVersion\":5,\"maxProtocolVersion\":7,\"services\":[],\"protocolMode\":\"X\"}",
            "protocolMode is \"X\" instead of one of \"BIDI_STREAM\", \"REQUEST_RESPONSE\""
        ),
    ]) func `what is no manifest is refused with the place`(text: String, reason: String) throws {
        let document = try JSON(parsing: text)
        let error = #expect(throws: Manifest.DecodingError.self) { _ = try Manifest(json: document) }
        #expect(error?.description == reason)
    }

    @Test(arguments: [
        ("\"inactivityTimeout\":-1", "services[0].inactivityTimeout is -1 instead of an integer that is not negative"),
        (
            "\"inactivityTimeout\":1.5",
            "services[0].inactivityTimeout is 1.5 instead of an integer that is not negative"
        ),
        (
            "\"inactivityTimeout\":\"1s\"",
            "services[0].inactivityTimeout is a string instead of an integer that is not negative"
        ),
        ("\"enableLazyState\":1", "services[0].enableLazyState is 1 instead of true or false"),
        ("\"metadata\":{\"a\":1}", "services[0].metadata.a is 1 instead of a string"),
        ("\"metadata\":[]", "services[0].metadata is an array instead of an object"),
        (
            "\"retryPolicyOnMaxAttempts\":\"STOP\"",
            "services[0].retryPolicyOnMaxAttempts is \"STOP\" instead of one of \"PAUSE\", \"KILL\""
        ),
        (
            "\"retryPolicyExponentiationFactor\":\"2\"",
            "services[0].retryPolicyExponentiationFactor is a string instead of a number"
        ),
    ]) func `options have their types`(option: String, reason: String) throws {
        let error = #expect(throws: DiscoveryError.self) { _ = try read(service("SERVICE", "", ",\(option)")) }
        #expect(error?.message.contains("cannot be decoded: \(reason). Discovery response: {") == true)
        #expect(error?.code == nil && error?.status == 500)
    }

    @Test func `names have a pattern`() throws {
        for name in ["a", "_a", "_1", "a.b-c_9", "Z"] { _ = try read(service("SERVICE", "", name: name)) }
        for name in ["", "_", "1a", "__a", ".a", "a b", "ä", "aé", "-a"] {
            #expect(throws: DiscoveryError.self, "\(name)") { _ = try read(service("SERVICE", "", name: name)) }
        }
        for name in ["a", "_a", "a_9"] { _ = try read(service("SERVICE", "{\"name\":\"\(name)\"}")) }
        for name in ["a.b", "a-b", "", "9"] {
            #expect(throws: DiscoveryError.self, "\(name)") {
                _ = try read(service("SERVICE", "{\"name\":\"\(name)\"}"))
            }
        }
    }

    @Test func `the kind of a handler follows from its service`() throws {
        let kinds: [(String, [(String?, Manifest.HandlerType?)])] = [
            ("SERVICE", [(nil, .shared), ("EXCLUSIVE", nil), ("SHARED", .shared), ("WORKFLOW", nil)]),
            ("VIRTUAL_OBJECT", [(nil, .exclusive), ("EXCLUSIVE", .exclusive), ("SHARED", .shared), ("WORKFLOW", nil)]),
            ("WORKFLOW", [(nil, .shared), ("EXCLUSIVE", nil), ("SHARED", .shared), ("WORKFLOW", .workflow)]),
        ]
        for (type, handlers) in kinds {
            for (handlerType, kind) in handlers {
                let declared = handlerType.map { ",\"ty\":\"\($0)\"" } ?? ""
                let manifest = try read(service(type, "{\"name\":\"h\"\(declared)}"))
                #expect(manifest.services[0].handlers[0].kind(in: manifest.services[0].type) == kind)
                if kind == nil {
                    #expect(throws: DiscoveryError.self) { try manifest.check() }
                } else {
                    try manifest.check()
                }
            }
        }
    }

    @Test(arguments: [
        (
            "SERVICE", "{\"name\":\"h\",\"ty\":\"WORKFLOW\"}", "",
            "invalid combination of service type and handler type '(Service, Some(Workflow))'"
        ),
        (
            "VIRTUAL_OBJECT", "{\"name\":\"h\",\"ty\":\"WORKFLOW\"}", "",
            "invalid combination of service type and handler type '(VirtualObject, Some(Workflow))'"
        ),
        (
            "WORKFLOW", "{\"name\":\"h\",\"ty\":\"EXCLUSIVE\"}", "",
            "invalid combination of service type and handler type '(Workflow, Some(Exclusive))'"
        ),
        (
            "WORKFLOW", "{\"name\":\"h\",\"workflowCompletionRetention\":1}", "",
            "h sets the workflow_completion_retention, but it's not a WORKFLOW handler"
        ),
        (
            "WORKFLOW", "{\"name\":\"h\",\"ty\":\"WORKFLOW\",\"idempotencyRetention\":1}", "",
            "h sets the idempotency_retention, but it's a WORKFLOW handler"
        ),
        (
            "SERVICE", "{\"name\":\"h\",\"ingressPrivate\":false}", ",\"ingressPrivate\":true",
            "The service S is private, but the h is explicitly set as public. This is not supported. Please make the service "
                + "public, and hide the individual handlers"
        ),
        (
            "SERVICE", "{\"name\":\"h\",\"input\":{\"contentType\":\"json\"}}", "",
            "the handler 'h' input content-type is not valid: can't parse the content-type 'json': must contain one /"
        ),
        (
            "SERVICE", "{\"name\":\"h\",\"input\":{\"contentType\":\"\"}}", "",
            "the handler 'h' input content-type is not valid: can't parse the content-type '': must contain one /"
        ),
        (
            "SERVICE", "{\"name\":\"h\",\"input\":{\"contentType\":\"*/json\"}}", "",
            "the handler 'h' input content-type is not valid: can't parse the content-type '*/json': the wildcard format */subType is not supported"
        ),
        (
            "SERVICE", "{\"name\":\"h\",\"output\":{\"contentType\":\"a\\nb\"}}", "",
            "the handler 'a\nb' output content-type is not valid: failed to parse header value"
        ),
    ]) func `a manifest that breaks a rule is refused with the text clients know`(
        type: String, handler: String, more: String, text: String
    ) throws {
        let manifest = try read(service(type, handler, more))
        let error = #expect(throws: DiscoveryError.self) { try manifest.check() }
        #expect(error?.text == text)
        #expect(error?.status == 400)
    }

    @Test func `reserved names are refused`() throws {
        for name in ["restate", "RestateX", "openapi", "OpenAPI"] {
            let manifest = try read(service("SERVICE", "", name: name))
            let error = #expect(throws: DiscoveryError.self) { try manifest.check() }
            #expect(error?.text == "[META0005] cannot insert/modify service '\(name)' as it contains a reserved name")
            #expect(error?.status == 400)
        }
        for name in ["openapis", "health", "invocation", "_x", "myrestate"] {
            try read(service("SERVICE", "{\"name\":\"restate\"},{\"name\":\"send\"}", name: name)).check()
        }
    }

    @Test(arguments: ["*/*", "text/*", "a/b; c=d", "text/", "/x", "a/b/c"])
    func `media types are accepted as loosely as clients are used to`(contentType: String) throws {
        let handler =
            "{\"name\":\"h\",\"input\":{\"contentType\":\"\(contentType)\"},\"output\":{\"contentType\":\"json\"}}"
        try read(service("SERVICE", handler)).check()
    }
}
