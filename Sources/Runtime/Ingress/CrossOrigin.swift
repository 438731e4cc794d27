import HoldfastWire

/// What browsers want to know before they let scripts of other sites call handlers: everybody may (ingress §1).
///
/// There is no `access-control-expose-headers`, so such scripts see bodies but not, for example, `x-restate-id`.
enum CrossOrigin {
    /// The headers that every answer has.
    static func headers(for request: IngressRequest) -> [(name: String, value: String)] {
        var headers = [
            (name: "vary", value: "origin, access-control-request-method, access-control-request-headers"),
            (name: "access-control-allow-credentials", value: "true"),
        ]
        headers.append(echo: "origin", as: "access-control-allow-origin", of: request)
        return headers
    }

    /// The answer to any OPTIONS request, whatever its path: what is asked for is allowed.
    static func preflight(for request: IngressRequest) -> IngressAnswer {
        var answer = IngressAnswer(status: 200)
        answer.headers.append(
            echo: "access-control-request-method", as: "access-control-allow-methods", of: request)
        answer.headers.append(
            echo: "access-control-request-headers", as: "access-control-allow-headers", of: request)
        return answer
    }
}

extension [(name: String, value: String)] {
    fileprivate mutating func append(echo name: String, as ownName: String, of request: IngressRequest) {
        if let value = request[header: name] { append((ownName, value.lossyString)) }
    }
}
