import HoldfastEngine
import HoldfastServiceProtocol
import HoldfastWire
import Testing

@testable import HoldfastRuntime

@Suite struct IngressAnswerTests {
    @Test(
        arguments: [
            (0, 500, 0), (99, 500, 99), (100, 500, 100), (101, 500, 101), (199, 500, 199), (200, 200, 200),
            (204, 500, 204), (304, 500, 304), (404, 404, 404), (570, 570, 570), (999, 999, 999), (1000, 500, 1000),
            (65_535, 500, 65_535), (65_536, 500, 500), (UInt32.max, 500, 500),
        ] as [(UInt32, Int, Int)])
    func `a failure's code becomes the status where HTTP can carry it`(code: UInt32, status: Int, told: Int) {
        let answer = IngressAnswer(Failure(code: code, message: "m"), stacktrace: nil)
        #expect(answer.status == status)
        #expect(answer.text == #"{"code":\#(told),"message":"m","source":"invocation"}"#)
        #expect(answer[header: "x-restate-error-source"] == "invocation")
    }

    @Test func `a failure tells all that it has, in order`() {
        let metadata = [Failure.Metadata(key: "k", value: "\""), Failure.Metadata(key: "a", value: "b")]
        let answer = IngressAnswer(Failure(code: 409, message: "ä\n", metadata: metadata), stacktrace: "at x")
        let expected =
            #"{"code":409,"message":"ä\n","stacktrace":"at x","metadata":{"k":"\"","a":"b"},"source":"invocation"}"#
        #expect(answer.text == expected)
    }

    @Test func `a result that was there before tells when it expires`() {
        let id = InvocationID(partitionKey: 1, uuid: 2)
        let target = InvocationTarget(service: "S", handler: "h", kind: .service)
        let output = OutputRules(isDeclared: false, setContentTypeIfEmpty: false)
        var result = InvocationResult(id: id, target: target, completion: .value([1]))
        #expect(IngressAnswer(result, output: output)[header: "idempotency-expires"] == nil)
        result.expires = Timestamp(millis: 1_795_686_000_994)
        for completion: Completion in [.value([1]), .failure(Failure(code: 1, message: ""))] {
            result.completion = completion
            let answer = IngressAnswer(result, output: output)
            #expect(answer[header: "idempotency-expires"] == "2026-11-26T09:40:00.994+00:00")
            #expect(answer.invocationID == id)
        }
    }

    @Test func `a partition that could not take a request makes it safe to try again`() throws {
        let world = try IngressWorld()
        world.partition.refusal = "the store is full"
        let answer = world.post("/Greeter/greet").answer
        #expect(answer?.status == 503)
        #expect(answer?.text == #"{"code":503,"message":"the store is full","source":"ingress"}"#)
    }

    @Test func `every answer allows scripts of any origin`() throws {
        let world = try IngressWorld()
        for path in ["/Greeter/greet", "/Nope/h", "/", "/restate/attach/foo"] {
            let plain = world.post(path).answer
            let vary = "origin, access-control-request-method, access-control-request-headers"
            #expect(plain?[header: "vary"] == vary)
            #expect(plain?[header: "access-control-allow-credentials"] == "true")
            #expect(plain?[header: "access-control-allow-origin"] == nil)
            let crossing = world.post(path, "1", [("origin", "http://a.example")]).answer
            #expect(crossing?[header: "access-control-allow-origin"] == "http://a.example")
        }
        let preflight = world.send("OPTIONS", "/").answer
        #expect(preflight?.status == 200)
        #expect(preflight?.body.isEmpty == true)
        #expect(preflight?[header: "access-control-allow-methods"] == nil)
    }
}
