import HoldfastEngine
import HoldfastTransport
import HoldfastWire
import Testing

@testable import HoldfastRuntime

/// Requests that are cut, twisted and mixed from what means something: each gets one answer, or waits.
@Suite struct IngressFuzzTests {
    private static let words = [
        "/", "//", "restate", "call", "send", "scope", "attach", "output", "lookup", "invocation", "workflow", "a",
        "awakeables", "resolve", "reject", "health", "openapi", "Greeter", "greet", "Counter", "k", "add", "Quick",
        "run", "look", "Raw", "echo", "%", "%zz", "%ff", "%C3%A4", "%00", "+", "?", "&", "=", "delay", "limit-key",
        "10s", "P1D", "-1", "99999999999999999999", "inv_11x6cJlusUs54YqNdo5AAzdYrYOmeoHQrU", "inv_1", "sign_1", "ä",
        "\u{FFFD}", ".", "..", "#", "http://", " ",
    ]
    private static let headers = [
        ("content-type", "application/json"), ("content-type", ";"), ("idempotency-key", ""),
        ("idempotency-key", "ä"), ("x-restate-limit-key", "a/b"), ("content-length", "-1"), ("origin", "\u{FFFD}"),
        ("x-a", "1"), ("x-a", "\u{7F}"),
    ]
    private static let bodies = [
        "", "1", "{", #"{"target":"workflow","workflowName":"W","workflowKey":"k"}"#, #"{"target":null}"#,
        #"{"target":{"target":[]}}"#, #"{"target":"invocation","invocationId":"inv_1"}"#, "\u{FFFD}\0",
    ]

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `no request is left without an answer, or gets two`(seed: UInt64) throws {
        var random = FastRandom(seed: seed)
        let settings = IngressSettings(
            requestSizeLimit: 50, scopesEnabled: seed == 2, scopedObjectsEnabled: seed == 2)
        let world = try IngressWorld(settings: settings)
        for _ in 0..<3000 {
            let path = (0..<Int.random(in: 0...9, using: &random)).map { _ in
                (Bool.random(using: &random) ? "/" : "") + (Self.words.randomElement(using: &random) ?? "")
            }.joined()
            let method = ["POST", "POST", "GET", "PUT", "OPTIONS", ""].randomElement(using: &random) ?? ""
            let headers = Self.headers.filter { _ in UInt8.random(in: 0...3, using: &random) == 0 }
            let body = Bytes(utf8: Self.bodies.randomElement(using: &random) ?? "")
            let client = world.send(method, path, headers, body: body)
            let isWaiting = client.answers.isEmpty && world.partition.isAnyoneWaiting
            #expect(client.answers.count == 1 || isWaiting, "\(method) \(path) \(headers)")
            client.leave()
            #expect(!world.partition.isAnyoneWaiting, "\(method) \(path) \(headers)")
            if let answer = client.answer {
                #expect((200...999).contains(answer.status), "\(method) \(path)")
                // Only a call hands on what a handler returned.
                if answer[header: "x-restate-error-source"] != nil { _ = try JSON(parsing: answer.body) }
            }
        }
    }
}
