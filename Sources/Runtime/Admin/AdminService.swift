import HoldfastTransport
import HoldfastWire

/// The admin API on the connections of one event loop.
///
/// The layers of a request, outermost first: the bound on requests in progress, the bound on its body, the routes.
final class AdminService: HTTPService {
    /// The most bytes of a request's body (admin §1).
    static let bodyLimit = 2 << 20

    private let api: AdminAPI
    private let bodyLimit: Int
    private let admission: RequestAdmission?

    /// - Parameters:
    ///   - bodyLimit: Bytes of a request's body.
    ///   - admission: Shared by all loops; nil: any number of requests may be in progress.
    init(environment: any AdminEnvironment, bodyLimit: Int = AdminService.bodyLimit, admission: RequestAdmission?) {
        api = AdminAPI(environment: environment)
        self.bodyLimit = bodyLimit
        self.admission = admission
    }

    func received(_ exchange: ServerExchange) {
        guard admission?.enter() ?? true else {
            return exchange.respond(HTTPResponseHead(status: 429), body: [])
        }
        let ticket = Ticket(admission)
        exchange.onClosed = { ticket.leave() }
        if let length = exchange.declaredBodyLength, length > bodyLimit {
            return send(.error(.bodyTooLarge(limit: bodyLimit)), over: exchange, ticket)
        }
        exchange.collectBody(limit: bodyLimit) { [self] result in
            switch result {
            case .success(let body):
                api.answer(AdminRequest(exchange.request, body: body)) { [self] response in
                    send(response, over: exchange, ticket)
                }
            case .failure(.tooLarge): send(.error(.bodyTooLarge(limit: bodyLimit)), over: exchange, ticket)
            case .failure(.aborted): ticket.leave()
            }
        }
    }

    private func send(_ response: AdminResponse, over exchange: ServerExchange, _ ticket: Ticket) {
        ticket.leave()
        let headers = HTTPHeaders(response.headers.map { HTTPHeader(name: $0.name, value: $0.value) })
        exchange.respond(HTTPResponseHead(status: response.status, headers: headers), body: response.body)
    }

    /// The place of one request among those in progress, given back once however the request ends.
    private final class Ticket {
        private var admission: RequestAdmission?

        init(_ admission: RequestAdmission?) { self.admission = admission }

        func leave() {
            admission?.leave()
            admission = nil
        }
    }
}

extension AdminRequest {
    fileprivate init(_ head: HTTPRequestHead, body: Bytes) {
        let path = head.path.prefix { $0 != "?" }
        self.init(
            method: head.method, path: String(path),
            query: path.endIndex < head.path.endIndex ? String(head.path[path.endIndex...].dropFirst()) : nil,
            contentType: head.headers["content-type"], accept: head.headers["accept"], body: body)
    }
}
