/// One line of the table of routes (admin §2).
struct AdminRoute: Sendable {
    /// What is special about a route.
    enum Trait {
        /// Its body is a document, announced by its content type (415 without).
        case json
        /// There is a better way.
        case deprecated
    }

    /// Answers through the call, or throws what is answered.
    typealias Handler = @Sendable (AdminAPI, AdminCall) throws(AdminError) -> Void

    let method: String
    let pattern: Pattern
    /// What it does, for people; nil: not published.
    let summary: String?
    let takesJSON: Bool
    let isDeprecated: Bool
    let handler: Handler

    init(
        _ method: String, _ pattern: String, _ summary: String? = nil, _ trait: Trait? = nil,
        _ handler: @escaping Handler
    ) {
        self.method = method
        self.pattern = Pattern(pattern)
        self.summary = summary
        takesJSON = trait == .json
        isDeprecated = trait == .deprecated
        self.handler = handler
    }

    /// A path with names: `/services/{name}`, and at its end perhaps `{name...}` for one or more segments.
    /// The empty pattern matches a prefix that nothing follows.
    struct Pattern: Sendable {
        private enum Part: Sendable {
            case literal(Substring)
            case name(String)
            case rest(String)
        }

        let text: String
        /// The names, in the order of the path.
        var names: [String] {
            parts.compactMap { part in
                switch part {
                case .literal: nil
                case .name(let name), .rest(let name): name
                }
            }
        }

        private let parts: [Part]

        init(_ text: String) {
            self.text = text
            parts = text.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map { part in
                guard part.hasPrefix("{"), part.hasSuffix("}") else { return .literal(part) }
                let name = part.dropFirst().dropLast()
                return name.hasSuffix("...") ? .rest(String(name.dropLast(3))) : .name(String(name))
            }
        }

        /// What stands for the names, still encoded; nil if the path does not match. A slash at the end is a segment.
        func match(_ segments: ArraySlice<Substring>) -> [String: String]? {
            var values: [String: String] = [:]
            var rest = segments
            for part in parts {
                switch part {
                case .literal(let text):
                    guard rest.popFirst() == text else { return nil }
                case .name(let name):
                    guard let segment = rest.popFirst(), !segment.isEmpty else { return nil }
                    values[name] = String(segment)
                case .rest(let name):
                    guard rest.count > 1 || rest.first?.isEmpty == false else { return nil }
                    values[name] = rest.joined(separator: "/")
                    return values
                }
            }
            return rest.isEmpty ? values : nil
        }
    }
}
