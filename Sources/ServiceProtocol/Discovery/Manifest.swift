import HoldfastWire

/// What an endpoint says about itself: which services it serves, and how.
///
/// Versions 1 to 4 of the document are one schema: what a version adds is optional everywhere. Fields that this
/// program does not know are ignored. Durations are milliseconds; nil means that the next level decides (the service
/// for its handlers, the server for the service).
public struct Manifest: Sendable, Hashable {
    /// How an endpoint wants to be talked to.
    public enum ProtocolMode: String, Sendable, Hashable, CaseIterable {
        /// Requests and responses flow at the same time.
        case bidirectional = "BIDI_STREAM"
        /// The request is complete before the response begins.
        case requestResponse = "REQUEST_RESPONSE"
    }

    /// What kind of service it is.
    public enum ServiceType: String, Sendable, Hashable, CaseIterable {
        /// A plain service: handlers without a key.
        case service = "SERVICE"
        /// Handlers over state that belongs to a key.
        case virtualObject = "VIRTUAL_OBJECT"
        /// A run for each key, and handlers beside it.
        case workflow = "WORKFLOW"
    }

    /// What kind of handler it is.
    public enum HandlerType: String, Sendable, Hashable, CaseIterable {
        /// The run of a workflow.
        case workflow = "WORKFLOW"
        /// One at a time for each key.
        case exclusive = "EXCLUSIVE"
        /// Any number at a time.
        case shared = "SHARED"
    }

    /// What is done with an invocation whose attempts are used up.
    public enum OnMaxAttempts: String, Sendable, Hashable, CaseIterable {
        /// It is paused, for a person to look at.
        case pause = "PAUSE"
        /// It ends with the last error.
        case kill = "KILL"
    }

    /// How invocations run; nil when the document lacks it, which the checks refuse.
    public var protocolMode: ProtocolMode?
    /// The lowest version of the service protocol that the endpoint speaks.
    public var minProtocolVersion: UInt64
    /// The highest version of the service protocol that the endpoint speaks.
    public var maxProtocolVersion: UInt64
    /// What it serves, each name once.
    public var services: [Service]

    /// A service of the endpoint.
    public struct Service: Sendable, Hashable {
        /// The name.
        public var name: String
        /// The kind.
        public var type: ServiceType
        /// What can be called, each name once.
        public var handlers: [Handler]
        /// What handlers inherit.
        public var options: Options
    }

    /// A handler of a service.
    public struct Handler: Sendable, Hashable {
        /// The name.
        public var name: String
        /// The kind as it is declared; see `kind(in:)`.
        public var type: HandlerType?
        /// What the handler accepts; nil when nothing is said.
        public var input: Input?
        /// What the handler returns; nil when nothing is said.
        public var output: Output?
        /// How long the result of a workflow's run is kept.
        public var workflowCompletionRetention: UInt64?
        /// What differs from the service.
        public var options: Options

        /// The kind of the handler in a service of a type; nil for combinations that there are not.
        ///
        /// Without a declaration a handler is exclusive in a virtual object, and shared everywhere else.
        public func kind(in service: ServiceType) -> HandlerType? {
            switch (service, type) {
            case (.service, nil), (.service, .shared), (.virtualObject, .shared), (.workflow, nil),
                (.workflow, .shared):
                .shared
            case (.virtualObject, nil), (.virtualObject, .exclusive): .exclusive
            case (.workflow, .workflow): .workflow
            case (.service, .exclusive), (.service, .workflow), (.virtualObject, .workflow), (.workflow, .exclusive):
                nil
            }
        }
    }

    /// What a handler accepts.
    public struct Input: Sendable, Hashable {
        /// Whether there must be a body.
        public var isRequired: Bool
        /// A media type, or a pattern `*/*` or `type/*`; nil when there must be no body.
        public var contentType: String?
        /// A JSON Schema, published and not enforced.
        public var jsonSchema: JSON?
    }

    /// What a handler returns.
    public struct Output: Sendable, Hashable {
        /// The media type; nil for none.
        public var contentType: String?
        /// Whether an empty result has the media type too.
        public var setsContentTypeIfEmpty: Bool
        /// A JSON Schema, published and not enforced.
        public var jsonSchema: JSON?
    }

    /// What may be set on services and on handlers.
    public struct Options: Sendable, Hashable {
        /// Prose, by convention Markdown.
        public var documentation: String?
        /// Names and values that only people read.
        public var metadata: [String: String]?
        /// How long an attempt may be idle before it is asked to suspend.
        public var inactivityTimeout: UInt64?
        /// How long an attempt that was asked to suspend may take.
        public var abortTimeout: UInt64?
        /// How long journals are kept.
        public var journalRetention: UInt64?
        /// How long results of requests with an idempotency key are kept.
        public var idempotencyRetention: UInt64?
        /// Whether state is sent only when it is asked for.
        public var enableLazyState: Bool?
        /// Whether clients of the ingress must not call it.
        public var ingressPrivate: Bool?
        /// How failed attempts are repeated.
        public var retryPolicy: RetryPolicy

        /// Nothing set.
        public init() { retryPolicy = RetryPolicy() }
    }

    /// How failed attempts are repeated. Each field is inherited on its own.
    public struct RetryPolicy: Sendable, Hashable {
        /// The first delay.
        public var initialInterval: UInt64?
        /// The longest delay.
        public var maxInterval: UInt64?
        /// How many attempts there are, the first one counted; at least 1.
        public var maxAttempts: UInt64?
        /// What a delay is multiplied by to give the next one.
        public var exponentiationFactor: Double?
        /// What happens after the last attempt.
        public var onMaxAttempts: OnMaxAttempts?

        /// Nothing set.
        public init() {}
    }
}
