import HoldfastEngine
import HoldfastWire

/// A registered endpoint of user code (admin §4.1).
struct Deployment: Sendable {
    var id: DeploymentID
    /// The address as registered: absolute, with a path.
    var address: DeploymentAddress
    var protocolMode: ProtocolMode
    /// The version of HTTP that answered the discovery; every attempt uses it.
    var httpVersion: DeploymentHTTPVersion
    /// Sent with discovery and with every attempt; names in lower case, each at most once.
    var additionalHeaders: [(name: String, value: String)]
    var metadata: [(key: String, value: String)]
    /// When it was registered, or last overwritten.
    var created: Timestamp
    /// The versions of the service protocol that it speaks, as advertised.
    var protocolVersions: ClosedRange<Int>
    /// `x-restate-server` of the discovery's answer.
    var sdkVersion: String?
    /// Its services, each at the revision that this deployment registered.
    var services: [String: ServiceSchema]

    /// Its services in the order of their names.
    var sortedServices: [ServiceSchema] { services.values.sorted { $0.name < $1.name } }
}

/// How an endpoint runs invocations.
enum ProtocolMode: String, Sendable {
    case bidirectional = "BidiStream"
    case requestResponse = "RequestResponse"
}

/// The version of HTTP that a deployment is called with.
enum DeploymentHTTPVersion: String, Sendable {
    case http1_0 = "HTTP/1.0"
    case http1_1 = "HTTP/1.1"
    case http2 = "HTTP/2.0"
}
