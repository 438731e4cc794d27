import HoldfastServiceProtocol
import HoldfastTransport
import HoldfastWire
import Synchronization

/// A deployment that does as little as the service protocol allows, so that a measurement shows the engine.
///
/// `Bench/echo` answers its input; `Account/add` (an object) writes one state key; `Steps/run` takes three durable steps
/// and waits for each; `Sleeper/sleep` suspends until the year 2100.
final class Deployment: HTTPService {
    static let manifest = """
        {"protocolMode":"BIDI_STREAM","minProtocolVersion":5,"maxProtocolVersion":7,"services":[\
        {"name":"Bench","ty":"SERVICE","handlers":[{"name":"echo"}]},\
        {"name":"Account","ty":"VIRTUAL_OBJECT","handlers":[{"name":"add","ty":"EXCLUSIVE"}]},\
        {"name":"Steps","ty":"SERVICE","handlers":[{"name":"run"}]},\
        {"name":"Sleeper","ty":"SERVICE","handlers":[{"name":"sleep"}]}]}
        """
    /// How many attempts have suspended.
    static let suspensionCount = Atomic<Int>(0)

    /// Serves on a loop of its own.
    ///
    /// - Returns: The port.
    static func start() throws -> Int {
        let group = try LoopGroup(count: 1)
        let server = try HTTPServer(group: group) { _ in Deployment() }
        let port = try server.listen(host: "127.0.0.1", port: 0)
        group.start()
        return port
    }

    func received(_ exchange: ServerExchange) {
        let path = exchange.request.path
        if path == "/discover" {
            let contentType = "application/vnd.restate.endpointmanifest.v1+json"
            exchange.respond(
                HTTPResponseHead(status: 200, headers: ["content-type": contentType]), body: Bytes(utf8: Self.manifest))
            return
        }
        guard let script = HandlerScript(path: path), let contentType = exchange.request.headers["content-type"],
            let version = ProtocolVersion(contentType: contentType)
        else { return exchange.respond(HTTPResponseHead(status: 404), body: []) }
        exchange.start(HTTPResponseHead(status: 200, headers: ["content-type": contentType]))
        let attempt = HandlerAttempt(script: script, version: version)
        exchange.readBody { [unowned exchange] chunk in
            let answer = attempt.read(chunk)
            if !answer.isEmpty { exchange.write(answer[...]) }
        } end: { [unowned exchange] _ in
            exchange.finish()
        }
    }
}
