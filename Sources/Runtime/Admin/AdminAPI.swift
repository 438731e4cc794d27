import HoldfastEngine
import HoldfastWire

/// The admin API of one event loop: finds the route of a request, and answers whatever goes wrong.
///
/// It knows nothing of connections (`AdminService` does), and of the rest of the server only what `AdminEnvironment`
/// offers.
final class AdminAPI {
    let environment: any AdminEnvironment
    private let routes: [AdminRoute]

    init(environment: any AdminEnvironment) {
        self.environment = environment
        routes = Self.routes
    }

    var registry: Registry { environment.registry }

    /// Answers a request. `respond` is called once, at once or later. HEAD is answered like GET: the connection sends the
    /// length of the body, and not the body.
    func answer(_ request: AdminRequest, respond: @escaping (AdminResponse) -> Void) {
        do throws(AdminError) {
            try route(request, respond: respond)
        } catch {
            respond(.error(error))
        }
    }

    private func route(_ request: AdminRequest, respond: @escaping (AdminResponse) -> Void) throws(AdminError) {
        var segments = request.path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        var version = AdminVersion.unversioned
        if let first = segments.first, let named = AdminVersion.prefixes[String(first)] {
            version = named
            segments = segments.dropFirst()
        } else if segments.first == "v1" {
            throw .unsupportedVersion
        }
        let method = request.method == "HEAD" ? "GET" : request.method
        var allowed: [String] = []
        for route in routes {
            guard let values = route.pattern.match(segments) else { continue }
            guard route.method == method else {
                allowed += route.method == "GET" ? ["GET", "HEAD"] : [route.method]
                continue
            }
            if route.takesJSON, !Self.isJSON(request.contentType) { throw .noJSONContentType }
            let parameters = try decode(values)
            try route.handler(
                self, AdminCall(request: request, version: version, parameters: parameters, respond: respond))
            return
        }
        throw allowed.isEmpty
            ? .unknownPath(request.path) : .methodNotAllowed(request.method, allowed: allowed)
    }

    private func decode(_ values: [String: String]) throws(AdminError) -> [String: String] {
        var decoded: [String: String] = [:]
        for (name, value) in values { decoded[name] = try FormText.decodePath(value) }
        return decoded
    }

    /// `application/json` or `application/…+json`, with or without parameters.
    private static func isJSON(_ contentType: String?) -> Bool {
        var type = (contentType ?? "").prefix { $0 != ";" }.lowercased()[...]
        while type.last == " " { type.removeLast() }
        return type == "application/json" || type.hasPrefix("application/") && type.hasSuffix("+json")
    }
}

/// What the admin API needs of the server. Everything that is asked for later is answered on the same event loop.
protocol AdminEnvironment: AnyObject {
    /// The latest registry that this loop has heard of.
    var registry: Registry { get }
    var now: Timestamp { get }
    var settings: AdminSettings { get }

    /// A new ULID.
    func makeULID() -> ULID

    /// Sends a command to the partition that owns `partitionKey`.
    func ask(
        _ partitionKey: UInt64, _ command: (RequestID) -> Command, answered: @escaping (Answer) -> Void)

    /// Changes the registry; `done` is called when the change is durable and this loop has heard of it.
    func change<Value: Sendable>(
        _ body: @escaping @Sendable (Registry) throws(RegistryError) -> (registry: Registry, value: Value),
        done: @escaping (Result<Value, RegistryError>) -> Void)

    /// Asks an endpoint what it serves.
    func discover(
        _ request: DiscoveryRequest, done: @escaping (Result<DiscoveredEndpoint, RegistryError>) -> Void)

    /// Lets a service's codec convert a payload.
    func convert(_ request: CodecRequest, done: @escaping (Result<Bytes, RegistryError>) -> Void)

    /// What an invocation calls; nil if there is no such invocation.
    func target(of id: InvocationID, done: @escaping (InvocationTarget?) -> Void)

    /// Runs a query; the whole answer, errors too, is the engine's.
    func query(_ sql: String, accept: String?, done: @escaping (AdminResponse) -> Void)
}

/// What the configuration says about the admin API.
struct AdminSettings: Sendable {
    /// As `GET /version` tells it.
    var version = "1.7.12+holdfast.0.1.0"
    var clusterName = "localcluster"
    /// Where clients reach the ingress, with a slash at the end.
    var ingressURL: String? = "http://127.0.0.1:8080/"
    /// Experimental features that are on.
    var features: Set<String> = []
    /// The headers whose values tell deployments with equal addresses apart, in lower case.
    var routingHeaders: [String] = []
    var hasUI = true
}
