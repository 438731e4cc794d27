/// What the configuration says about the ingress.
struct IngressSettings: Sendable {
    /// The most bytes that a request's body may have: `ingress.request-size-limit`.
    var requestSizeLimit = 32 << 20
    /// How many requests may be in progress in the whole server: `ingress.concurrent-api-requests-limit`; nil: any.
    var concurrentRequestLimit: Int?
    /// Whether requests may name a scope: `experimental-enable-vqueues`.
    var scopesEnabled = false
    /// Whether virtual objects may live in a scope: `experimental-enable-scoped-virtual-objects`.
    var scopedObjectsEnabled = false
}

extension IngressSettings {
    init(_ configuration: Configuration) {
        self.init(
            requestSizeLimit: configuration.ingress.requestSizeLimit,
            concurrentRequestLimit: configuration.ingress.concurrentRequestsLimit)
    }
}
