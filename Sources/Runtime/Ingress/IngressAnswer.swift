import HoldfastEngine
import HoldfastServiceProtocol
import HoldfastTransport
import HoldfastWire

/// The answer to one request, before it is sent.
struct IngressAnswer {
    var status: Int
    var headers = HTTPHeaders()
    var body = Bytes()
}

// MARK: - Errors

extension IngressAnswer {
    /// A request that the ingress refused.
    init(_ error: IngressError) {
        self.init(
            json: .object([
                .init("code", JSON(error.status)), .init("message", .string(error.message)),
                .init("source", "ingress"),
            ]), status: error.status)
        headers.add("x-restate-error-source", "ingress")
    }

    /// The failure that an invocation ended with.
    init(_ failure: Failure, stacktrace: String?) {
        // What exceeds 16 bits cannot come from a handler whose SDK keeps the protocol's rules.
        let code = failure.code > 0xFFFF ? 500 : failure.code
        var members: [JSON.Member] = [.init("code", JSON(code)), .init("message", .string(failure.message))]
        if let stacktrace { members.append(.init("stacktrace", .string(stacktrace))) }
        if !failure.metadata.isEmpty {
            members.append(.init("metadata", .object(failure.metadata.map { .init($0.key, .string($0.value)) })))
        }
        members.append(.init("source", "invocation"))
        self.init(json: .object(members), status: Self.status(ofCode: code))
        headers.add("x-restate-error-source", "invocation")
    }

    /// The HTTP status for a failure's code: the code where HTTP can carry it with a body, else 500.
    private static func status(ofCode code: UInt32) -> Int {
        switch code {
        case 204, 304: 500
        case 200...999: Int(code)
        default: 500
        }
    }
}

// MARK: - Results

extension IngressAnswer {
    private init(json: JSON, status: Int) {
        self.init(status: status, headers: ["content-type": "application/json"], body: json.bytes[...])
    }

    /// An invocation's result, with the content type that the handler declares.
    ///
    /// - Parameter output: Nil when the handler is gone; failures look the same for all handlers.
    init(_ result: InvocationResult, output: OutputRules?) {
        switch result.completion {
        case .value(let value):
            self.init(status: 200, body: value)
            if let contentType = output?.contentType(isEmpty: value.isEmpty) {
                headers.add("content-type", contentType)
            }
        case .failure(let failure):
            self.init(failure, stacktrace: result.stacktrace)
        }
        headers.add("x-restate-id", result.id.description)
        // Only a result that was there before the request: it tells until when it can be had again.
        if let expires = result.expires {
            headers.add("idempotency-expires", "\(expires.text(fractionDigits: 3))+00:00")
        }
    }

    /// There is no such invocation to attach to. The partition says so, in the words of a failed invocation.
    init(notAttachable id: InvocationID) {
        self.init(Failure(code: 404, message: "not found"), stacktrace: nil)
        headers.add("x-restate-id", id.description)
    }

    /// A send that is durable.
    init(sent id: InvocationID, executionTime: Timestamp?, isNew: Bool) {
        var members: [JSON.Member] = [.init("invocationId", .string(id.description))]
        if let executionTime {
            members.append(.init("executionTime", .string("\(executionTime.text(fractionDigits: 9))Z")))
        }
        members.append(.init("status", isNew ? "Accepted" : "PreviouslyAccepted"))
        self.init(json: .object(members), status: 202)
        headers.add("x-restate-id", id.description)
    }

    /// The id that a target has.
    init(lookedUp id: InvocationID) {
        self.init(json: .object([.init("invocationId", .string(id.description))]), status: 200)
    }

    /// An awakeable's completion is durable.
    static let awakeableCompleted = IngressAnswer(status: 202)

    /// The server lives, and has these services.
    init(services: [String]) {
        self.init(json: .object([.init("services", .array(services.map(JSON.string)))]), status: 200)
    }
}
