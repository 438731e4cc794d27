import HoldfastWire
import Testing

@testable import HoldfastServiceProtocol

struct FutureTests {
    typealias Outcomes = [Notification.ID: Future.Outcome]
    static let (a, b, c) = (Notification.ID.completion(1), Notification.ID.completion(2), Notification.ID.completion(3))
    static let combinators: [Future.Combinator] = [
        .unknown, .firstCompleted, .allCompleted, .firstSucceededOrAllFailed, .allSucceededOrFirstFailed,
    ]

    @Test func `each combinator follows its row of the protocol`() {
        // Outcomes of two children: success, failure, indeterminate, unresolved.
        let (s, f, i) = (
            Future.Outcome?.some(.success), Future.Outcome?.some(.failure), Future.Outcome?.some(.indeterminate)
        )
        let u = Future.Outcome?.none
        let children = [
            (s, s), (s, f), (s, u), (f, s), (f, f), (f, u), (i, s), (i, f), (i, u), (u, s), (u, f), (u, i), (u, u),
        ]
        let table: [Future.Combinator: [Future.Outcome?]] = [
            .unknown: [i, i, i, i, i, i, i, i, i, i, i, i, u],
            .firstCompleted: [s, i, s, i, f, f, i, i, i, s, f, i, u],
            .allCompleted: [s, s, u, s, s, u, s, s, u, u, u, u, u],
            .firstSucceededOrAllFailed: [s, s, s, s, f, u, s, i, i, s, u, i, u],
            .allSucceededOrFirstFailed: [s, f, u, f, f, f, i, f, i, u, f, i, u],
        ]
        for (combinator, outcomes) in table {
            for ((left, right), expected) in zip(children, outcomes) {
                #expect(
                    combinator.outcome(ofChildren: [left, right]) == expected, "\(combinator) of \(left), \(right)")
            }
        }
    }

    @Test func `the cancel signal wakes a wait that contains it`() {
        let future = Future.node(
            .firstCompleted,
            [.leaf(.signal(1)), .node(.allCompleted, [.leaf(Self.a), .leaf(Self.b)])])
        #expect(future.evaluate { $0 == Self.a ? .success : nil } == nil)
        #expect(future.evaluate { $0 == .signal(1) ? .success : nil } == .success)
        #expect(future.evaluate { $0 == .signal(1) ? nil : .failure } == .success)
    }

    @Test func `flat lists wake with any of theirs`() {
        let future = Future(completions: [6, 2], signals: [1, 17], namedSignals: ["mysig"])
        #expect(future.description == "unknown(completion 6, completion 2, signal 1, signal 17, signal \"mysig\")")
        #expect(future.depth == 1)
        for id in future.leaves { #expect(future.reduced(by: id, outcome: .success) == .resolved(.indeterminate)) }
        #expect(future.reduced(by: .completion(1), outcome: .success) == .waiting(future))
    }

    @Test func `an undecided node drops the children that are decided`() {
        let all = Future.node(.allCompleted, [.leaf(Self.a), .leaf(Self.b)])
        #expect(all.reduced(by: Self.a, outcome: .failure) == .waiting(.node(.allCompleted, [.leaf(Self.b)])))
        let any = Future.node(
            .firstSucceededOrAllFailed,
            [.leaf(Self.a), .node(.allSucceededOrFirstFailed, [.leaf(Self.b), .leaf(Self.c)])])
        #expect(
            any.reduced(by: Self.b, outcome: .success)
                == .waiting(
                    .node(
                        .firstSucceededOrAllFailed, [.leaf(Self.a), .node(.allSucceededOrFirstFailed, [.leaf(Self.c)])])
                ))
        #expect(
            any.reduced(by: Self.b, outcome: .failure) == .waiting(.node(.firstSucceededOrAllFailed, [.leaf(Self.a)])))
        #expect(any.reduced(by: Self.a, outcome: .success) == .resolved(.success))
        #expect(any.reduced(by: Self.a, outcome: .indeterminate) == .resolved(.indeterminate))
    }

    @Test func `one that occurs twice is decided twice`() {
        let future = Future.node(.allCompleted, [.leaf(Self.a), .node(.firstCompleted, [.leaf(Self.a)])])
        #expect(future.reduced(by: Self.a, outcome: .success) == .resolved(.success))
        #expect(Array(future.leaves) == [Self.a, Self.a])
    }

    /// The definition, over a tree: slow, obvious, and recursive.
    private indirect enum Tree {
        case leaf(Notification.ID)
        case node(Future.Combinator, [Tree])

        var future: Future {
            switch self {
            case .leaf(let id): .leaf(id)
            case .node(let combinator, let children): .node(combinator, children.map(\.future))
            }
        }

        func evaluate(_ known: Outcomes) -> Future.Outcome? {
            switch self {
            case .leaf(let id): return known[id]
            case .node(let combinator, let children):
                let all = children.map { $0.evaluate(known) }
                let some = all.compactMap(\.self)
                switch combinator {
                case .unknown: return some.isEmpty ? nil : .indeterminate
                case .firstCompleted: return Set(some).count > 1 ? .indeterminate : some.first
                case .allCompleted: return some.count == all.count ? .success : nil
                case .firstSucceededOrAllFailed:
                    if some.contains(.success) { return .success }
                    if some.contains(.indeterminate) { return .indeterminate }
                    return some.count == all.count ? .failure : nil
                case .allSucceededOrFirstFailed:
                    if some.contains(.failure) { return .failure }
                    if some.contains(.indeterminate) { return .indeterminate }
                    return some.count == all.count ? .success : nil
                }
            }
        }

        static func random(_ random: inout FastRandom, depth: Int) -> Tree {
            if depth == 0 || random.next() % 3 == 0 {
                let number = UInt32(random.next() % 4)
                let ids: [Notification.ID] = [.completion(number), .signal(number), .namedSignal("s\(number)")]
                return .leaf(ids[Int(random.next() % 3)])
            }
            let combinator = combinators[Int(random.next() % 5)]
            // In the order on the wire, which is also the order of evaluation.
            let children = (0..<1 + random.next() % 4).map { _ in Tree.random(&random, depth: depth - 1) }
            return .node(combinator, children.filter(\.isLeaf).sorted(by: isBefore) + children.filter { !$0.isLeaf })
        }

        private var isLeaf: Bool { if case .leaf = self { true } else { false } }

        private static func isBefore(_ left: Tree, _ right: Tree) -> Bool {
            func rank(_ tree: Tree) -> Int {
                switch tree {
                case .leaf(.completion): 0
                case .leaf(.signal): 1
                case .leaf(.namedSignal): 2
                case .node: 3
                }
            }
            return rank(left) < rank(right)
        }
    }

    @Test func `evaluation is that of the definition`() {
        var random = FastRandom(seed: 21)
        var resolved = 0
        for _ in 0..<3000 {
            let tree = Tree.random(&random, depth: 4)
            var known: Outcomes = [:]
            for id in tree.future.leaves where random.next() % 3 == 0 {
                known[id] = [.success, .failure, .indeterminate][Int(random.next() % 3)]
            }
            let expected = tree.evaluate(known)
            #expect(tree.future.evaluate { known[$0] } == expected, "\(tree.future) with \(known)")
            if expected != nil { resolved += 1 }
        }
        #expect((500...2500).contains(resolved), "the sample has both kinds")
    }

    @Test func `what notifications resolve one after the other, they resolve together`() {
        var random = FastRandom(seed: 22)
        var resolved = 0
        for _ in 0..<3000 {
            let future = Tree.random(&random, depth: 4).future
            let isOrdered = future.nodes.contains { $0.isCombinator(.firstCompleted) }
            let hasUnknown = future.nodes.contains { $0.isCombinator(.unknown) }
            var known: Outcomes = [:]
            var rest = Future.Reduction.waiting(future)
            for id in Set(future.leaves).sorted(by: { "\($0)" < "\($1)" }).shuffled(using: &random) {
                known[id] = random.next() % 2 == 0 ? .success : .failure
                guard case .waiting(let waiting) = rest, let outcome = known[id] else { break }
                rest = waiting.reduced(by: id, outcome: outcome)
                let together = future.reduced { known[$0] }
                if case .waiting(let left) = rest {
                    #expect(!left.leaves.contains(id))
                    if !isOrdered, !hasUnknown { #expect(together == rest, "\(future) with \(known)") }
                } else if !hasUnknown, case .waiting = together {
                    Issue.record("\(future) sleeps on with \(known)")
                }
            }
            // When everything is known, everything is decided.
            if case .resolved = rest { resolved += 1 }
            #expect(future.evaluate { known[$0] } != nil || known.count < Set(future.leaves).count)
        }
        #expect(resolved == 3000)
    }

    @Test func `a future survives its encoding`() throws {
        var random = FastRandom(seed: 23)
        for _ in 0..<1000 {
            let future = Tree.random(&random, depth: 5).future
            let read = try Future(decoding: future.encoded[...])
            #expect(read == (future.depth == 0 ? .node(.firstCompleted, [future]) : future))
            #expect(read.encoded == future.encoded)
        }
    }

    @Test func `a future that is nested too deeply is refused with a code of its own`() throws {
        func nested(_ depth: Int) -> Future {
            Future(
                nodes: Array(repeating: .combinator(.firstCompleted, childCount: 1), count: depth)
                    + [.leaf(.completion(1))])
        }
        #expect(nested(1000).depth == 1000)
        #expect(try Future(decoding: nested(1000).encoded[...]) == nested(1000))
        let error = #expect(throws: ProtocolError.self) { _ = try Future(decoding: nested(1001).encoded[...]) }
        #expect(error?.code == .futureTooDeep)
        #expect(throws: ProtocolError.self) { _ = try Future(decoding: nested(4).encoded[...], maximumDepth: 3) }
    }

    @Test func `no depth needs stack`() {
        let depth = 200_000
        let future = Future(
            nodes: Array(repeating: .combinator(.firstCompleted, childCount: 1), count: depth) + [.leaf(.completion(1))]
        )
        #expect(future.depth == depth)
        #expect(future.evaluate { _ in .failure } == .failure)
        #expect(future.reduced { _ in nil } == .waiting(future))
        #expect(future.json.utf8.count > depth)
        let error = #expect(throws: ProtocolError.self) { _ = try Future(decoding: future.encoded[...]) }
        #expect(error?.code == .futureTooDeep)
    }

    @Test func `a future of too many nodes is refused`() {
        let inner = Bytes(repeating: 0x22, count: 2_200_000)
        let halves = zip(inner.indices, inner).map { $0 % 2 == 0 ? $1 : 0 }  // 1.1 million empty inner futures.
        let error = #expect(throws: ProtocolError.self) { _ = try Future(decoding: halves[...]) }
        #expect(error?.code == .protocolViolation)
    }

    @Test(arguments: ["", "2801", "2200", "22022200"]) func `a future without a leaf is refused`(hex: String) throws {
        let bytes = try #require(Bytes(hex: hex))
        let error = #expect(throws: ProtocolError.self) { _ = try Future(decoding: bytes) }
        #expect(error?.message == "message Suspension names nothing to wait for")
    }

    @Test func `introspection shows the tree`() {
        let future = Future.node(
            .firstCompleted,
            [.node(.allCompleted, [.leaf(.namedSignal("a\"b")), .leaf(.signal(17))]), .leaf(.completion(4))])
        #expect(
            future.json
                == #"{"FirstCompleted":[{"Single":{"CompletionId":4}},{"AllCompleted":[{"Single":{"SignalIndex":17}},"#
                + #"{"Single":{"SignalName":"a\"b"}}]}]}"#)
        #expect(
            Future(completions: [], signals: [1, 17]).json
                == #"{"Unknown":[{"Single":{"SignalIndex":1}},{"Single":{"SignalIndex":17}}]}"#)
    }
}

extension Future.Node {
    fileprivate func isCombinator(_ expected: Future.Combinator) -> Bool {
        if case .combinator(expected, _) = self { true } else { false }
    }
}
