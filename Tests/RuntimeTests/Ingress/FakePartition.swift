import HoldfastEngine
import HoldfastServiceProtocol
import HoldfastWire

@testable import HoldfastRuntime

/// A partition behind the ingress that knows just as much as its tests: results by id, and who waits for them.
///
/// Answers are delivered when `deliver` is called, as those of a real one come in a later turn of the loop.
final class FakePartition: PartitionDoor {
    var registry: Registry
    var now = Timestamp(millis: 1_764_063_600_994)
    /// What a handler ends with; nil: it goes on.
    let run: (InvokeRequest) -> Ending?

    struct Ending {
        var completion: Completion
        var stacktrace: String?
    }

    private struct Invocation {
        var request: InvokeRequest
        var ending: Completion?
        var waiting: [RequestID] = []
    }

    /// Set: no command is taken.
    var refusal: String?
    /// Where invocations that could be anywhere should be.
    var favoured: (UInt64) -> Bool = { _ in true }
    /// Called after each command.
    var onAsk: (() -> Void)?
    private(set) var requests: [InvokeRequest] = []
    private(set) var forgotten: [InvocationID] = []
    private(set) var signals: [(id: InvocationID, signal: Notification)] = []
    private var invocations: [InvocationID: Invocation] = [:]
    private var callbacks: [RequestID: (Answer) -> Void] = [:]
    private var answers: [(RequestID, Answer)] = []
    private var serial: UInt64 = 0

    init(registry: Registry, run: @escaping (InvokeRequest) -> Ending?) {
        self.registry = registry
        self.run = run
    }

    // MARK: The door

    func favours(_ partitionKey: UInt64) -> Bool { favoured(partitionKey) }

    func ask(
        _ partitionKey: UInt64, _ command: (RequestID) -> Command, answered: @escaping (Answer) -> Void
    ) -> RequestID {
        serial += 1
        let request = RequestID(loop: 0, serial: serial)
        callbacks[request] = answered
        if let refusal { answer(request, .failed(refusal)) } else { apply(command(request)) }
        onAsk?()
        return request
    }

    func forget(_ request: RequestID, of invocation: InvocationID) {
        callbacks[request] = nil
        forgotten.append(invocation)
    }

    var isAnyoneWaiting: Bool { !callbacks.isEmpty }

    func deliver() {
        let due = answers
        answers = []
        for (request, answer) in due { callbacks.removeValue(forKey: request)?(answer) }
    }

    // MARK: What tests do to invocations

    /// The invocation ends, and is forgotten when it is not `kept`.
    func end(_ id: InvocationID, _ ending: Ending, kept: Bool = true) {
        guard var invocation = invocations[id] else { return }
        let waiting = invocation.waiting
        invocation.ending = ending.completion
        invocation.waiting = []
        invocations[id] = kept ? invocation : nil
        for request in waiting {
            answer(
                request, .result(result(id, invocation, ending.completion, stacktrace: ending.stacktrace)))
        }
    }

    private func answer(_ request: RequestID, _ answer: Answer) { answers.append((request, answer)) }

    private func result(
        _ id: InvocationID, _ invocation: Invocation, _ completion: Completion, expires: Timestamp? = nil,
        stacktrace: String? = nil
    ) -> InvocationResult {
        InvocationResult(
            id: id, target: invocation.request.target, completion: completion, expires: expires,
            stacktrace: stacktrace)
    }

    // MARK: Commands

    private func apply(_ command: Command) {
        switch command {
        case .invoke(let request, let caller): invoke(request, caller)
        case .attach(let id, let request): attach(id, request)
        case .output(let id, let request):
            if invocations[id]?.ending == nil {
                answer(request, invocations[id] == nil ? .unknown(id) : .notCompleted(id))
            } else {
                attach(id, request)
            }
        case .signal(let id, let signal, let request):
            signals.append((id, signal))
            if let request { answer(request, .signalled) }
        default: break
        }
    }

    private func invoke(_ request: InvokeRequest, _ caller: Caller) {
        requests.append(request)
        let known = invocations[request.id]
        if known == nil { invocations[request.id] = Invocation(request: request) }
        switch caller {
        case .sender(let client):
            let time = known == nil ? request.executionTime : known?.request.executionTime
            answer(client, .submitted(request.id, executionTime: time, isNew: known == nil))
        case .client(let client) where known != nil && request.target.kind == .workflowRun:
            let refusal = Failure(code: 409, message: "the workflow method was already invoked")
            answer(
                client,
                .result(InvocationResult(id: request.id, target: request.target, completion: .failure(refusal))))
        case .client(let client): attach(request.id, client)
        default: break
        }
        if known == nil, request.executionTime == nil, let ending = run(request) { end(request.id, ending) }
    }

    private func attach(_ id: InvocationID, _ client: RequestID) {
        guard let invocation = invocations[id] else { return answer(client, .unknown(id)) }
        if let ending = invocation.ending {
            let expires = now.advanced(by: invocation.request.completionRetention)
            answer(client, .result(result(id, invocation, ending, expires: expires)))
        } else {
            invocations[id]?.waiting.append(client)
        }
    }
}
