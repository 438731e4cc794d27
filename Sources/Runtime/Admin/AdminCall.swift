import HoldfastWire

/// An operator's request, with its body complete.
struct AdminRequest: Sendable {
    var method: String
    /// Still percent-encoded, without the query.
    var path: String
    /// Without the question mark.
    var query: String?
    var contentType: String?
    var accept: String?
    var body: Bytes = []
}

/// The answer to an operator.
struct AdminResponse: Sendable {
    var status: Int
    var headers: [(name: String, value: String)] = []
    var body: Bytes = []

    /// An answer without a body.
    static func empty(_ status: Int, headers: [(name: String, value: String)] = []) -> AdminResponse {
        AdminResponse(status: status, headers: headers)
    }

    /// An answer whose body is a document.
    static func json(
        _ status: Int, _ document: JSON, headers: [(name: String, value: String)] = []
    ) -> AdminResponse {
        AdminResponse(
            status: status, headers: [("content-type", "application/json")] + headers, body: document.bytes[...])
    }

    /// The one form that all errors have (admin §1.2).
    static func error(_ error: AdminError) -> AdminResponse {
        json(
            error.status, ["message": .string(error.message), "restate_code": JSON(error.code)], headers: error.headers)
    }
}

/// The version of the API that a request's prefix names (admin §1.1).
enum AdminVersion: Sendable, Equatable {
    /// Without a prefix: the newest semantics.
    case unversioned
    case v2
    case v3
    case v4

    /// The oldest and the newest version.
    static let supported = 2...4
    static let prefixes: [String: AdminVersion] = ["v2": .v2, "v3": .v3, "v4": .v4]
}

/// A request on its way to one route, and the way back.
struct AdminCall {
    let request: AdminRequest
    let version: AdminVersion
    /// What stands in the path for the pattern's names, decoded.
    let parameters: [String: String]
    /// Answers the request; to be called once, now or later, on the loop that it came on.
    let respond: (AdminResponse) -> Void

    /// The part of the path that the pattern calls `name`.
    func parameter(_ name: String) -> String { parameters[name] ?? "" }

    /// The decoded value of a query parameter; of several the last one counts.
    func query(_ name: String) throws(AdminError) -> String? {
        var found: String?
        for pair in (request.query ?? "").split(separator: "&") {
            let key = pair.prefix { $0 != "=" }
            guard try FormText.decode(key) == name else { continue }
            found = try FormText.decode(pair[key.endIndex...].dropFirst())
        }
        return found
    }

    /// A query parameter that is `true` or `false`; nil if it is absent.
    func flag(_ name: String) throws(AdminError) -> Bool? {
        switch try query(name) {
        case nil: nil
        case "true": true
        case "false": false
        case let text?: throw .queryNotBoolean(name, text)
        }
    }

    /// Answers with what became of a change of the registry.
    func respond<Value>(_ result: Result<Value, RegistryError>, _ response: (Value) -> AdminResponse) {
        switch result {
        case .success(let value): respond(response(value))
        case .failure(let error): respond(.error(AdminError(error)))
        }
    }
}
