import HoldfastEngine
import HoldfastWire
import Testing

@testable import HoldfastRuntime

@Suite struct AdminServicesTests {
    @Test func `a service shows the settings in force`() throws {
        let fake = try AdminFake.withServices()
        let id = try fake.deploymentID
        let expected = try JSON(
            parsing: """
                {"name":"Counter","ty":"VirtualObject","handlers":[
                  {"name":"add","ty":"Exclusive","public":true,"input_description":"JSON integer",
                   "output_description":"JSON integer","input_json_schema":{"type":"integer"},
                   "output_json_schema":{"type":"integer"},"retry_policy":{"max_attempts":null}},
                  {"name":"get","ty":"Shared","public":true,"input_description":"none",
                   "output_description":"JSON integer","output_json_schema":{"type":"integer"},
                   "retry_policy":{"max_attempts":null}}],
                 "deployment_id":"\(id)","revision":1,"public":true,"idempotency_retention":"1d",
                 "journal_retention":"1d","inactivity_timeout":"1m","abort_timeout":"10m","enable_lazy_state":false,
                 "retry_policy":{"initial_interval":"500ms","exponentiation_factor":2.0,"max_attempts":70,
                 "max_interval":"1m","on_max_attempts":"Pause"}}
                """)
        let service = try fake.send("GET", "/services/Counter")
        #expect(service.status == 200)
        #expect(try service.json.sorted == expected.sorted)
        let names = try fake.send("GET", "/services").json["services"]?.array?.map { $0["name"]?.string }
        #expect(names == ["Counter", "Flow", "Greeter"])
    }

    @Test func `a factor prints with the digits that were given`() throws {
        let fake = AdminFake()
        var handler = HandlerSchema.sample("x", .service)
        handler.settings.retryFactor = 1.3
        var service = ServiceSchema.sample("Retried", .service, handlers: [handler])
        service.settings.retryFactor = 1.1
        fake.endpoints = [.success(.sample([service], mode: .bidirectional))]
        let body = try fake.send("POST", "/deployments", #"{"uri":"http://h:1"}"#).json["services"]?.array?.first
        #expect(body?["retry_policy"]?["exponentiation_factor"] == 1.1)
        #expect(body?["handlers"]?.array?.first?["retry_policy"]?["exponentiation_factor"] == 1.3)
    }

    @Test func `only workflows show their own retention`() throws {
        let fake = try AdminFake.withServices()
        #expect(try fake.send("GET", "/services/Flow").json["workflow_completion_retention"] == "1d")
        #expect(try fake.send("GET", "/services/Greeter").json["workflow_completion_retention"] == nil)
        #expect(try fake.send("GET", "/services/Greeter").json["handlers"]?.array?.first?["ty"] == nil)
    }

    @Test func `what has no effect is noted`() throws {
        let fake = AdminFake()
        var defaults = InvocationDefaults()
        defaults.journalRetentionMax = 3_600_000
        fake.registry = Registry(defaults: defaults)
        var handler = HandlerSchema.sample("x", .objectExclusive)
        handler.settings.inactivityTimeout = 1000
        handler.settings.journalRetention = 7_200_000
        handler.settings.abortTimeout = 90_061_500
        var service = ServiceSchema.sample("Full", .virtualObject, handlers: [handler])
        service.settings.inactivityTimeout = 120_000
        fake.endpoints = [.success(.sample([service], mode: .requestResponse))]
        let body = try fake.send("POST", "/deployments", #"{"uri":"http://h:1"}"#).json["services"]?.array?.first
        #expect(body?["inactivity_timeout"] == "0s")
        #expect(
            body?["info"] == [
                [
                    "code": "RT0021",
                    "message":
                        "The configured inactivity_timeout 2m will not be applied because the service is exposed in Request/Response mode.",
                ],
                [
                    "code": "RT0022",
                    "message": "The configured journal_retention is clamped to the maximum server limit.",
                ],
            ])
        let shown = body?["handlers"]?.array?.first
        #expect(shown?["inactivity_timeout"] == nil)
        #expect(shown?["journal_retention"] == "1h")
        #expect(shown?["abort_timeout"] == "1d 1h 1m 1s 500ms")
        #expect(
            shown?["info"]?.array?.compactMap { $0["message"]?.string } == [
                "The configured inactivity_timeout 1s will not be applied because the handler is exposed in "
                    + "Request/Response mode.",
                "The configured journal_retention is clamped to the maximum server limit.",
            ])
    }

    @Test func `handlers can be listed and shown`() throws {
        let fake = try AdminFake.withServices()
        let handlers = try fake.send("GET", "/services/Counter/handlers").json["handlers"]?.array
        #expect(handlers?.map { $0["name"]?.string } == ["add", "get"])
        #expect(try fake.send("GET", "/services/Counter/handlers/add").json == handlers?.first)
        let unknown = try fake.send("GET", "/services/Greeter/handlers/nope")
        #expect(unknown.status == 404)
        #expect(try unknown.message == "The requested handler 'nope' on service 'Greeter' does not exist")
        #expect(
            try fake.send("GET", "/services/Nope/handlers").message == "The requested service 'Nope' does not exist")
    }

    @Test func `settings of a service can be changed`() throws {
        let fake = try AdminFake.withServices()
        let body = """
            {"public":false,"idempotency_retention":"2d","journal_retention":"3h","inactivity_timeout":"90s",
             "abort_timeout":"PT2H","workflow_completion_retention":null,"unknown":5}
            """
        let changed = try fake.send("PATCH", "/services/Counter", body).json
        let expected: [(String, JSON)] = [
            ("public", false), ("idempotency_retention", "2d"), ("journal_retention", "3h"),
            ("inactivity_timeout", "1m 30s"), ("abort_timeout", "2h"), ("revision", 1),
        ]
        for (name, value) in expected { #expect(changed[name] == value, "\(name)") }
        #expect(changed["handlers"]?.array?.map { $0["public"] } == [false, false])
        #expect(try fake.send("GET", "/services/Counter").json == changed)
        #expect(try fake.send("PATCH", "/services/Counter", "{}").json == changed)
    }

    @Test(arguments: [
        ("0", "0s"), ("P1D", "1d"), ("36h", "1d 12h"), ("1.5s", "1s 500ms"), ("PT90M", "1h 30m"), ("1w", "7d"),
        ("10 minutes", "10m"), ("100ms", "100ms"), ("22ns", "1ms"),
    ])
    func `durations are printed in one way`(given: String, shown: String) throws {
        let fake = try AdminFake.withServices()
        let service = try fake.send("PATCH", "/services/Counter", #"{"abort_timeout":"\#(given)"}"#).json
        #expect(service["abort_timeout"]?.string == shown)
    }

    @Test(arguments: [#""abc""#, #""""#, "5", #""-1s""#, #""1 month""#, "true"])
    func `what is no duration is refused`(given: String) throws {
        let fake = try AdminFake.withServices()
        let response = try fake.send("PATCH", "/services/Counter", #"{"abort_timeout":\#(given)}"#)
        #expect(response.status == 422)
        #expect(try response.message.contains("abort_timeout"))
    }

    @Test func `changes of what is not there are refused`() throws {
        let fake = try AdminFake.withServices()
        for (path, body, status, message) in [
            ("Nope", #"{"public":true}"#, 404, "not found in the schema registry: service with name 'Nope'"),
            ("Nope", "{}", 404, "The requested service 'Nope' does not exist"),
            (
                "Counter", #"{"workflow_completion_retention":"1h"}"#, 400,
                "modifying retention time for service type VirtualObject is unsupported"
            ),
        ] {
            let response = try fake.send("PATCH", "/services/\(path)", body)
            #expect(response.status == status)
            #expect(try response.message == message)
        }
        #expect(try fake.send("PATCH", "/services/Flow", #"{"workflow_completion_retention":"2h"}"#).status == 200)
        #expect(fake.registry.resolve(service: "Flow", handler: "run")?.keyedCompletionRetention == 7_200_000)
    }

    // MARK: Words for contents

    @Test(arguments: [
        (InputRules(isDeclared: false, isRequired: false), "*/*"),
        (InputRules(isDeclared: true, isRequired: false), "none"),
        (InputRules(isDeclared: true, isRequired: true), "<invalid rules>"),
        (InputRules(isDeclared: true, isRequired: false, contentType: "text/*"), "text/*"),
        (
            InputRules(
                isDeclared: true, isRequired: true, contentType: "a/b", jsonSchema: #"{"title":"T","type":"x"}"#),
            "JSON 'T'"
        ),
        (
            InputRules(isDeclared: true, isRequired: true, contentType: "a/b", jsonSchema: #"{"type":"string"}"#),
            "JSON string"
        ),
        (InputRules(isDeclared: true, isRequired: true, contentType: "a/b", jsonSchema: #"{"type":["x"]}"#), "a/b"),
        (InputRules(isDeclared: true, isRequired: true, contentType: "a/b", jsonSchema: "true"), "a/b"),
    ])
    func `an input is described in a few words`(rules: InputRules, words: String) {
        #expect(ContentDescription.of(rules) == words)
    }

    @Test(arguments: [
        (OutputRules(isDeclared: false, setContentTypeIfEmpty: false), "application/json"),
        (OutputRules(isDeclared: true, setContentTypeIfEmpty: false), "none"),
        (OutputRules(isDeclared: true, contentType: "a/b", setContentTypeIfEmpty: true), "optional a/b"),
        (OutputRules(isDeclared: true, contentType: "a/b", setContentTypeIfEmpty: false), "a/b"),
        (
            OutputRules(
                isDeclared: true, contentType: "a/b", setContentTypeIfEmpty: true, jsonSchema: #"{"type":"string"}"#),
            "JSON string"
        ),
    ])
    func `an output is described in a few words`(rules: OutputRules, words: String) {
        #expect(ContentDescription.of(rules) == words)
    }
}
