import HoldfastWire

/// The rules that limit how many invocations of a scope run at a time, by pattern (admin §8).
struct RuleBook: Sendable, Equatable {
    /// The most rules that there may be.
    static let capacity = 10_000

    /// Grows by one with each change.
    private(set) var version: UInt32
    private(set) var rules: [String: LimitRule]

    init(version: UInt32 = 0, rules: [LimitRule] = []) {
        self.version = version
        self.rules = Dictionary(rules.map { ($0.pattern, $0) }) { _, latter in latter }
    }

    /// The rules by pattern.
    var sorted: [LimitRule] { rules.values.sorted { $0.pattern < $1.pattern } }

    /// Adds or changes rules, all or none of them. The answer has the rules of the changes, in their order.
    mutating func upsert(_ changes: [RuleChange], now: Timestamp) throws(RegistryError) -> [LimitRule] {
        for change in changes { try check(change.precondition, change.pattern) }
        var changed = self
        let nextVersion = version &+ 1
        for change in changes { changed.apply(change, newVersion: nextVersion, now: now) }
        guard changed.rules.count <= Self.capacity else { throw .ruleBookFull }
        if changed != self {
            changed.version = nextVersion
            self = changed
        }
        return changes.compactMap { rules[$0.pattern] }
    }

    /// Removes rules, all or none of them; patterns without a rule are skipped. The answer has the removed patterns.
    mutating func remove(
        _ removals: [(pattern: String, expectedVersion: UInt32?)]
    ) throws(RegistryError) -> [String] {
        for removal in removals {
            if let version = removal.expectedVersion { try check(.matches(version), removal.pattern) }
        }
        let removed = removals.filter { rules.removeValue(forKey: $0.pattern) != nil }.map(\.pattern)
        if !removed.isEmpty { version &+= 1 }
        return removed
    }

    private mutating func apply(_ change: RuleChange, newVersion: UInt32, now: Timestamp) {
        guard var rule = rules[change.pattern] else {
            rules[change.pattern] = LimitRule(
                pattern: change.pattern, concurrency: change.concurrency, description: change.description,
                isDisabled: change.isDisabled, version: newVersion, modified: now)
            return
        }
        rule.description = change.description
        if rule.concurrency != change.concurrency || rule.isDisabled != change.isDisabled {
            rule.concurrency = change.concurrency
            rule.isDisabled = change.isDisabled
            rule.version &+= 1
            rule.modified = now
        }
        rules[change.pattern] = rule
    }

    private func check(_ precondition: RulePrecondition, _ pattern: String) throws(RegistryError) {
        let actual = rules[pattern]?.version
        let holds =
            switch precondition {
            case .none: true
            case .doesNotExist: actual == nil
            case .matches(let version): actual == version
            }
        guard holds else { throw .rulePrecondition(precondition, pattern: pattern, actual: actual) }
    }
}

/// One rule.
struct LimitRule: Sendable, Equatable {
    /// In canonical form.
    var pattern: String
    /// How many invocations may run at a time; nil: any number.
    var concurrency: UInt32?
    var description: String?
    /// Kept, but not applied.
    var isDisabled: Bool
    var version: UInt32
    var modified: Timestamp
}

/// A rule as an operator wants it to be.
struct RuleChange: Sendable {
    /// In canonical form.
    var pattern: String
    var concurrency: UInt32?
    var description: String?
    var isDisabled = false
    var precondition = RulePrecondition.none
}

/// What must be true of the stored rule for a change to be made.
enum RulePrecondition: Sendable, Equatable {
    case none
    case doesNotExist
    case matches(UInt32)
}

/// The grammar of patterns: one to three components with slashes between them, each `*` or a scope's name.
enum RulePattern {
    /// The canonical form of a pattern.
    ///
    /// - Throws: A `WireError` whose text says which rule is broken.
    static func canonical(_ text: String) throws(WireError) -> String {
        var trimmed = text[...]
        while trimmed.first?.isWhitespace == true { trimmed.removeFirst() }
        while trimmed.last?.isWhitespace == true { trimmed.removeLast() }
        var components = trimmed.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        if components.count > 1, components.last == "" { components.removeLast() }
        guard components.count <= 3 else { throw WireError(what: "pattern has more than three components") }
        for component in components where component != "*" {
            if let fault = ScopeName.fault(in: component) { throw WireError(what: fault) }
        }
        return components.joined(separator: "/")
    }
}
