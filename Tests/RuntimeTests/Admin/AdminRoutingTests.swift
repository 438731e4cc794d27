import HoldfastWire
import Testing

@testable import HoldfastRuntime

@Suite struct AdminRoutingTests {
    @Test(arguments: ["", "/v2", "/v3", "/v4"])
    func `every route exists under each prefix`(prefix: String) throws {
        let fake = AdminFake()
        #expect(try fake.send("GET", "\(prefix)/health").status == 200)
        #expect(try fake.send("GET", "\(prefix)/services").json == ["services": []])
        #expect(try fake.send("GET", "\(prefix)/deployments").json == ["deployments": []])
        #expect(try fake.send("POST", "\(prefix)/internal/invocations_batch_operations/kill", "{}").status == 422)
    }

    @Test func `version 1 is refused and version 5 unknown`() throws {
        let fake = AdminFake()
        let old = try fake.send("GET", "/v1/version")
        #expect(old.status == 400)
        #expect(
            try old.message
                == "Unsupported Admin API version V1. This server supports versions between V2 and V4.")
        #expect(try fake.send("GET", "/v5/version").status == 404)
    }

    @Test(arguments: [
        "/nope", "/services/", "/v4/", "/services/a/b", "/deployments//", "/internal/services/S/serdes/decode/",
    ])
    func `other paths are unknown`(path: String) throws {
        let response = try AdminFake().send("GET", path)
        #expect(response.status == 404)
        #expect(try response.message.contains(path))
    }

    @Test(arguments: [
        ("DELETE", "/services", "GET,HEAD"), ("OPTIONS", "/services", "GET,HEAD"),
        ("GET", "/invocations/inv_1fmRNvSNVxNp2O9FJ1OlOzP5ytGEhn0IsV", "DELETE"), ("GET", "/limits/rules", "PUT"),
        ("PUT", "/services/S", "GET,HEAD,PATCH"), ("GET", "/query", "POST"),
    ])
    func `another method is answered with those that are allowed`(method: String, path: String, allow: String) throws {
        let response = try AdminFake().send(method, path)
        #expect(response.status == 405)
        #expect(response.header("allow") == allow)
        _ = try response.message
    }

    @Test func `HEAD has the answer of GET`() throws {
        let fake = AdminFake()
        let response = try fake.send("HEAD", "/services")
        #expect(response.status == 200)
        #expect(try response.body == fake.send("GET", "/services").body)
        #expect(try fake.send("HEAD", "/nope").status == 404)
        #expect(try fake.send("HEAD", "/query").status == 405)
    }

    @Test(arguments: [
        (nil, 415), ("text/plain", 415), ("application/jsonx", 415), ("application/json", 400),
        ("application/json; charset=utf-8", 400), ("Application/JSON", 400), ("application/problem+json", 400),
    ])
    func `routes that take JSON ask for its content type`(contentType: String?, status: Int) throws {
        let fake = AdminFake()
        let response = try fake.send("POST", "/deployments", "{bad", contentType: contentType)
        #expect(response.status == status)
        #expect(
            try response.message
                == (status == 415
                    ? "Expected request with `Content-Type: application/json`"
                    : "Failed to parse the request body as JSON: key must be a string at line 1 column 2"))
    }

    @Test func `a body of the wrong type is not looked at by PATCH of an invocation`() throws {
        let path = "/invocations/inv_1fmRNvSNVxNp2O9FJ1OlOzP5ytGEhn0IsV/kill"
        #expect(try AdminFake().send("PATCH", path, "").status == 200)
        #expect(try AdminFake().send("PATCH", path, "rubbish", contentType: "x").status == 200)
    }

    @Test func `parameters of the path are decoded`() throws {
        let response = try AdminFake().send("GET", "/services/a%2Fb%25%C3%BC+")
        #expect(try response.message == "The requested service 'a/b%ü+' does not exist")
        #expect(try AdminFake().send("GET", "/services/%FF").status == 400)
    }

    @Test func `the UI's addresses lead to its page`() throws {
        let fake = AdminFake()
        for (path, location) in [("/?a=b", "/ui/?a=b"), ("/ui?a=b", "/ui/?a=b"), ("/v4", "/ui/"), ("/ui", "/ui/")] {
            let response = try fake.send("GET", path)
            #expect(response.status == 308)
            #expect(response.header("location") == location)
        }
        for path in ["/ui/", "/ui/invocations/inv_1", "/v4/ui/", "/ui/assets/x.js"] {
            let response = try fake.send("GET", path)
            #expect(response.status == 200)
            #expect(response.header("content-type") == "text/html; charset=utf-8")
        }
        fake.settings.hasUI = false
        #expect(try fake.send("GET", "/ui/").status == 404)
        #expect(try fake.send("GET", "/").status == 404)
    }

    @Test func `the version tells what clients need`() throws {
        let fake = AdminFake()
        fake.settings.features = ["protocol_v7"]
        let version = try fake.send("GET", "/version").json
        #expect(version["version"] == "1.7.12+holdfast.0.1.0")
        #expect(version["min_admin_api_version"] == 2)
        #expect(version["max_admin_api_version"] == 4)
        #expect(version["ingress_endpoint"] == "http://127.0.0.1:8080/")
        let features = try #require(version["features"]?.members)
        #expect(features.count == 12)
        #expect(features.filter { $0.value == true }.map(\.key) == ["protocol_v7"])
    }

    @Test func `the cluster has one member`() throws {
        #expect(
            try AdminFake().send("GET", "/cluster-health").json
                == ["cluster_name": "localcluster", "metadata_cluster_health": ["members": [1]]])
    }

    @Test func `the OpenAPI document has the public routes`() throws {
        let document = try AdminFake().send("GET", "/v3/openapi").json
        #expect(document["openapi"] == "3.1.0")
        let paths = try #require(document["paths"]?.members).map(\.key)
        #expect(paths.contains("/deployments/{deployment}"))
        #expect(paths.contains("/invocations/{invocation_id}/restart-as-new"))
        #expect(!paths.contains("/openapi"))
        #expect(!paths.contains { $0.hasPrefix("/internal") || $0.hasPrefix("/ui") || $0 == "/" })
        let deployment = document["paths"]?["/deployments/{deployment}"]
        #expect(deployment?.members?.map(\.key) == ["get", "patch", "delete"])
        #expect(document["paths"]?["/cluster-health"]?["get"]?["deprecated"] == true)
    }

    @Test func `queries go to the engine of queries`() throws {
        let fake = AdminFake()
        #expect(try fake.send("POST", "/query", #"{"query":"select 1"}"#).json["sql"] == "select 1")
        let missing = try fake.send("POST", "/query", #"{"sql":"x"}"#)
        #expect(missing.status == 422)
        #expect(try missing.message.hasSuffix("missing field `query`"))
    }

    @Test func `Kafka's routes are there, and creation is refused clearly`() throws {
        let fake = AdminFake()
        #expect(try fake.send("GET", "/subscriptions?sink=x").json == ["subscriptions": []])
        #expect(try fake.send("GET", "/kafka-clusters").json == ["clusters": []])
        let cluster = #"{"name":"k1","properties":{"bootstrap.servers":"127.0.0.1:1"}}"#
        let created = try fake.send("POST", "/kafka-clusters", cluster)
        #expect(created.status == 400)
        #expect(try created.message.contains("no Kafka consumer"))
        let id = "sub_17sztQp4gnEC1L0OCFM9aEh"
        #expect(
            try fake.send("GET", "/subscriptions/\(id)").message == "The requested subscription '\(id)' does not exist")
        #expect(try fake.send("DELETE", "/subscriptions/\(id)").status == 404)
        #expect(try fake.send("GET", "/subscriptions/nope").status == 400)
        #expect(try fake.send("DELETE", "/kafka-clusters/k1?force=true").status == 404)
        #expect(try fake.send("GET", "/kafka-clusters/k1").status == 404)
    }

    @Test(
        arguments: [
            (
                "POST", "/kafka-clusters", #"{"name":"k1","properties":{}}"#, 400, nil,
                "kafka cluster 'k1' properties must contain either 'bootstrap.servers' or 'metadata.broker.list'"
            ),
            ("POST", "/kafka-clusters", #"{"name":"a/b","properties":{}}"#, 422, nil, "cannot be the authority"),
            ("POST", "/kafka-clusters", #"{"name":"k1"}"#, 422, nil, "missing field `properties`"),
            ("PATCH", "/kafka-clusters/k1", "{}", 422, nil, "missing field `properties`"),
            ("PATCH", "/kafka-clusters/k1", #"{"properties":{}}"#, 404, nil, "'k1' does not exist"),
            ("DELETE", "/kafka-clusters/k1?force=maybe", nil, 400, nil, "`true` or `false`"),
            ("GET", "/kafka-clusters/k1?include_subscriptions=maybe", nil, 400, nil, "`true` or `false`"),
            ("POST", "/subscriptions", "{}", 422, nil, "missing field `source`"),
            ("POST", "/subscriptions", #"{"source":"","sink":"service://Greeter/greet"}"#, 422, nil, "is no URI"),
            (
                "POST", "/subscriptions", #"{"source":"http://k1/t","sink":"service://Greeter/greet"}"#, 400,
                "META0009",
                "invalid source URI 'http://k1/t': must have a scheme segment, with supported schemes: [kafka]."
            ),
            (
                "POST", "/subscriptions", #"{"source":"kafka://k1/t","sink":"Greeter"}"#, 400, "META0009",
                "invalid sink URI 'Greeter': must have a scheme segment"
            ),
            (
                "POST", "/subscriptions", #"{"source":"kafka://k1/t","sink":"service://Greeter/nope"}"#, 400,
                "META0009",
                "cannot find service/handler specified in the sink URI."
            ),
            (
                "POST", "/subscriptions", #"{"source":"kafka://k1","sink":"service://Greeter/greet"}"#, 400, nil,
                "Kafka cluster 'k1' not found. Available clusters: []"
            ),
        ] as [(String, String, String?, Int, String?, String)])
    func `what is wrong with a request about Kafka is said first`(
        method: String, path: String, body: String?, status: Int, code: String?, message: String
    ) throws {
        let response = try AdminFake.withServices().send(method, path, body)
        #expect(response.status == status)
        #expect(try response.message.contains(message))
        #expect(try response.json["restate_code"] == JSON(code))
    }

    @Test func `queues accept well-formed ids`() throws {
        let fake = AdminFake()
        let id = "vq_1fmRNvSNVxNp2O9FJ1OlOzP5ytGEhn0IsV"
        #expect(try fake.send("POST", "/vqueues/\(id)/pause").status == 202)
        #expect(
            try fake.send("POST", "/vqueues/zzz/pause").message
                == "The request field 'vqueue_id' is invalid. Reason: bad format")
        #expect(try fake.send("POST", "/vqueues/inv_1fmRNvSNVxNp2O9FJ1OlOzP5ytGEhn0IsV/resume").status == 400)
    }
}
