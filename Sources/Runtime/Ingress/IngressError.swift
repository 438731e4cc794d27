import HoldfastWire

/// A request that the ingress itself refuses: the HTTP status, and what the client is told.
///
/// The texts are what clients of the ingress API know, so their words are fixed (ingress §2 to §7).
struct IngressError: Error, Equatable {
    /// The HTTP status, and the `code` of the body.
    var status: Int
    var message: String

    private static func badRequest(_ message: String) -> Self { Self(status: 400, message: message) }
}

// MARK: - Routes

extension IngressError {
    static let notFound = Self(status: 404, message: "not found")
    static let methodNotAllowed = Self(status: 405, message: "method not allowed")
    static let overloaded = Self(
        status: 429, message: "too many requests, the ingress is overloaded. Retry later.")

    static func badPath(_ path: Bytes) -> Self { badRequest("bad path: \(path.lossyString)") }

    static let badServicePath = badRequest(
        "bad path, expected either /:service-name/:handler or /:object-name/:object-key/:handler")
    static let badVerbPath = badRequest(
        "bad path, expected /restate/call/:service/:handler, /restate/send/:service/:handler, "
            + "/restate/scope/:scope/call/:service/:handler, /restate/attach/:invocation_id, "
            + "/restate/output/:invocation_id, or /restate/lookup")
    static let badInvocationPath = badRequest(
        "bad path, expected either /restate/invocation/:invocation_id/output or "
            + "/restate/invocation/:invocation_id/attach or "
            + "/restate/invocation/:invocation_target/:idempotency_key/output or "
            + "/restate/invocation/:invocation_target/:idempotency_key/attach")
    static let badWorkflowPath = badRequest(
        "bad path, expected either /restate/workflow/:workflow_name/:workflow_key/output or "
            + "/restate/workflow/:workflow_name/:workflow_key/attach")
    static let badAwakeablePath = badRequest(
        "bad path, expected either /restate/awakeables/:id/resolve or /restate/awakeables/:id/reject")

    /// A key or scope that is not UTF-8.
    static func badKey(_ bytes: Bytes, _ fault: UTF8Fault) -> Self {
        let length = fault.faultyCount.map { "Some(\($0))" } ?? "None"
        return badRequest(
            "bad path, cannot decode key: FromUtf8Error { bytes: \(Array(bytes)), "
                + "error: Utf8Error { valid_up_to: \(fault.validCount), error_len: \(length) } }")
    }

    static func badInvocationID(_ text: String, _ error: IdentifierError) -> Self {
        badRequest("bad invocation id '\(text)': \(error)")
    }

    static func badAwakeableID(_ text: String, _ error: IdentifierError) -> Self {
        badRequest("bad awakeable id '\(text)': \(error)")
    }
}

// MARK: - Targets

extension IngressError {
    static func serviceNotFound(_ service: String) -> Self {
        Self(
            status: 404,
            message: "service '\(service)' not found, make sure to register the service before calling it.")
    }

    static func handlerNotFound(_ handler: String, of service: String) -> Self {
        Self(
            status: 404,
            message: "the service '\(service)' exists, but the handler '\(handler)' was not found, "
                + "check that the handler exists in the latest registered service version.")
    }

    static let notPublic = badRequest("the invoked service is not public")

    static let keyOnWorkflowRun = badRequest(
        "cannot use the idempotency key with workflow handlers. "
            + "The handler invocation will already be idempotent by the workflow key itself.")

    static func badScope(_ fault: String) -> Self { badRequest("bad scope value: \(fault)") }

    static let scopesDisabled = badRequest("scoped invocations require vqueues to be enabled")
    static let scopeOnObject = badRequest("scope is not supported for Virtual Object targets")
}

// MARK: - Content

extension IngressError {
    /// A header value with a byte outside of space, tab and visible ASCII.
    static func badHeader(_ name: String) -> Self { badRequest("bad header \(name): ToStrError { _priv: () }") }

    static let bodyTooLarge = Self(status: 413, message: "cannot read body: LengthLimitError")
    static let bodyBroken = badRequest(
        "cannot read body: it ended too early, or is not encoded as its headers say; send it again")

    static func badInput(_ fault: String) -> Self { badRequest("input validation error: \(fault)") }

    static func badDelay(_ fault: String) -> Self {
        badRequest("bad delay query parameter, must be a ISO8601 duration: \(fault)")
    }

    static let delayOnCall = badRequest(
        "cannot use the delay query parameter with calls. The delay is supported only with sends")

    static func badLimitKey(_ fault: String) -> Self { badRequest("invalid limit-key: \(fault)") }

    static let limitKeyWithoutScope = badRequest("limit-key requires a scope to be set")

    /// `kind` is `lookup` or `request`.
    static func badTargetBody(_ kind: String, _ fault: String) -> Self {
        badRequest("cannot read body: invalid \(kind) body: \(fault)")
    }
}

// MARK: - Results

extension IngressError {
    static let invocationNotFound = Self(status: 404, message: "invocation not found")
    static let notCompleted = Self(
        status: 470, message: "the invocation exists but has not completed yet")

    /// The partition could not take the request, which had no effect: it is safe to try again.
    static func unavailable(_ reason: String) -> Self { Self(status: 503, message: reason) }
}
