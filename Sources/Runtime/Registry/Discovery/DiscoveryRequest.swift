import HoldfastServiceProtocol

/// Where and how to ask an endpoint what it serves.
struct DiscoveryRequest: Sendable {
    var address: DeploymentAddress
    /// The deployment's own, names in lower case.
    var additionalHeaders: [(name: String, value: String)]
    /// HTTP/1.1 instead of HTTP/2 with prior knowledge.
    var usesHTTP1: Bool
}

/// The head of a discovery request (discovery §1).
struct DiscoveryHead: Sendable {
    /// Without the base path: what request identity signs.
    static let audience = "/discover"

    let path: String
    private(set) var headers: [(name: String, value: String)]

    /// Headers in layers, of which a later one replaces the whole header of an earlier one.
    ///
    /// - Parameters:
    ///   - identity: The headers that tell who asks.
    ///   - global: The headers of every request to a deployment.
    init(
        _ request: DiscoveryRequest, identity: [(name: String, value: String)],
        global: [(name: String, value: String)]
    ) {
        path = request.address.path(appending: "discover")
        headers = [("accept", Manifest.acceptHeader)]
        for (name, value) in request.additionalHeaders + identity + global {
            headers.removeAll { $0.name == name }
            headers.append((name, value))
        }
    }
}
