/// Where and how to ask an endpoint what it serves.
struct DiscoveryRequest: Sendable {
    var address: DeploymentAddress
    /// The deployment's own, names in lower case.
    var additionalHeaders: [(name: String, value: String)]
    /// HTTP/1.1 instead of HTTP/2 with prior knowledge.
    var usesHTTP1: Bool
}
