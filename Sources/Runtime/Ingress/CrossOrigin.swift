import HoldfastTransport

/// What browsers want to know before they let scripts of other sites call handlers: everybody may (ingress §1).
///
/// There is no `access-control-expose-headers`, so such scripts see bodies but not, for example, `x-restate-id`.
enum CrossOrigin {
    /// Adds what every answer has.
    static func add(to headers: inout HTTPHeaders, origin: String?) {
        headers.add("vary", "origin, access-control-request-method, access-control-request-headers")
        headers.add("access-control-allow-credentials", "true")
        if let origin { headers.add("access-control-allow-origin", origin) }
    }

    /// The answer to any OPTIONS request, whatever its path: what is asked for is allowed.
    static func preflight(for request: IngressRequest) -> IngressAnswer {
        var answer = IngressAnswer(status: 200)
        for (question, permission) in [
            ("access-control-request-method", "access-control-allow-methods"),
            ("access-control-request-headers", "access-control-allow-headers"),
        ] {
            if let wish = request.headers[question] { answer.headers.add(permission, wish) }
        }
        return answer
    }
}
