import HoldfastTransport
import HoldfastWire

/// The HTTP ingress of one event loop: what clients call, send to, and ask results of (ingress §1).
///
/// The layers of a request, outermost first: the declared length (`serverOptions`), CORS, the bound on requests in
/// progress, routing.
final class IngressService: HTTPService {
    let door: any PartitionDoor
    let settings: IngressSettings
    /// Nil: any number of requests may be in progress.
    let admission: RequestAdmission?
    var random: FastRandom

    /// - Parameter admission: Shared by all loops.
    init(
        door: any PartitionDoor, settings: IngressSettings, admission: RequestAdmission?,
        random: FastRandom = FastRandom()
    ) {
        self.door = door
        self.settings = settings
        self.admission = admission
        self.random = random
    }

    /// What the server has to refuse by itself, before a request gets here.
    static func serverOptions(_ configuration: Configuration) -> HTTPServerOptions {
        var options = HTTPServerOptions()
        options.maxBodyBytes = configuration.ingress.requestSizeLimit
        options.rejectDeclaredLength = true
        options.maxConcurrentStreams = configuration.ingress.http2MaxConcurrentStreams
        return options
    }

    func received(_ exchange: ServerExchange) {
        let request = IngressExchange(self) { answer in
            exchange.respond(HTTPResponseHead(status: answer.status, headers: answer.headers), body: answer.body)
        }
        exchange.onClosed = { request.clientLeft() }
        guard request.began(IngressRequest(exchange.request)) else { return }
        exchange.collectBody(limit: settings.requestSizeLimit) { request.bodyEnded($0) }
    }
}
