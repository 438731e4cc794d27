import HoldfastEngine
import HoldfastServiceProtocol
import HoldfastWire

// What operators read when an attempt fails, in one place. The words are those of the protocol's reference
// implementation where tools compare them (semantics §7.1, discovery §9); the rest say what happened, why, what to do.

// MARK: - No attempt possible

extension AttemptError {
    static let noDeployment =
        AttemptError("no deployment was found to process the invocation", "RT0011").beforeSDK

    static func pinnedDeploymentMissing(_ id: DeploymentID) -> Self {
        AttemptError(
            "the invocation has a deployment id associated, but it was not found in the registry. This might indicate "
                + "that a deployment was forcefully removed from the registry, but there was an in-flight invocation. "
                + "Register '\(id)' again, or resume the invocation on another deployment.", "RT0011"
        ).beforeSDK
    }

    static func incompatibleVersions(_ deployment: DeploymentID, _ versions: ClosedRange<Int>) -> Self {
        AttemptError(
            "cannot talk to service endpoint '\(deployment)' because its service protocol versions "
                + "[\(versions.lowerBound), \(versions.upperBound)] are incompatible with the server's service protocol "
                + "versions [1, 7].", "RT0013"
        ).beforeSDK
    }

    static func pinnedVersionUnsupported(_ version: Int) -> Self {
        AttemptError(
            "cannot resume invocation because it was created with an incompatible service protocol version "
                + "'\(version)' and the server does not support upgrading versions yet", "RT0014"
        ).beforeSDK
    }

    static func storeUnreadable(_ what: String) -> Self {
        AttemptError("cannot read the invocation from the store: \(what)", "RT0006").beforeSDK
    }

    static func unsigned(_ error: RequestIdentityError) -> Self {
        AttemptError(error.description, "RT0006").beforeSDK
    }
}

// MARK: - The exchange

extension AttemptError {
    static func connection(uri: String, _ reason: String) -> Self {
        AttemptError("error when calling '\(uri)': \(reason)", "RT0010")
    }

    /// No failed attempt to the policy: the endpoint did not even look at it.
    static func refused(uri: String, _ reason: String, retryAfter: UInt64) -> Self {
        var error = connection(uri: uri, reason).beforeSDK
        error.retryAfter = retryAfter
        return error
    }

    static func reset(_ reason: String) -> Self {
        AttemptError("unexpected error while reading the response body: \(reason)", "RT0010")
    }

    static func unavailable(status: Int) -> Self {
        AttemptError("service is temporary unavailable '\(HTTPStatusText.of(status))'", "RT0010")
    }

    static func rateLimited(status: Int, retryAfter: UInt64?) -> Self {
        var error = AttemptError("service is rate limited due to '\(HTTPStatusText.of(status))'", "RT0023")
        error.retryAfter = retryAfter
        return error
    }

    static func versionRefused(_ version: Int) -> Self {
        AttemptError(
            "cannot start the invocation because the SDK doesn't support the protocol version '\(version)' "
                + "negotiated at discovery time", "RT0015", code: 415
        ).beforeSDK
    }

    static let contentTooLarge = AttemptError("service replied with content too large", "RT0019")

    static func status(_ status: Int) -> Self {
        AttemptError("unexpected http status code: \(HTTPStatusText.of(status))", "RT0012")
    }

    static func contentType(_ found: String?, expected: String) -> Self {
        let found = found.map { #"Some("\#($0)")"# } ?? "None"
        return AttemptError(#"unexpected content type '\#(found)'; expected content type '"\#(expected)"'"#, "RT0012")
    }

    static let endedWithoutMessage = AttemptError("unknown", "RT0007")

    static func abortTimeout(_ milliseconds: UInt64) -> Self {
        AttemptError(
            "the invocation stream was closed after the 'abort timeout' (\(formatDuration(.milliseconds(milliseconds)))) fired.",
            "RT0001")
    }
}

// MARK: - Memory

extension AttemptError {
    static func memoryExhausted(limit: Int) -> Self {
        AttemptError(
            "memory budget exhausted: all attempts together have more than \(limit) bytes of messages that are under way; "
                + "consider increasing 'worker.invoker.memory-limit'", "RT0001")
    }
}

// MARK: - Messages

extension AttemptError {
    static func messageTooLarge(_ size: Int, limit: Int) -> Self {
        AttemptError(
            "message size limit exceeded: a message has \(size) bytes, the limit is \(limit) bytes "
                + "('worker.invoker.message-size-limit')", "RT0003")
    }

    static func unexpectedMessage(_ type: MessageType) -> Self {
        guard type.row != nil else {
            return AttemptError(
                "received a message of unknown type \(type): the SDK speaks another version of the service protocol than "
                    + "was negotiated", "RT0012")
        }
        return AttemptError("received unexpected message: \(type.longName)", "RT0012")
    }

    static func undecodable(_ reason: String) -> Self {
        AttemptError("cannot decode entry: decoding error: \(reason)", "RT0012")
    }

    static func unreadableMessage(_ name: String, _ reason: String) -> Self {
        AttemptError("cannot decode message \(name): \(reason)", "RT0012")
    }

    static let proposalWithoutResult = AttemptError(
        "received a run completion proposal that has neither a value nor a failure", "RT0012")

    /// A command that may not be issued here or with these arguments (protocol §9).
    static func precondition(_ violation: PreconditionViolation, command: MessageType, index: UInt32) -> Self {
        AttemptError(
            "cannot process command Command: \(command) (command index \(index)) because of a failed precondition: "
                + violation.text, violation.documentedCode)
    }
}

/// Status code and reason, as logs and errors print it: `404 Not Found`.
enum HTTPStatusText {
    static func of(_ status: Int) -> String {
        reasons[status].map { "\(status) \($0)" } ?? "\(status) <unknown status code>"
    }

    private static let reasons: [Int: String] = [
        300: "Multiple Choices", 301: "Moved Permanently", 302: "Found", 303: "See Other", 304: "Not Modified",
        307: "Temporary Redirect", 308: "Permanent Redirect", 400: "Bad Request", 401: "Unauthorized",
        402: "Payment Required", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 406: "Not Acceptable",
        407: "Proxy Authentication Required", 408: "Request Timeout", 409: "Conflict", 410: "Gone",
        411: "Length Required", 412: "Precondition Failed", 413: "Payload Too Large", 414: "URI Too Long",
        415: "Unsupported Media Type", 416: "Range Not Satisfiable", 417: "Expectation Failed", 418: "I'm a teapot",
        421: "Misdirected Request", 422: "Unprocessable Entity", 423: "Locked", 424: "Failed Dependency",
        426: "Upgrade Required", 428: "Precondition Required", 429: "Too Many Requests",
        431: "Request Header Fields Too Large", 451: "Unavailable For Legal Reasons", 500: "Internal Server Error",
        501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout",
        505: "HTTP Version Not Supported", 506: "Variant Also Negotiates", 507: "Insufficient Storage",
        508: "Loop Detected", 511: "Network Authentication Required",
    ]
}

extension MessageType {
    /// The name with what kind of message it is: `CallCommand`, `SleepCompletionNotification`.
    fileprivate var longName: String {
        if isCommand { return "\(self)Command" }
        return isNotification && self != .signal ? "\(self)Notification" : description
    }
}
