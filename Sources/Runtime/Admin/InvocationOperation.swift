import HoldfastEngine
import HoldfastWire

/// What operators do to invocations, and what each outcome is to them (admin §6).
enum InvocationOperation: String, CaseIterable, Sendable {
    case cancel
    case kill
    case purge
    case purgeJournal = "purge-journal"
    case pause
    case resume
    case restart = "restart-as-new"

    /// What it does, for people.
    var summary: String {
        switch self {
        case .cancel: "Asks an invocation to end."
        case .kill: "Ends an invocation at once."
        case .purge: "Forgets a completed invocation."
        case .purgeJournal: "Forgets the journal of a completed invocation."
        case .pause: "Stops an invocation until it is resumed."
        case .resume: "Lets a paused or suspended invocation go on."
        case .restart: "Runs a completed invocation again, under another id."
        }
    }

    /// The deployment that it goes on with if the request names none.
    var defaultDeployment: DeploymentChoice { self == .restart ? .latest : .keep }

    /// How an operation ended for one invocation.
    enum Result: Equatable {
        /// It is so now.
        case done
        /// It will be so.
        case accepted
        case restarted(InvocationID)
        case refused(Refusal)
    }

    /// Why an operation was refused.
    struct Refusal: Error, Equatable {
        let status: Int
        /// For the request that names one invocation.
        let message: String
        /// For a batch.
        let briefMessage: String

        static func deploymentFixed(_ id: InvocationID) -> Refusal {
            Refusal(
                status: 409,
                message:
                    "The invocation '\(id)' is still running or the deployment id is not pinned yet, deployment id "
                    + "cannot be changed.",
                briefMessage: "Cannot change deployment ID for invocation '\(id)'")
        }
    }

    /// What an outcome means.
    func result(of outcome: OperationOutcome, _ id: InvocationID) -> Result {
        switch outcome {
        case .done, .unchanged: return .done
        case .accepted: return self == .kill || self == .resume ? .done : .accepted
        case .restarted(let id): return .restarted(id)
        case .unknown:
            return .refused(
                Refusal(
                    status: 404, message: "The requested invocation '\(id)' does not exist",
                    briefMessage: "Invocation '\(id)' not found"))
        case .running where self == .resume: return .refused(.deploymentFixed(id))
        case .deploymentFixed: return .refused(.deploymentFixed(id))
        case .deploymentMissing:
            let verb = self == .restart ? "restart" : "resume"
            return .refused(
                Refusal(
                    status: 400,
                    message: "The given deployment was not found when trying to \(verb) the invocation '\(id)'.",
                    briefMessage: "Deployment not found for invocation '\(id)'"))
        case .incompletePrefix:
            let message =
                "The prefix of the journal '\(id)' up to 'from' (included) contains some Commands without "
                + "respective Completions."
            return .refused(Refusal(status: 400, message: message, briefMessage: message))
        case .prefixTooLong(let limit):
            let message =
                "The invocation '\(id)' cannot be restarted from there: 'from' must be below \(limit), since the entries up "
                + "to it are copied at once."
            return .refused(Refusal(status: 422, message: message, briefMessage: message))
        case .unsupported:
            let rest =
                "is not supported. Restarting workflows is not supported, and restarting invocations created using "
                + "the old service protocol."
            return .refused(
                Refusal(
                    status: 422, message: "Restarting the invocation '\(id)' \(rest)",
                    briefMessage: "Restarting invocation '\(id)' is not supported"))
        case .completed, .notCompleted, .notStarted, .running, .journalGone, .deploymentIncompatible:
            let (status, predicate) = self.predicate(of: outcome)
            return .refused(
                Refusal(
                    status: status, message: "The invocation '\(id)' \(predicate).",
                    briefMessage: "Invocation '\(id)' \(predicate)"))
        }
    }

    /// Status, and what is said of the invocation.
    private func predicate(of outcome: OperationOutcome) -> (Int, String) {
        switch (outcome, self) {
        case (.completed, .pause), (.notStarted, .pause): (409, "is not running, cannot be paused")
        case (.completed, .resume): (409, "is completed, cannot be resumed")
        case (.completed, _): (409, "was already completed")
        case (.notStarted, .resume): (425, "is either inboxed or scheduled, cannot be resumed")
        case (.notStarted, .restart): (425, "cannot be restarted because it's not running yet")
        case (.notCompleted, _), (.notStarted, _): (409, "is not yet completed")
        case (.journalGone, _):
            (
                410,
                "cannot be restarted because the input is not available. This indicates that the journal was already "
                    + "purged, or not retained at all"
            )
        case (.deploymentIncompatible, _):
            (400, "was started with a service protocol version that the given deployment does not speak")
        default: (409, "is still running")
        }
    }

    /// The command to the invocation's partition.
    func command(
        _ id: InvocationID, deployment: DeploymentChange, from: UInt32, newID: InvocationID, _ request: RequestID
    ) -> Command {
        switch self {
        case .cancel: .cancel(id, request)
        case .kill: .kill(id, request)
        case .purge: .purge(id, request)
        case .purgeJournal: .purgeJournal(id, request)
        case .pause: .pause(id, request)
        case .resume: .resume(id, deployment, request)
        case .restart:
            .restart(RestartRequest(id: id, newID: newID, from: from, deployment: deployment), request)
        }
    }
}

/// The deployment that an operator wants an invocation to go on with.
enum DeploymentChoice: Equatable, Sendable {
    /// The pinned one.
    case keep
    /// The deployment of the service's active revision.
    case latest
    case specific(DeploymentID)

    init(text: String) throws(IdentifierError) {
        switch text {
        case "keep", "Keep": self = .keep
        case "latest", "Latest": self = .latest
        default: self = .specific(try DeploymentID(text: text))
        }
    }
}
