import HoldfastWire

/// Why an endpoint, or what it says about itself, is refused.
public struct DiscoveryError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The code in documents and clients, as `META0013`; nil where there is none.
    public let code: String?
    /// What happened, without the code.
    public let message: String
    /// The HTTP status of the admin API's answer.
    public let status: UInt16
    /// How often the text names the code. Clients know errors of the discovery with two.
    private let codeRepetitions: Int

    /// The message with the code in front, as the admin API sends it.
    public var text: String {
        guard let code else { return message }
        return String(repeating: "[\(code)] ", count: codeRepetitions) + message
    }

    /// The same as `text`.
    public var description: String { text }

    /// An error of the discovery itself, whose status is 500.
    public static func discovery(_ code: String?, _ message: String) -> DiscoveryError {
        DiscoveryError(code: code, message: message, status: 500, codeRepetitions: 2)
    }

    /// An error in a manifest that could be read.
    private static func registration(_ message: String, code: String? = nil) -> DiscoveryError {
        DiscoveryError(code: code, message: message, status: 400, codeRepetitions: 1)
    }
}

// MARK: - Responses that are no manifest

extension DiscoveryError {
    static let noContentType = discovery(
        "META0013",
        "received a bad response from the SDK: No content type header was specified. Expected one of "
            + "'\"\(Manifest.acceptHeader)\"' content type.")

    static func unknownContentType(_ contentType: String) -> DiscoveryError {
        discovery(
            "META0013",
            "received a bad response from the SDK: Bad content type header: \"\(contentType)\". Expected one of "
                + "'\"\(Manifest.acceptHeader)\"'")
    }

    static func undecodable(_ reason: String, body: Bytes) -> DiscoveryError {
        discovery(
            nil,
            "received a bad response from the SDK that cannot be decoded: \(reason). Discovery response: "
                + body.lossyString)
    }

    static let noProtocolMode = discovery("META0013", "received a bad response from the SDK: missing protocol mode")

    static let bidirectionalRefused = discovery(
        "META0015",
        "the SDK reports itself as being in bidirectional protocol mode, but we are not discovering over a transport "
            + "that supports it. Discovering with Lambda or HTTP < 1.1 is not supported")

    static func versionTooLarge(_ which: String) -> DiscoveryError {
        discovery(
            "META0013",
            "received a bad response from the SDK: \(which) protocol version must be in [1, \(Manifest.versionLimit)]")
    }

    static func versionsReversed(_ lowest: UInt64, _ highest: UInt64) -> DiscoveryError {
        discovery(
            "META0013",
            "received a bad response from the SDK: Expected min protocol version to be <= max protocol version. "
                + "Received min protocol version '\(lowest)', max protocol version '\(highest)'")
    }

    static func noCommonVersion(_ lowest: UInt64, _ highest: UInt64) -> DiscoveryError {
        let (oldest, newest) = (ProtocolVersion.v5.rawValue, ProtocolVersion.newest.rawValue)
        return discovery(
            "META0012",
            "unsupported service protocol versions: [\(lowest), \(highest)]. Supported versions by this runtime are "
                + "[\(oldest), \(newest)]. Please upgrade the SDK and try registering again.")
    }
}

// MARK: - Manifests that break a rule

extension DiscoveryError {
    static func reservedName(_ service: String) -> DiscoveryError {
        registration("cannot insert/modify service '\(service)' as it contains a reserved name", code: "META0005")
    }

    static func handlerType(_ type: Manifest.HandlerType, in service: Manifest.ServiceType) -> DiscoveryError {
        registration(
            "invalid combination of service type and handler type '(\(service.title), Some(\(type.title)))'")
    }

    static func workflowRetention(of handler: String) -> DiscoveryError {
        registration("\(handler) sets the workflow_completion_retention, but it's not a WORKFLOW handler")
    }

    static func idempotencyRetention(of handler: String) -> DiscoveryError {
        registration("\(handler) sets the idempotency_retention, but it's a WORKFLOW handler")
    }

    static func publicHandler(_ handler: String, ofPrivate service: String) -> DiscoveryError {
        registration(
            "The service \(service) is private, but the \(handler) is explicitly set as public. This is not supported. "
                + "Please make the service public, and hide the individual handlers")
    }

    static func inputContentType(_ contentType: String, of handler: String, _ reason: String) -> DiscoveryError {
        registration(
            "the handler '\(handler)' input content-type is not valid: can't parse the content-type '\(contentType)': "
                + reason)
    }

    static func outputContentType(_ contentType: String) -> DiscoveryError {
        // The content type stands where the handler's name belongs: that is the text clients know.
        registration(
            "the handler '\(contentType)' output content-type is not valid: failed to parse header value")
    }

}

extension Manifest.ServiceType {
    fileprivate var title: String {
        switch self {
        case .service: "Service"
        case .virtualObject: "VirtualObject"
        case .workflow: "Workflow"
        }
    }
}

extension Manifest.HandlerType {
    fileprivate var title: String {
        switch self {
        case .workflow: "Workflow"
        case .exclusive: "Exclusive"
        case .shared: "Shared"
        }
    }
}
