import HoldfastWire

/// What an invocation waits for: a tree of combinators over notifications.
///
///     .node(.firstCompleted, [.leaf(.signal(1)), .node(.allCompleted, [.leaf(.completion(4)), .leaf(.completion(6))])])
///
/// The tree is stored flat, each node in front of its children, so that nothing that is done with it recurses: an SDK
/// may nest as deeply as the limit allows, on a stack of any size. Within a node completions come before signals,
/// signals before named signals and these before inner nodes, which is the order on the wire; `node` sorts so.
///
/// Cost: every operation is linear in the number of nodes.
public struct Future: Sendable, Hashable {
    /// How a node depends on its children.
    public enum Combinator: UInt32, Sendable, Hashable {
        /// Resolved with any child, but it is not known with which outcome.
        case unknown
        /// Resolved as the child that is resolved first.
        case firstCompleted
        /// Resolved when all children are.
        case allCompleted
        /// Resolved with the first success, or when all children have failed.
        case firstSucceededOrAllFailed
        /// Resolved with the first failure, or when all children have succeeded.
        case allSucceededOrFirstFailed
    }

    /// How something that was awaited came out.
    public enum Outcome: Sendable, Hashable {
        /// With anything but a failure.
        case success
        /// With a failure.
        case failure
        /// Either: only the SDK can tell.
        case indeterminate
    }

    /// An element of the flat form.
    public enum Node: Sendable, Hashable {
        /// A notification.
        case leaf(Notification.ID)
        /// A combinator, whose `childCount` children follow with all that belongs to them.
        case combinator(Combinator, childCount: Int)
    }

    /// How deeply nodes may be nested, unless `max-awaited-future-depth` says otherwise.
    public static let maximumDepth = 1000
    /// How many nodes and leaves a future may have. It bounds the memory that a small message can ask for.
    public static let maximumNodeCount = 1_000_000

    /// Every node in front of its children.
    public let nodes: [Node]

    init(nodes: [Node]) { self.nodes = nodes }

    /// A single notification.
    public static func leaf(_ id: Notification.ID) -> Future { Future(nodes: [.leaf(id)]) }

    /// A combination of futures.
    public static func node(_ combinator: Combinator, _ children: [Future]) -> Future {
        let ranks = children.map(\.rank)
        let order = children.indices.sorted { (ranks[$0], $0) < (ranks[$1], $1) }
        var nodes = [Node.combinator(combinator, childCount: children.count)]
        for index in order { nodes += children[index].nodes }
        return Future(nodes: nodes)
    }

    /// What suspensions up to version 6 say: any of these notifications wakes the invocation up.
    public init(completions: [UInt32], signals: [UInt32] = [], namedSignals: [String] = []) {
        nodes = Self.flat(.unknown, completions, signals, namedSignals)
    }

    /// The notifications that it depends on, in the order of the tree. One that occurs twice is listed twice.
    public var leaves: some Sequence<Notification.ID> {
        nodes.lazy.compactMap { if case .leaf(let id) = $0 { id } else { nil } }
    }

    /// Whether it depends on no notification at all.
    public var isEmpty: Bool { leaves.first { _ in true } == nil }

    /// How many combinators are nested in each other; 0 for a single notification.
    public var depth: Int {
        var deepest = 0
        var remainingChildren: [Int] = []
        for node in nodes {
            if let last = remainingChildren.indices.last { remainingChildren[last] -= 1 }
            if case .combinator(_, let childCount) = node { remainingChildren.append(childCount) }
            deepest = max(deepest, remainingChildren.count)
            while remainingChildren.last == 0 { remainingChildren.removeLast() }
        }
        return deepest
    }

    static func flat(
        _ combinator: Combinator, _ completions: [UInt32], _ signals: [UInt32], _ namedSignals: [String],
        innerNodes: Int = 0
    ) -> [Node] {
        let leafCount = completions.count + signals.count + namedSignals.count
        var nodes = [Node.combinator(combinator, childCount: leafCount + innerNodes)]
        nodes.reserveCapacity(leafCount + 1)
        for id in completions { nodes.append(.leaf(.completion(id))) }
        for index in signals { nodes.append(.leaf(.signal(index))) }
        for name in namedSignals { nodes.append(.leaf(.namedSignal(name))) }
        return nodes
    }

    /// The place among the children of a node.
    private var rank: Int {
        switch nodes.first {
        case .leaf(.completion): 0
        case .leaf(.signal): 1
        case .leaf(.namedSignal): 2
        case .combinator, nil: 3
        }
    }
}

extension Future: CustomStringConvertible {
    /// For logs: `firstCompleted(completion 2, signal 1)`.
    public var description: String {
        text(open: { "\($0)(" }, close: ")", separator: ", ", leaf: \.description)
    }

    /// The tree as introspection shows it: `{"FirstCompleted":[{"Single":{"CompletionId":2}}]}`.
    public var json: String {
        text(
            open: { "{\"\($0.name)\":[" }, close: "]}", separator: ",",
            leaf: { id in
                switch id {
                case .completion(let id): "{\"Single\":{\"CompletionId\":\(id)}}"
                case .signal(let index): "{\"Single\":{\"SignalIndex\":\(index)}}"
                case .namedSignal(let name): "{\"Single\":{\"SignalName\":\(JSON.string(name).text)}}"
                }
            })
    }

    private func text(
        open: (Combinator) -> String, close: String, separator: String, leaf: (Notification.ID) -> String
    ) -> String {
        var text = ""
        var remainingChildren: [Int] = []
        var needsSeparator = false
        for node in nodes {
            if needsSeparator { text += separator }
            if let last = remainingChildren.indices.last { remainingChildren[last] -= 1 }
            switch node {
            case .leaf(let id):
                text += leaf(id)
                needsSeparator = true
            case .combinator(let combinator, let childCount):
                text += open(combinator)
                remainingChildren.append(childCount)
                needsSeparator = false
            }
            while remainingChildren.last == 0 {
                remainingChildren.removeLast()
                text += close
                needsSeparator = true
            }
        }
        return text
    }
}

extension Future.Combinator {
    /// The name in introspection.
    fileprivate var name: String {
        switch self {
        case .unknown: "Unknown"
        case .firstCompleted: "FirstCompleted"
        case .allCompleted: "AllCompleted"
        case .firstSucceededOrAllFailed: "FirstSucceededOrAllFailed"
        case .allSucceededOrFirstFailed: "AllSucceededOrFirstFailed"
        }
    }
}
