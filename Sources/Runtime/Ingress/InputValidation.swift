/// What of a request decides whether a handler takes it.
struct RequestContent: Equatable {
    /// The value of the content type header; nil without one, which is not the same as an empty one.
    var contentType: String?
    /// A body of length 0 counts as none.
    var isEmpty: Bool
}

extension InputRules {
    /// Why the handler does not take a request; nil when it does (ingress §7).
    ///
    /// The manifest's rule is a list of alternatives. One of them must hold; of several that don't, the last is blamed.
    func fault(in content: RequestContent) -> String? {
        var fault: String? = "Bad configuration of the input validation rules"
        for alternative in alternatives {
            fault = alternative.fault(in: content)
            if fault == nil { return nil }
        }
        return fault
    }

    private var alternatives: [InputAlternative] {
        guard isDeclared else { return [.nothing, .contentType("*/*", emptyBodyAllowed: true)] }
        var alternatives: [InputAlternative] = isRequired ? [] : [.nothing]
        if let contentType {
            alternatives.append(.contentType(contentType, emptyBodyAllowed: jsonSchema == nil))
        }
        return alternatives
    }
}

/// One way to be a valid request.
private enum InputAlternative {
    /// Neither body nor content type.
    case nothing
    /// A content type that matches: `*/*`, `type/*` or `type/subtype`.
    case contentType(String, emptyBodyAllowed: Bool)

    func fault(in content: RequestContent) -> String? {
        switch self {
        case .nothing:
            guard content.isEmpty, content.contentType == nil else {
                let found = content.contentType.map { "Some(\"\($0)\")" } ?? "None"
                return "Expected body and content-type to be empty, but wasn't with content-type '\(found)'"
            }
        case .contentType(let pattern, let emptyBodyAllowed):
            guard let contentType = content.contentType else { return "Empty content-type" }
            guard Self.matches(contentType, pattern) else {
                return "Content-type '\(contentType)' does not match '\(pattern)'"
            }
            if content.isEmpty, !emptyBodyAllowed { return "Empty body not allowed" }
        }
        return nil
    }

    /// Parameters don't count, upper and lower case do.
    private static func matches(_ contentType: String, _ pattern: String) -> Bool {
        if pattern == "*/*" || contentType == pattern { return true }
        let essence = contentType.prefix { $0 != ";" }.trimmed
        guard pattern.hasSuffix("/*") else { return essence == pattern }
        return essence.firstIndex(of: "/").map { essence[..<$0] } == pattern.dropLast(2)
    }
}

extension Substring {
    /// Without blanks at both ends.
    fileprivate var trimmed: Substring {
        let start = firstIndex { !$0.isWhitespace } ?? endIndex
        let end = lastIndex { !$0.isWhitespace }.map { index(after: $0) } ?? start
        return self[start..<end]
    }
}

extension OutputRules {
    /// The content type of an answer with a value; nil: none (ingress §7).
    func contentType(isEmpty: Bool) -> String? {
        guard isDeclared else { return isEmpty ? nil : "application/json" }
        return isEmpty && !setContentTypeIfEmpty ? nil : contentType
    }
}
