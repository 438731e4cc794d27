import HoldfastEngine
import HoldfastServiceProtocol

/// Why an attempt failed, and what the failure itself says about the next one.
struct AttemptError: Error, Equatable {
    /// Who decides what follows.
    enum Behavior: Equatable {
        case byPolicy
        case pause
        case fail
    }

    var failure: AttemptFailure
    var behavior = Behavior.byPolicy
    /// Whether trying again can help.
    var isTransient = true
    /// Whether the SDK can have noticed the attempt.
    var reachedSDK = true
    /// Milliseconds until the next attempt, by the word of the SDK or the endpoint.
    var retryAfter: UInt64?

    init(_ message: String, _ documentedCode: String, code: UInt32 = 500) {
        failure = AttemptFailure(code: code, message: message, documentedCode: documentedCode)
    }

    init(failure: AttemptFailure) { self.failure = failure }

    /// The same, known to have happened before the SDK heard of the attempt.
    var beforeSDK: AttemptError {
        var error = self
        error.reachedSDK = false
        return error
    }
}

extension AttemptError {
    /// What the SDK reports.
    init(_ message: ErrorMessage) {
        failure = AttemptFailure(
            code: message.code, message: message.message,
            stacktrace: message.stackTrace.isEmpty ? nil : message.stackTrace,
            documentedCode: Self.documentedCodes[message.code] ?? "RT0007", commandIndex: message.relatedCommandIndex,
            commandName: message.relatedCommandName.flatMap { $0.isEmpty ? nil : $0 },
            commandType: message.relatedCommandType?.description)
        behavior =
            switch message.behavior {
            case .retry: .byPolicy
            case .pause: .pause
            case .fail: .fail
            }
        retryAfter = message.nextRetryDelayMillis
    }

    /// What is wrong with what the SDK sent.
    init(_ error: ProtocolError) {
        self.init(error.message, error.code.rawValue)
        if error.code == .futureTooDeep { behavior = .pause }
    }

    /// Errors of the protocol that SDKs report: another path through the code, and a broken conversation.
    private static let documentedCodes: [UInt32: String] = [570: "RT0016", 571: "RT0012"]
}
