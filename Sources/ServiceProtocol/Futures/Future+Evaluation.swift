extension Future {
    /// What is left of a future when some notifications are known.
    public enum Reduction: Sendable, Hashable {
        /// Nothing: the invocation can go on.
        case resolved(Outcome)
        /// A future over notifications that are not known yet.
        case waiting(Future)
    }

    /// The outcome, when the notifications for which `outcome` has one are known; nil when they do not decide it.
    public func evaluate(_ outcome: (Notification.ID) -> Outcome?) -> Outcome? {
        // From the last node to the first, children are seen before their parent, the first child last.
        var outcomes: [Outcome?] = []
        for node in nodes.reversed() {
            switch node {
            case .leaf(let id): outcomes.append(outcome(id))
            case .combinator(let combinator, let childCount):
                let resolved = combinator.outcome(ofChildren: outcomes.suffix(childCount).reversed())
                outcomes.removeLast(childCount)
                outcomes.append(resolved)
            }
        }
        return outcomes.last ?? nil
    }

    /// The outcome, or the smallest future that decides it together with the notifications that are known.
    ///
    /// A node whose children leave it undecided drops the decided ones: each combinator either is decided by a child, or
    /// does not depend on it any more. So what is known now need not be known again later.
    public func reduced(_ outcome: (Notification.ID) -> Outcome?) -> Reduction {
        var subtrees: [Subtree] = []
        var kept: [Node] = []  // What is left, in reverse order: the nodes of a subtree are its end.
        for node in nodes.reversed() {
            switch node {
            case .leaf(let id):
                subtrees.append(Subtree(outcome: outcome(id), start: kept.count))
                if subtrees.last?.outcome == nil { kept.append(node) }
            case .combinator(let combinator, let childCount):
                let children = subtrees.suffix(childCount)
                let start = children.first?.start ?? kept.count
                let resolved = combinator.outcome(ofChildren: children.lazy.map(\.outcome).reversed())
                if resolved != nil {
                    kept.removeSubrange(start...)
                } else {
                    let undecided = children.reduce(0) { $0 + ($1.outcome == nil ? 1 : 0) }
                    kept.append(.combinator(combinator, childCount: undecided))
                }
                subtrees.removeLast(childCount)
                subtrees.append(Subtree(outcome: resolved, start: start))
            }
        }
        if let resolved = subtrees.last?.outcome { return .resolved(resolved) }
        return .waiting(Future(nodes: kept.reversed()))
    }

    /// What one notification makes of it.
    public func reduced(by id: Notification.ID, outcome: Outcome) -> Reduction {
        reduced { $0 == id ? outcome : nil }
    }

    private struct Subtree {
        let outcome: Outcome?
        /// How many nodes were kept before the first of this subtree's.
        let start: Int
    }
}

extension Future.Combinator {
    /// The outcome of a node, given those of its children; nil while it is undecided.
    ///
    /// In which order the children were decided is not known here. Where the outcome depends on it, it is
    /// indeterminate: an attempt too many costs a replay, one too few leaves the invocation suspended for ever.
    func outcome(ofChildren children: some Sequence<Future.Outcome?>) -> Future.Outcome? {
        switch self {
        case .unknown: return children.contains { $0 != nil } ? .indeterminate : nil
        case .firstCompleted:
            return children.reduce(nil) { $0 == nil || $0 == $1 ? $1 : $1 == nil ? $0 : .indeterminate }
        case .allCompleted: return children.contains(nil) ? nil : .success
        case .firstSucceededOrAllFailed: return Self.first(.success, orAll: .failure, children)
        case .allSucceededOrFirstFailed: return Self.first(.failure, orAll: .success, children)
        }
    }

    private static func first(
        _ wanted: Future.Outcome, orAll other: Future.Outcome, _ children: some Sequence<Future.Outcome?>
    ) -> Future.Outcome? {
        var isUndecided = false
        var isIndeterminate = false
        for child in children {
            switch child {
            case wanted: return wanted
            case nil: isUndecided = true
            case .indeterminate: isIndeterminate = true
            default: break
            }
        }
        // A child of which nobody here knows how it came out may be the wanted one: the SDK has to look.
        if isIndeterminate { return .indeterminate }
        return isUndecided ? nil : other
    }
}
