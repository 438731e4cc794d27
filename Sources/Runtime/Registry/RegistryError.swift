import HoldfastServiceProtocol
import HoldfastWire

/// Why the registry refuses a change, in the words that operators see (admin §4.5, discovery §6.3).
struct RegistryError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The HTTP status of the answer.
    let status: Int
    /// The documented code (`META0006`), docs/errors.md.
    let code: String?
    /// What happened, behind the code if there is one.
    let message: String

    var description: String { message }

    init(status: Int, code: String? = nil, _ text: String) {
        self.status = status
        self.code = code
        message = code.map { "[\($0)] \(text)" } ?? text
    }
}

// MARK: - What is not there

extension RegistryError {
    static func deploymentNotInRegistry(_ id: DeploymentID) -> Self {
        Self(status: 404, "not found in the schema registry: deployment with id '\(id)'")
    }

    static func serviceNotInRegistry(_ name: String) -> Self {
        Self(status: 404, "not found in the schema registry: service with name '\(name)'")
    }

    static func serviceUnknown(_ name: String) -> Self {
        Self(status: 404, "The requested service '\(name)' does not exist")
    }
}

// MARK: - Changes that are refused

extension RegistryError {
    static func serviceTypeChanged(service: String) -> Self {
        Self(
            status: 409, code: "META0006",
            "detected a new service revision for '\(service)' changing the service type from previous revision. "
                + "Service type cannot be changed across revisions.")
    }

    static func protocolRangeChanged(from: ClosedRange<Int>, to: ClosedRange<Int>) -> Self {
        Self(
            status: 400, code: "META0016",
            "an update deployment operation must provide an endpoint with the same services and handlers. The update "
                + "tried to change the supported protocol versions from \(from.lowerBound)..=\(from.upperBound) "
                + "to \(to.lowerBound)..=\(to.upperBound)")
    }

    static func workflowRetentionOfOther(kind: ServiceKind) -> Self {
        Self(status: 400, "modifying retention time for service type \(kind.rawValue) is unsupported")
    }

    static func rulePrecondition(_ precondition: RulePrecondition, pattern: String, actual: UInt32?) -> Self {
        let expected =
            switch precondition {
            case .none: "None"
            case .doesNotExist: "DoesNotExist"
            case .matches(let version): "Matches(v\(version))"
            }
        let found = actual.map { "Some(v\($0))" } ?? "None"
        return Self(
            status: 409, "rule precondition \(expected) for pattern \(pattern) failed (actual version: \(found))")
    }

    static let ruleBookFull = Self(status: 422, "rule book is full (\(RuleBook.capacity) rules)")
}

// MARK: - Endpoints that are refused

extension RegistryError {
    /// What the discovery says, in its own words.
    init(_ error: DiscoveryError) {
        status = Int(error.status)
        code = error.code
        message = error.text
    }

    /// - Parameter side: `input` or `output`.
    static func jsonSchema(service: String, handler: String, side: String, reason: String) -> Self {
        Self(status: 400, "the json schema for \(service)/\(handler) \(side) is invalid: \(reason)")
    }
}
