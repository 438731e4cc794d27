import HoldfastEngine
import HoldfastWire

/// What a simulated handler does: drawn from a seed that comes with the handler's input, so that every attempt, whenever
/// it runs, does the same.
struct Program {
    enum Operation {
        /// Reads the object's list, and appends a token that names this operation.
        case append
        /// Runs a step, whose value is drawn anew each time that it is run.
        case step
        case sleep(millis: UInt64)
        /// Calls handlers and waits for all results.
        case call([Callee])
        case send(Callee, delay: UInt64)
        /// Sends itself a handler that signals back by name; waits for the signal, but not for ever.
        case askBack(Callee)
        /// Waits for something that the world outside completes.
        case awakeable
        /// Waits for the workflow's promise.
        case promise
        /// Completes the workflow's promise, or finds that it was completed.
        case completePromise
        /// Attaches to the callee of a one-way call.
        case attach(Callee)
        /// Cancels a callee, and waits for it.
        case cancel(Callee)
    }

    struct Callee {
        var service: Service
        var key: Int
        var seed: UInt64
        /// Gives the invocation an identity that others can have, too.
        var idempotencyKey: String?
    }

    /// Whom programs call: objects call only objects of a higher level, so that they don't wait for each other in a ring.
    enum Service: Hashable {
        case plain
        case object(level: Int)
        case workflow
        case workflowHelper

        var name: String {
            switch self {
            case .plain: "Plain"
            case .object(let level): "Object\(level)"
            case .workflow, .workflowHelper: "Flow"
            }
        }

        var kind: TargetKind {
            switch self {
            case .plain: .service
            case .object: .objectExclusive
            case .workflow: .workflowRun
            case .workflowHelper: .workflowShared
            }
        }
    }

    static let deepestLevel = 3

    let operations: [Operation]
    /// Ends with a terminal failure of its own.
    let fails: Bool

    init(_ input: Input) {
        guard input.seed != Input.nothing else {
            operations = input.service == .workflowHelper ? [.completePromise] : []
            fails = false
            return
        }
        var random = FastRandom(seed: input.seed)
        var operations: [Operation] = []
        for _ in 0..<Int.random(in: 0...4, using: &random) {
            operations.append(Self.operation(input, &random))
        }
        if input.service == .workflow, operations.count.isMultiple(of: 2) { operations.append(.promise) }
        if input.service == .workflowHelper { operations.append(.completePromise) }
        self.operations = operations
        fails = Int.random(in: 0..<10, using: &random) == 0
    }

    private static func operation(_ input: Input, _ random: inout FastRandom) -> Operation {
        switch Int.random(in: 0..<12, using: &random) {
        case 0...1: return input.service.kind == .objectExclusive ? .append : .step
        case 2: return .step
        case 3: return .sleep(millis: UInt64.random(in: 0...300, using: &random))
        case 4: return .awakeable
        default: break
        }
        // Every level down there are fewer calls, or the tree never ends.
        guard input.level < deepestLevel, Int.random(in: 0...input.level, using: &random) == 0 else { return .append }
        switch Int.random(in: 0..<8, using: &random) {
        case 0...2:
            return .call((0..<Int.random(in: 1...3, using: &random)).map { _ in callee(input, &random) })
        case 3...4:
            return .send(
                callee(input, &random),
                delay: Bool.random(using: &random) ? 0 : UInt64.random(in: 1...200, using: &random))
        case 5: return .askBack(callee(input, &random))
        case 6: return .attach(callee(input, &random))
        default: return .cancel(callee(input, &random))
        }
    }

    private static func callee(_ input: Input, _ random: inout FastRandom) -> Callee {
        let services: [Service] = [
            .plain, .object(level: input.level + 1), .object(level: input.level + 1), .workflow, .workflowHelper,
        ]
        let service = services[Int.random(in: 0..<services.count, using: &random)]
        let isShared = Int.random(in: 0..<4, using: &random) == 0
        return Callee(
            service: service, key: Int.random(in: 0..<3, using: &random), seed: random.next() >> 8,
            idempotencyKey: isShared && service != .workflow
                ? "k\(input.level)\(Int.random(in: 0..<3, using: &random))" : nil)
    }
}

/// The input of a simulated handler.
struct Input {
    var seed: UInt64
    var level: Int
    var service: Program.Service
    /// Whom to signal when the handler has run, and under which name.
    var replyTo: (id: String, name: String)?

    /// The seed of a handler that does nothing, but complete the workflow's promise if it is a helper.
    static let nothing: UInt64 = 0

    var text: String {
        var text = "\(seed) \(level)"
        if let replyTo { text += " \(replyTo.id) \(replyTo.name)" }
        return text
    }

    init(seed: UInt64, level: Int, service: Program.Service, replyTo: (id: String, name: String)? = nil) {
        self.seed = seed
        self.level = level
        self.service = service
        self.replyTo = replyTo
    }

    init?(_ text: String, target: InvocationTarget) {
        let words = text.split(separator: " ").map(String.init)
        guard words.count >= 2, let seed = UInt64(words[0]), let level = Int(words[1]) else { return nil }
        let service: Program.Service =
            switch target.kind {
            case .service: .plain
            case .objectExclusive, .objectShared: .object(level: level)
            case .workflowRun: .workflow
            case .workflowShared: .workflowHelper
            }
        self.init(
            seed: seed, level: level, service: service,
            replyTo: words.count >= 4 ? (id: words[2], name: words[3]) : nil)
    }
}
