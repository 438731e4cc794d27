import HoldfastEngine
import HoldfastServiceProtocol
import HoldfastTransport
import HoldfastWire

/// One request, from its head to its answer.
///
///     head ──▶ reading ──▶ waiting ──▶ finished
///       │         │           └─ the client left: the partition forgets the request, the invocation goes on
///       └─────────┴─ refused, or answered from what this loop knows ──▶ finished
///
/// What the head alone decides is answered before the body is read, as the order of ingress §4 demands.
final class IngressExchange {
    private enum State {
        /// The body is arriving. Next: `waiting`, `finished`.
        case reading(PendingRequest)
        /// A partition was asked; the request has no number before `ask` returns. Next: `finished`.
        case waiting(RequestID?, InvocationID)
        /// Answered, or nobody wants the answer any more.
        case finished
    }

    /// What is to be done once the body is there.
    private enum PendingRequest {
        case submission(Submission, IngressRequest)
        case resultOfTarget(ResultWait)
        case lookup
        case awakeable(AwakeableID, AwakeableVerb)
    }

    /// What a partition was asked, as far as the words of the answer depend on it.
    private enum Question {
        case submission(OutputRules)
        case result(ResultWait)
        case signal
    }

    private let service: IngressService
    private let send: (IngressAnswer) -> Void
    private var origin: String?
    private var isAdmitted = false
    private var state = State.finished

    /// - Parameter send: Sends the answer; called at most once.
    init(_ service: IngressService, send: @escaping (IngressAnswer) -> Void) {
        self.service = service
        self.send = send
    }

    // MARK: - What the connection tells

    /// The head has arrived.
    ///
    /// - Returns: Whether the body is wanted; if not, the request is answered, or a partition was asked.
    func began(_ request: IngressRequest) -> Bool {
        origin = request.headers["origin"]
        guard request.method != "OPTIONS" else {
            finish(CrossOrigin.preflight(for: request))
            return false
        }
        if let admission = service.admission {
            guard admission.enter() else {
                finish(IngressAnswer(.overloaded))
                return false
            }
            isAdmitted = true
        }
        attempt { () throws(IngressError) in try route(request) }
        if case .reading = state { return true }
        return false
    }

    /// The body has arrived, or will never.
    func bodyEnded(_ body: Result<Bytes, BodyError>) {
        guard case .reading(let pending) = state else { return }  // The client has left.
        attempt { () throws(IngressError) in
            switch body {
            case .success(let bytes): try act(pending, body: bytes)
            case .failure(.tooLarge): throw .bodyTooLarge
            case .failure(.aborted): throw .bodyBroken
            }
        }
    }

    /// Nobody will read the answer.
    ///
    /// The invocation goes on: it was accepted, and its result is kept for whoever asks again.
    func clientLeft() {
        if case .waiting(let request?, let id) = state { service.door.forget(request, of: id) }
        state = .finished
        leave()
    }

    // MARK: - What the request asks for

    private func route(_ request: IngressRequest) throws(IngressError) {
        let registry = service.door.registry
        switch try IngressRoute(request.path, kind: { registry.activeService($0)?.kind }) {
        case .submit(let route):
            let submission = try Submission(
                route, request, door: service.door, settings: service.settings, random: &service.random)
            state = .reading(.submission(submission, request))
        case .result(let wait, let id):
            try request.require("GET")
            ask(wait, id)
        case .resultOfTarget(let wait):
            try request.require("POST")
            state = .reading(.resultOfTarget(wait))
        case .lookup:
            try request.require("POST")
            state = .reading(.lookup)
        case .awakeable(let text, let verb):
            try request.require("POST")
            state = .reading(.awakeable(try Self.awakeableID(text), verb))
        case .health:
            try request.require("GET")
            finish(IngressAnswer(services: registry.services.map(\.name)))
        case .openAPI:
            throw .notFound
        }
    }

    private static func awakeableID(_ text: String) throws(IngressError) -> AwakeableID {
        do throws(IdentifierError) {
            return try AwakeableID(text: text)
        } catch {
            throw .badAwakeableID(text, error)
        }
    }

    private func act(_ pending: PendingRequest, body: Bytes) throws(IngressError) {
        switch pending {
        case .submission(let submission, let request):
            submit(submission, try submission.invokeRequest(request, body: body, now: service.door.now))
        case .resultOfTarget(let wait):
            ask(wait, try InvocationReference(body: body, kind: "request").id)
        case .lookup:
            finish(IngressAnswer(lookedUp: try InvocationReference(body: body, kind: "lookup").id))
        case .awakeable(.signal(let id, let index), let verb):
            let result: Notification.Result =
                switch verb {
                case .resolve: .value(body)
                case .reject: .failure(Failure(code: 500, message: body.lossyString))
                }
            let signal = Notification.signal(.signal(index), result)
            ask(.signal, id) { .signal(id, signal, $0) }
        case .awakeable(.entry, _):
            // From a protocol version that no deployment speaks any more: nobody can wait for it.
            finish(.awakeableCompleted)
        }
    }

    // MARK: - What the partition is asked

    private func submit(_ submission: Submission, _ request: InvokeRequest) {
        ask(.submission(submission.handler.handler.output), request.id) { requestID in
            var request = request
            request.source = .ingress(requestID)
            return .invoke(request, submission.verb == .call ? .client(requestID) : .sender(requestID))
        }
    }

    private func ask(_ wait: ResultWait, _ id: InvocationID) {
        ask(.result(wait), id) { request in
            switch wait {
            case .attach: .attach(id, request)
            case .output: .output(id, request)
            }
        }
    }

    private func ask(_ question: Question, _ id: InvocationID, _ command: (RequestID) -> Command) {
        state = .waiting(nil, id)
        let request = service.door.ask(id.partitionKey, command) { [self] answer in
            guard case .waiting = state else { return }  // The client left while the answer was on its way.
            finish(render(answer, to: question))
        }
        if case .waiting = state { state = .waiting(request, id) }
    }

    private func render(_ answer: Answer, to question: Question) -> IngressAnswer {
        switch answer {
        case .result(let result):
            let output = outputRules(of: result.target, question)
            if output == nil, case .value = result.completion { return IngressAnswer(.notFound) }
            return IngressAnswer(result, output: output)
        case .submitted(let id, let executionTime, let isNew):
            return IngressAnswer(sent: id, executionTime: executionTime, isNew: isNew)
        case .unknown(let id):
            if case .result(.output) = question { return IngressAnswer(.invocationNotFound) }
            return IngressAnswer(notAttachable: id)
        case .notCompleted:
            return IngressAnswer(.notCompleted)
        case .signalled:
            return .awakeableCompleted
        case .failed(let reason):
            return IngressAnswer(.unavailable(reason))
        case .operation, .stateMutationAccepted:
            return IngressAnswer(.unavailable("The partition answered another request than this one. Try again."))
        }
    }

    /// Whoever waits for an invocation of somebody else gets it as the handler's latest revision declares it; nil: the
    /// handler is gone.
    private func outputRules(of target: InvocationTarget, _ question: Question) -> OutputRules? {
        if case .submission(let output) = question { return output }
        return service.door.registry.resolve(service: target.service, handler: target.handler)?.handler.output
    }

    // MARK: - The end

    private func attempt(_ body: () throws(IngressError) -> Void) {
        do throws(IngressError) {
            try body()
        } catch {
            finish(IngressAnswer(error))
        }
    }

    private func finish(_ answer: IngressAnswer) {
        var answer = answer
        CrossOrigin.add(to: &answer.headers, origin: origin)
        state = .finished
        leave()
        send(answer)
    }

    private func leave() {
        if isAdmitted { service.admission?.leave() }
        isAdmitted = false
    }
}
