import HoldfastWire
import Testing

@testable import HoldfastRuntime

/// The structure of the documents is that of recorded ones; prose is our own.
@Suite struct AdminServiceOpenAPITests {
    private func document(_ service: String) throws -> JSON {
        let response = try AdminFake.withServices().send("GET", "/services/\(service)/openapi")
        #expect(response.status == 200)
        return try response.json
    }

    /// One line per operation, by path.
    private func operations(_ document: JSON) throws -> [String] {
        var lines: [String] = []
        for path in try #require(document["paths"]?.members) {
            for method in try #require(path.value.members) { lines.append(line(path.key, method)) }
        }
        return lines.sorted()
    }

    private func line(_ path: String, _ method: JSON.Member) -> String {
        let operation = method.value
        let tags = operation["tags"]?.array?.compactMap(\.string).joined(separator: ",") ?? ""
        let parameters = operation["parameters"]?.array?.map { name($0["$ref"]) }.joined(separator: ",") ?? ""
        var body = content(operation["requestBody"]?["content"])
        if operation["requestBody"]?["required"] == true { body += " required" }
        let responses = (operation["responses"]?.members ?? []).sorted { $0.key < $1.key }.map { response in
            let text = response.value["$ref"].map { name($0) } ?? content(response.value["content"])
            return "\(response.key)=\(text.isEmpty ? "empty" : text)"
        }
        return "\(path) \(method.key) \(operation["operationId"]?.string ?? "") [\(tags)] (\(parameters)) <\(body)> "
            + responses.joined(separator: ", ") + (operation["deprecated"] == true ? " deprecated" : "")
    }

    private func content(_ content: JSON?) -> String {
        (content?.members ?? []).map { member in
            let schema = member.value["schema"]?["$ref"]
            return member.key + (schema == nil ? "" : ":\(name(schema))")
        }.joined(separator: " ")
    }

    private func name(_ reference: JSON?) -> String {
        String(reference?.string?.split(separator: "/").last ?? "")
    }

    @Test func `a virtual object can be called, sent to, attached to and asked`() throws {
        let document = try document("Counter")
        let key = "(key,idempotencyKeyHeader"
        let attach = "[Attach] (key,idempotencyKeyPath) <> 200=application/json:"
        let output = "[Get Output] (key,idempotencyKeyPath) <> 200=application/json:"
        let unknown = "404=InvocationNotFoundError"
        let end = "default=GenericError"
        #expect(
            try operations(document) == [
                "/restate/call/Counter/{key}/add post add [] \(key)) <application/json:addRequest> "
                    + "200=application/json:addResponse, \(end)",
                "/restate/call/Counter/{key}/get post get [] \(key)) <> 200=application/json:getResponse, \(end)",
                "/restate/invocation/Counter/{key}/add/{idempotencyKey}/attach get addAttach \(attach)addResponse, "
                    + "\(unknown), \(end) deprecated",
                "/restate/invocation/Counter/{key}/add/{idempotencyKey}/output get addOutput \(output)addResponse, "
                    + "\(unknown), 470=InvocationNotReadyError, \(end) deprecated",
                "/restate/invocation/Counter/{key}/get/{idempotencyKey}/attach get getAttach \(attach)getResponse, "
                    + "\(unknown), \(end) deprecated",
                "/restate/invocation/Counter/{key}/get/{idempotencyKey}/output get getOutput \(output)getResponse, "
                    + "\(unknown), 470=InvocationNotReadyError, \(end) deprecated",
                "/restate/send/Counter/{key}/add post addSend [Send] \(key),delay) <application/json:addRequest> "
                    + "200=Send, 202=Send, \(end)",
                "/restate/send/Counter/{key}/get post getSend [Send] \(key),delay) <> 200=Send, 202=Send, \(end)",
            ])
        let components = try #require(document["components"])
        #expect(
            components["parameters"]?.members?.map(\.key).sorted()
                == ["delay", "idempotencyKeyHeader", "idempotencyKeyPath", "key"])
        #expect(
            components["responses"]?.members?.map(\.key).sorted()
                == ["GenericError", "InvocationNotFoundError", "InvocationNotReadyError", "Send"])
        #expect(
            components["schemas"]?.members?.map(\.key).sorted()
                == ["RestateError", "addRequest", "addResponse", "getResponse"])
        #expect(document["info"] == ["title": "Counter", "version": "1"])
        #expect(document["servers"]?.array?.first?["url"] == "http://127.0.0.1:8080/")
        #expect(document["tags"]?.array?.count == 4)
    }

    @Test func `a workflow has no idempotency keys, and its run can be attached to`() throws {
        let document = try document("Flow")
        let end = "default=GenericError"
        let send = "200=Send, 202=Send, \(end)"
        #expect(
            try operations(document) == [
                "/restate/call/Flow/{key}/approve post approve [] (key) <application/json:approveRequest> "
                    + "200=application/json:approveResponse, \(end)",
                "/restate/call/Flow/{key}/refuse post refuse [] (key) <application/json:refuseRequest> 200=empty, \(end)",
                "/restate/call/Flow/{key}/run post run [] (key) <application/json:runRequest> "
                    + "200=application/json:runResponse, \(end)",
                "/restate/send/Flow/{key}/approve post approveSend [Send] (key,delay) "
                    + "<application/json:approveRequest> \(send)",
                "/restate/send/Flow/{key}/refuse post refuseSend [Send] (key,delay) <application/json:refuseRequest> \(send)",
                "/restate/send/Flow/{key}/run post runSend [Send] (key,delay) <application/json:runRequest> \(send)",
                "/restate/workflow/Flow/{key}/attach get runAttach [Attach] (key) <> 200=application/json:runResponse, "
                    + "404=InvocationNotFoundError, \(end) deprecated",
                "/restate/workflow/Flow/{key}/output get runOutput [Get Output] (key) <> "
                    + "200=application/json:runResponse, 404=InvocationNotFoundError, 470=InvocationNotReadyError, "
                    + "\(end) deprecated",
            ])
    }

    @Test func `private handlers are left out, and an undeclared input may be anything`() throws {
        let fake = AdminFake()
        var hidden = HandlerSchema.sample("hidden")
        hidden.isPublic = false
        var service = ServiceSchema.sample("S", handlers: [hidden, .sample("shown")])
        service.metadata = [("team", "a")]
        service.documentation = "words"
        fake.endpoints = [.success(.sample([service]))]
        fake.settings.ingressURL = nil
        _ = try fake.send("POST", "/deployments", #"{"uri":"http://h:1"}"#)
        let document = try fake.send("GET", "/services/S/openapi").json
        #expect(try operations(document).count == 4)
        #expect(
            try operations(document).first
                == "/restate/call/S/shown post shown [] (idempotencyKeyHeader) <*/*> 200=application/json, default=GenericError"
        )
        #expect(document["servers"] == nil)
        #expect(document["info"]?["x-restate-extensions"] == ["team": "a"])
        #expect(document["info"]?["description"] == "words")
        #expect(try fake.send("GET", "/services/Nope/openapi").status == 404)
    }

    @Test func `references inside a schema lead to where the schema stands`() throws {
        var handler = HandlerSchema.sample("h")
        handler.input = InputRules(
            isDeclared: true, isRequired: true, contentType: "application/json",
            jsonSchema: ##"{"$ref":"#/$defs/A","$defs":{"A":{"items":[{"$ref":"#"}]},"B":{"$ref":"https://x/y#/z"}}}"##)
        let document = ServiceOpenAPI(.sample("S", handlers: [handler]), ingressURL: nil).document
        #expect(
            document["components"]?["schemas"]?["hRequest"] == [
                "$ref": "#/components/schemas/hRequest/$defs/A",
                "$defs": [
                    "A": ["items": [["$ref": "#/components/schemas/hRequest"]]], "B": ["$ref": "https://x/y#/z"],
                ],
            ])
    }
}
