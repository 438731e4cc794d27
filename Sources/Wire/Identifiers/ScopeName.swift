/// The rules for scopes, and for the limit keys that go with them.
public enum ScopeName {
    /// The most bytes that a scope, or a component of a limit key, may have.
    public static let maximumLength = 36

    /// Why a text is no scope; nil when it is one.
    public static func fault(in scope: String) -> String? {
        let bytes = scope.utf8
        guard !bytes.isEmpty else { return "value cannot be empty" }
        guard bytes.allSatisfy(isAllowed) else {
            return "value contains characters outside the allowed set [a-zA-Z0-9_.-]"
        }
        guard bytes.count <= maximumLength else {
            return "value too long: \(bytes.count) bytes (max \(maximumLength))"
        }
        return nil
    }

    private static func isAllowed(_ character: UInt8) -> Bool {
        switch character {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}

/// A limit key: at most two components, by which the invocations of a scope are counted and limited.
public struct LimitKey: Sendable, Hashable, CustomStringConvertible {
    /// No component (no limit key), one, or two.
    public let components: [String]

    /// No limit key.
    public static let none = LimitKey(components: [])

    private init(components: [String]) { self.components = components }

    /// Reads `a`, `a/b`, or nothing. One trailing slash is ignored.
    ///
    /// - Throws: A `WireError` whose text says which rule is broken.
    public init(text: String) throws(WireError) {
        guard !text.isEmpty else {
            components = []
            return
        }
        var parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        if parts.count > 1, parts.last == "" { parts.removeLast() }
        guard parts.count <= 2 else { throw WireError(what: "too many path components in the given limit-key (max 2)") }
        for part in parts {
            if let fault = ScopeName.fault(in: part) {
                throw WireError(what: "invalid limit-key component: \(fault)")
            }
        }
        components = parts
    }

    /// The components with slashes between them.
    public var description: String { components.joined(separator: "/") }
}
