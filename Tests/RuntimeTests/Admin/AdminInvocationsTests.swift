import HoldfastEngine
import HoldfastWire
import Testing

@testable import HoldfastRuntime

@Suite struct AdminInvocationsTests {
    private let text = "inv_1fmRNvSNVxNp2O9FJ1OlOzP5ytGEhn0IsV"
    private let other = "inv_19maBIcE9uRD2cN79SYc6Ef1KldA21IG1H"

    struct Cell: Sendable {
        let operation: String
        let outcome: OperationOutcome
        let status: Int
        let message: String?
    }

    private static let running =
        "The invocation '%' is still running or the deployment id is not pinned yet, deployment id cannot be changed."
    static let cells: [Cell] = [
        Cell(operation: "cancel", outcome: .done, status: 200, message: nil),
        Cell(operation: "cancel", outcome: .accepted, status: 202, message: nil),
        Cell(
            operation: "cancel", outcome: .completed, status: 409, message: "The invocation '%' was already completed."),
        Cell(
            operation: "cancel", outcome: .unknown, status: 404, message: "The requested invocation '%' does not exist"),
        Cell(operation: "kill", outcome: .done, status: 200, message: nil),
        Cell(operation: "kill", outcome: .completed, status: 409, message: "The invocation '%' was already completed."),
        Cell(operation: "purge", outcome: .done, status: 200, message: nil),
        Cell(
            operation: "purge", outcome: .notCompleted, status: 409, message: "The invocation '%' is not yet completed."
        ),
        Cell(operation: "purge-journal", outcome: .done, status: 200, message: nil),
        Cell(
            operation: "purge-journal", outcome: .unknown, status: 404,
            message: "The requested invocation '%' does not exist"),
        Cell(operation: "pause", outcome: .accepted, status: 202, message: nil),
        Cell(operation: "pause", outcome: .unchanged, status: 200, message: nil),
        Cell(
            operation: "pause", outcome: .notStarted, status: 409,
            message: "The invocation '%' is not running, cannot be paused."),
        Cell(
            operation: "pause", outcome: .completed, status: 409,
            message: "The invocation '%' is not running, cannot be paused."),
        Cell(operation: "resume", outcome: .done, status: 200, message: nil),
        Cell(
            operation: "resume", outcome: .notStarted, status: 425,
            message: "The invocation '%' is either inboxed or scheduled, cannot be resumed."),
        Cell(
            operation: "resume", outcome: .completed, status: 409,
            message: "The invocation '%' is completed, cannot be resumed."),
        Cell(operation: "resume", outcome: .running, status: 409, message: running),
        Cell(operation: "resume", outcome: .deploymentFixed, status: 409, message: running),
        Cell(
            operation: "resume", outcome: .deploymentMissing, status: 400,
            message: "The given deployment was not found when trying to resume the invocation '%'."),
        Cell(operation: "resume", outcome: .deploymentIncompatible, status: 400, message: nil),
        Cell(
            operation: "restart-as-new", outcome: .running, status: 409, message: "The invocation '%' is still running."
        ),
        Cell(
            operation: "restart-as-new", outcome: .notStarted, status: 425,
            message: "The invocation '%' cannot be restarted because it's not running yet."),
        Cell(
            operation: "restart-as-new", outcome: .journalGone, status: 410,
            message: "The invocation '%' cannot be restarted because the input is not available. This indicates that "
                + "the journal was already purged, or not retained at all."),
        Cell(
            operation: "restart-as-new", outcome: .unsupported("x"), status: 422,
            message: "Restarting the invocation '%' is not supported. Restarting workflows is not supported, and "
                + "restarting invocations created using the old service protocol."),
        Cell(
            operation: "restart-as-new", outcome: .incompletePrefix, status: 400,
            message: "The prefix of the journal '%' up to 'from' (included) contains some Commands without respective "
                + "Completions."),
        Cell(
            operation: "restart-as-new", outcome: .prefixTooLong(limit: 7), status: 422,
            message:
                "The invocation '%' cannot be restarted from there: 'from' must be below 7, since the entries up to "
                + "it are copied at once."),
        Cell(operation: "restart-as-new", outcome: .deploymentMissing, status: 400, message: nil),
    ]

    @Test(arguments: cells) func `each outcome has its status and text`(cell: Cell) throws {
        let fake = AdminFake()
        fake.answer = { _ in .operation(cell.outcome) }
        let response = try fake.send("PATCH", "/v4/invocations/\(text)/\(cell.operation)")
        #expect(response.status == cell.status)
        if cell.status < 300 {
            #expect(response.body.isEmpty)
        } else {
            let message = try response.message
            if let expected = cell.message {
                let parts = expected.split(separator: "%", omittingEmptySubsequences: false)
                #expect(message == parts.joined(separator: text))
            }
        }
        #expect(fake.commands.count == 1)
        #expect(fake.partitionKeys == [try InvocationID(text: text).partitionKey])
    }

    @Test func `a restart answers with the new id, in the same partition`() throws {
        let fake = AdminFake()
        fake.answer = { command in
            guard case .restart(let request, _) = command else { return .failed("another command") }
            return .operation(.restarted(request.newID))
        }
        let response = try fake.send("PATCH", "/invocations/\(text)/restart-as-new?from=2")
        let new = try InvocationID(text: try #require(response.json["new_invocation_id"]?.string))
        let old = try InvocationID(text: text)
        #expect(new.partitionKey == old.partitionKey)
        #expect(new != old)
        guard case .restart(let request, _) = fake.commands.first else { throw Fault.otherCommand }
        #expect(request.from == 2)
        #expect(request.id == old)
    }

    enum Fault: Error { case otherCommand }

    private func change(_ fake: AdminFake, _ target: String) throws -> DeploymentChange {
        _ = try fake.send("PATCH", target)
        switch fake.commands.last {
        case .resume(_, let change, _): return change
        case .restart(let request, _): return request.deployment
        default: throw Fault.otherCommand
        }
    }

    @Test func `the deployment to go on with is resolved against the registry`() throws {
        let fake = try AdminFake.withServices()
        let id = try fake.deploymentID
        let latest = DeploymentChange.latest(id, versions: 5...7)
        fake.targets[try InvocationID(text: text)] = InvocationTarget(
            service: "Greeter", handler: "greet", kind: .service)
        let resume = "/invocations/\(text)/resume"
        #expect(try change(fake, resume) == .keep)
        for keep in ["keep", "Keep"] { #expect(try change(fake, "\(resume)?deployment=\(keep)") == .keep) }
        for word in ["latest", "Latest"] { #expect(try change(fake, "\(resume)?deployment=\(word)") == latest) }
        #expect(try change(fake, "\(resume)?deployment=\(id)") == .specific(id, versions: 5...7))
        #expect(try change(fake, "\(resume)?deployment=dp_17sztQp4gnEC1L0OCFM9aEh") == .specificMissing)
        #expect(try change(fake, "/invocations/\(text)/restart-as-new") == latest)
        #expect(try change(fake, "/invocations/\(text)/restart-as-new?deployment=keep") == .keep)
        #expect(try change(fake, "/invocations/\(other)/restart-as-new") == .latestMissing)
    }

    @Test(arguments: [
        ("PATCH", "/invocations/nope/cancel", "The request field 'invocation_id' is invalid. Reason: bad format"),
        (
            "PATCH", "/invocations/dp_17sztQp4gnEC1L0OCFM9aEh/kill",
            "The request field 'invocation_id' is invalid. Reason: id doesn't match the expected type"
        ),
        (
            "PATCH", "/invocations/inv_1fmRNvSNVxNp2O9FJ1OlOzP5ytGEhn0IsV/resume?deployment=zzz",
            "The query parameter 'deployment' is invalid. Reason: bad format"
        ),
        ("PATCH", "/invocations/inv_1fmRNvSNVxNp2O9FJ1OlOzP5ytGEhn0IsV/resume?deployment=", nil),
        ("PATCH", "/invocations/inv_1fmRNvSNVxNp2O9FJ1OlOzP5ytGEhn0IsV/resume?deployment=LATEST", nil),
        ("PATCH", "/invocations/inv_1fmRNvSNVxNp2O9FJ1OlOzP5ytGEhn0IsV/restart-as-new?from=x", nil),
        ("PATCH", "/invocations/inv_1fmRNvSNVxNp2O9FJ1OlOzP5ytGEhn0IsV/restart-as-new?from=-1", nil),
        (
            "DELETE", "/invocations/inv_1fmRNvSNVxNp2O9FJ1OlOzP5ytGEhn0IsV?mode=foo",
            "Failed to deserialize query string: mode: unknown variant `foo`, expected one of `Cancel`, `cancel`, "
                + "`Kill`, `kill`, `Purge`, `purge`"
        ),
        ("DELETE", "/invocations/nope", nil),
    ])
    func `what cannot be read is refused before anybody is asked`(
        method: String, target: String, message: String?
    ) throws {
        let fake = AdminFake()
        let response = try fake.send(method, target)
        #expect(response.status == 400)
        let found = try response.message
        if let message { #expect(found == message) }
        #expect(fake.commands.isEmpty)
    }

    @Test func `an unknown operation is an unknown path`() throws {
        #expect(try AdminFake().send("PATCH", "/invocations/\(text)/explode").status == 404)
    }

    @Test(arguments: ["", "?mode=cancel", "?mode=Kill", "?mode=purge"])
    func `the older DELETE is accepted whatever becomes of it`(query: String) throws {
        for outcome in [OperationOutcome.done, .unknown, .completed, .notCompleted] {
            let fake = AdminFake()
            fake.answer = { _ in .operation(outcome) }
            let response = try fake.send("DELETE", "/invocations/\(text)\(query)")
            #expect(response.status == 202)
            #expect(response.body.isEmpty)
            #expect(fake.commands.count == 1)
        }
    }

    @Test func `a store that refuses is a 500`() throws {
        let fake = AdminFake()
        fake.answer = { _ in .failed("the disk is full") }
        let response = try fake.send("PATCH", "/invocations/\(text)/kill")
        #expect(response.status == 500)
        #expect(try response.message == "the disk is full")
    }

    // MARK: Batches

    @Test func `a batch tells what became of each`() throws {
        let fake = AdminFake()
        let unknown = try InvocationID(text: other)
        fake.answer = { command in
            guard case .kill(let id, _) = command else { return .failed("another command") }
            return .operation(id == unknown ? .unknown : .done)
        }
        let path = "/internal/invocations_batch_operations/kill"
        let response = try fake.send("POST", path, #"{"invocation_ids":["\#(text)","\#(other)","\#(text)"]}"#)
        #expect(response.status == 200)
        #expect(
            try response.json == [
                "succeeded": [.string(text), .string(text)],
                "failed": [["invocation_id": .string(other), "error": .string("Invocation '\(other)' not found")]],
            ])
    }

    private static let batchCells: [(String, OperationOutcome, String?)] = [
        ("cancel", .completed, "Invocation '%' was already completed"),
        ("pause", .completed, "Invocation '%' is not running, cannot be paused"),
        ("resume", .completed, "Invocation '%' is completed, cannot be resumed"),
        ("resume", .deploymentFixed, "Cannot change deployment ID for invocation '%'"),
        ("cancel", .accepted, nil), ("pause", .unchanged, nil),
    ]

    @Test(arguments: batchCells)
    func `outcomes of a batch have their texts`(operation: String, outcome: OperationOutcome, error: String?) throws {
        let fake = AdminFake()
        fake.answer = { _ in .operation(outcome) }
        let path = "/internal/invocations_batch_operations/\(operation)"
        let document = try fake.send("POST", path, #"{"invocation_ids":["\#(text)"]}"#).json
        let found = document["failed"]?.array?.first?["error"]?.string
        let expected = error.map { $0.split(separator: "%", omittingEmptySubsequences: false).joined(separator: text) }
        #expect(found == expected)
        #expect(document["succeeded"]?.array?.count == (error == nil ? 1 : 0))
    }

    @Test func `a restarted batch pairs old and new ids`() throws {
        let fake = AdminFake()
        fake.answer = { command in
            guard case .restart(let request, _) = command else { return .failed("another command") }
            return .operation(.restarted(request.newID))
        }
        let path = "/internal/invocations_batch_operations/restart-as-new"
        let body = #"{"invocation_ids":["\#(text)"],"deployment":"Keep"}"#
        let pair = try fake.send("POST", path, body).json["succeeded"]?.array?.first
        #expect(pair?["old_invocation_id"]?.string == text)
        _ = try InvocationID(text: try #require(pair?["new_invocation_id"]?.string))
    }

    @Test func `a batch is bounded, and all or nothing in its form`() throws {
        let fake = AdminFake()
        let path = "/internal/invocations_batch_operations/kill"
        #expect(try fake.send("POST", path, #"{"invocation_ids":[]}"#).json == ["succeeded": [], "failed": []])
        let many = Array(repeating: "\"\(text)\"", count: 1001).joined(separator: ",")
        let tooMany = try fake.send("POST", path, #"{"invocation_ids":[\#(many)]}"#)
        #expect(tooMany.status == 400)
        #expect(try tooMany.message == "Batch size 1001 exceeds maximum allowed size of 1000")
        let malformed = try fake.send("POST", path, #"{"invocation_ids":["\#(text)","zzz"]}"#)
        #expect(malformed.status == 422)
        #expect(try malformed.message.contains("invocation_ids[1]: bad format"))
        let resume = "/internal/invocations_batch_operations/resume"
        #expect(try fake.send("POST", resume, #"{"invocation_ids":["\#(text)"],"deployment":"x"}"#).status == 400)
        #expect(fake.commands.isEmpty)
    }
}
