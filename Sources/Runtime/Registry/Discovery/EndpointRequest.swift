import HoldfastServiceProtocol
import HoldfastWire

/// A request to an endpoint that is no invocation: for what it serves (discovery §1), or for its codecs (admin §9).
struct EndpointRequest: Sendable {
    let method: String
    let address: DeploymentAddress
    /// HTTP/1.1 instead of HTTP/2 with prior knowledge.
    let usesHTTP1: Bool
    /// With the address's own path and query.
    let path: String
    private(set) var headers: [(name: String, value: String)]
    /// Nil: no body, not even an empty one.
    let body: Bytes?

    /// A question for what an endpoint serves.
    ///
    /// - Parameter layers: Headers over the request's own.
    init(_ request: DiscoveryRequest, layers: [(name: String, value: String)]) {
        method = "GET"
        address = request.address
        usesHTTP1 = request.usesHTTP1
        path = request.address.path(appending: "discover")
        body = nil
        headers = [("accept", Manifest.acceptHeader)]
        add(request.additionalHeaders + layers)
    }

    /// A payload to convert.
    init(_ request: CodecRequest, layers: [(name: String, value: String)]) {
        method = "POST"
        address = request.deployment.address
        usesHTTP1 = request.deployment.httpVersion != .http2
        path = address.path(appending: String(request.audience.dropFirst()))
        body = request.payload
        headers = [
            ("x-restate-serdes-protocol", "v1"),
            ("content-type", request.contentType ?? request.direction.contentType),
            ("accept", request.direction.accepted),
            ("content-length", String(request.payload.count)),
        ]
        add(request.deployment.additionalHeaders + layers)
    }

    /// Of headers with one name, the last one replaces the others.
    private mutating func add(_ layers: [(name: String, value: String)]) {
        for (name, value) in layers {
            headers.removeAll { $0.name == name }
            headers.append((name, value))
        }
    }
}
