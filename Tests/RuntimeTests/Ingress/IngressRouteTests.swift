import HoldfastWire
import Testing

@testable import HoldfastRuntime

/// Services `S`, `send` and `call`, the virtual object `O`, the workflow `W`.
private func route(_ path: String) -> Result<IngressRoute, IngressError> {
    let kinds: [String: ServiceKind] = [
        "S": .service, "send": .service, "call": .service, "O": .virtualObject, "W": .workflow,
    ]
    return Result { () throws(IngressError) in
        try IngressRoute(IngressPath(path)) { kinds[$0] }
    }
}

private func submit(
    _ verb: SubmitVerb, _ service: String, key: String? = nil, _ handler: String, scope: String? = nil
) -> IngressRoute {
    .submit(SubmitRoute(verb: verb, service: service, key: key, handler: handler, scope: scope))
}

@Suite struct IngressRouteTests {
    @Test(arguments: [
        ("/S/h", submit(.call, "S", "h")), ("/S/h/send", submit(.send, "S", "h")),
        ("/S/send", submit(.call, "S", "send")), ("/S/send/send", submit(.send, "S", "send")),
        ("/send/send/send", submit(.send, "send", "send")), ("/call/h", submit(.call, "call", "h")),
        ("/O/k/h", submit(.call, "O", key: "k", "h")), ("/O/k/h/send", submit(.send, "O", key: "k", "h")),
        ("/O/send/h", submit(.call, "O", key: "send", "h")), ("/O//h", submit(.call, "O", key: "", "h")),
        ("/O/../h", submit(.call, "O", key: "..", "h")), ("/O/a%2Fb/h", submit(.call, "O", key: "a/b", "h")),
        ("/W/k/run", submit(.call, "W", key: "k", "run")), ("/S/%68", submit(.call, "S", "%68")),
        ("/restate/call/S/h", submit(.call, "S", "h")), ("/restate/send/S/h", submit(.send, "S", "h")),
        ("/restate/call/O/k/h", submit(.call, "O", key: "k", "h")),
        ("/restate/send/O/k/h", submit(.send, "O", key: "k", "h")),
        ("/restate/scope/x/call/S/h", submit(.call, "S", "h", scope: "x")),
        ("/restate/scope/x%20y/send/O/k/h", submit(.send, "O", key: "k", "h", scope: "x y")),
        ("/restate/health", .health), ("/restate/health/", .health), ("/restate/health/x", .health),
        ("/restate/attach", .resultOfTarget(.attach)), ("/restate/output", .resultOfTarget(.output)),
        ("/restate/lookup", .lookup), ("/openapi/S", .openAPI),
        ("/restate/awakeables/id/resolve", .awakeable("id", .resolve)),
        ("/restate/a/id/reject", .awakeable("id", .reject)),
        ("/restate/a/id/reject/x/y", .awakeable("id", .reject)),
    ])
    func `a path leads to its route`(path: String, expected: IngressRoute) throws {
        #expect(try route(path).get() == expected)
    }

    @Test func `results are asked for by id, by key, or by workflow`() throws {
        let id = InvocationID(partitionKey: 7, uuid: 9)
        #expect(try route("/restate/attach/\(id)").get() == .result(.attach, id))
        #expect(try route("/restate/invocation/\(id)/output").get() == .result(.output, id))
        // Worked values of the identifiers' specification.
        let greeter = try InvocationID(text: "inv_11x6cJlusUs54YqNdo5AAzdYrYOmeoHQrU")
        let reference = InvocationReference.idempotent(
            service: "Greeter", key: nil, handler: "greet", idempotencyKey: "my-key", scope: nil)
        #expect(reference.id == greeter)
        let ofService = InvocationReference.idempotent(
            service: "S", key: nil, handler: "h", idempotencyKey: "i%20k", scope: nil)
        #expect(try route("/restate/invocation/S/h/i%20k/attach").get() == .result(.attach, ofService.id))
        let ofObject = InvocationReference.idempotent(
            service: "O", key: "a b", handler: "h", idempotencyKey: "ik", scope: nil)
        #expect(try route("/restate/invocation/O/a%20b/h/ik/output").get() == .result(.output, ofObject.id))
        let run = InvocationReference.workflow(name: "Unknown", key: "ä", scope: nil)
        #expect(try route("/restate/workflow/Unknown/%C3%A4/attach/x").get() == .result(.attach, run.id))
    }

    @Test(arguments: [
        ("/", 400, "bad path: /"), ("/S", 400, "bad path: /S"), ("/restate", 400, "bad path: /restate"),
        ("/openapi", 400, "bad path: /openapi"), ("/1/2/3/4/5/6/7/8", 400, "bad path: /1/2/3/4/5/6/7/8"),
        ("/S/h/x", 400, "bad path, expected either /:service-name/"),
        ("/S/h/send/x", 400, "bad path, expected either /:service-name/"),
        ("/O/k", 400, "bad path, expected either /:service-name/"),
        ("/O/k/h/later", 400, "bad path, expected either /:service-name/"),
        ("/restate/call/S", 400, "bad path, expected /restate/call/"),
        ("/restate/call/S/h/send", 400, "bad path, expected /restate/call/"),
        ("/restate/call/O/k", 400, "bad path, expected /restate/call/"),
        ("/restate/call", 400, "bad path, expected /restate/call/"),
        ("/restate/scope/x", 400, "bad path, expected /restate/call/"),
        ("/restate/scope/x/attach/S/h", 400, "bad path, expected /restate/call/"),
        ("/restate/lookup/x", 400, "bad path, expected /restate/call/"),
        ("/restate/attach/x/y", 400, "bad path, expected /restate/call/"),
        ("/restate/invocation/x", 400, "bad path, expected either /restate/invocation/"),
        ("/restate/invocation/S/h/ik", 400, "bad path, expected either /restate/invocation/"),
        ("/restate/invocation/O/k/h/ik", 400, "bad path, expected either /restate/invocation/"),
        ("/restate/workflow/W/k", 400, "bad path, expected either /restate/workflow/"),
        ("/restate/a/id", 400, "bad path, expected either /restate/awakeables/"),
        ("/O/%ff/h", 400, "bad path, cannot decode key: FromUtf8Error { bytes: [255], error: "),
        ("/restate/scope/%ff/call/S/h", 400, "bad path, cannot decode key: FromUtf8Error { bytes: [255]"),
        ("/restate/attach/foo", 400, "bad invocation id 'foo': bad format"),
        ("/restate/invocation/foo/attach", 400, "bad invocation id 'foo': bad format"),
        ("/Nope/h", 404, "service 'Nope' not found"), ("/Nope/a/b/c/d", 404, "service 'Nope' not found"),
        ("/restate/send/Nope/h", 404, "service 'Nope' not found"),
        ("/restate/invocation/Nope/h/ik/attach", 404, "service 'Nope' not found"),
        ("/restate/nope", 404, "not found"), ("/restate/workflow/W/k/peek", 404, "not found"),
        ("/restate/invocation/S/h/ik/peek", 404, "not found"), ("/restate/a/id/peek", 404, "not found"),
    ])
    func `a path that leads nowhere is told why`(path: String, status: Int, message: String) {
        guard case .failure(let error) = route(path) else {
            Issue.record("\(path) leads somewhere")
            return
        }
        #expect(error.status == status)
        #expect(error.message.hasPrefix(message))
    }

    @Test(arguments: [
        (
            #"{"target":"invocation","invocationId":"inv_11x6cJlusUs54YqNdo5AAzdYrYOmeoHQrU","more":1}"#,
            "inv_11x6cJlusUs54YqNdo5AAzdYrYOmeoHQrU"
        ),
        (
            #"{"target":"workflow","workflowName":"MyWorkflow","workflowKey":"wf-1","scope":null}"#,
            "inv_1jFEjVDI9dt16WD9yJBs6iubtTvgXH215i"
        ),
        (
            #"{"target":"workflow","workflowName":"MyWorkflow","workflowKey":"wf-1","scope":"tenant-a"}"#,
            "inv_1bCHipEtBoR20TZnOvPMV3UTXN8e8D3O0G"
        ),
        (
            #"{"service":"Greeter","handler":"greet","idempotencyKey":"my-key","scope":"tenant-a","target":"idempotentInvocation"}"#,
            "inv_1bCHipEtBoR23fEKjncz7G0jyWo7kTPQz3"
        ),
        (
            #"{"target":"idempotentInvocation","service":"Counter","key":"ä/b","handler":"h","idempotencyKey":"x,y"}"#,
            "inv_1lMV29Nce1XM3rYuh8bpct7CzJL9uwAtXH"
        ),
        (#"{"target":"workflow","workflowName":"W","workflowKey":""}"#, "inv_141kvpM9252673Q8vZJPPa7MmfOWfSU63y"),
    ])
    func `a body names an invocation`(body: String, id: String) throws {
        #expect(try InvocationReference(body: Bytes(utf8: body), kind: "lookup").id.description == id)
    }

    @Test(arguments: [
        ("{not json", "cannot read body: invalid request body: key must be a string"),
        ("", "cannot read body: invalid request body: EOF"), ("[]", "cannot read body: invalid request body: "),
        (#"{"target":"teapot"}"#, "cannot read body: invalid request body: unknown variant `teapot`"),
        (
            #"{"target":"workflow","workflowName":"W"}"#,
            "cannot read body: invalid request body: missing field `workflowKey`"
        ),
        (
            #"{"target":"workflow","workflowName":"W","workflowKey":1}"#,
            "cannot read body: invalid request body: invalid type of field `workflowKey`"
        ),
        (#"{"target":"invocation","invocationId":"foo"}"#, "bad invocation id 'foo': bad format"),
        (
            #"{"target":"workflow","workflowName":"W","workflowKey":"k","scope":""}"#,
            "bad scope value: value cannot be empty"
        ),
    ])
    func `a body that names none is refused`(body: String, message: String) throws {
        let error = #expect(throws: IngressError.self) {
            try InvocationReference(body: Bytes(utf8: body), kind: "request")
        }
        #expect(error?.status == 400)
        #expect(error?.message.hasPrefix(message) == true, "\(error?.message ?? "")")
    }
}
