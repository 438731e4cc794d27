import HoldfastEngine
import HoldfastWire

/// What the world outside has seen of the engine. What was seen once can't become untrue (rule 1), and what was
/// promised has to happen once (rule 3).
struct Ledger {
    struct Life: Hashable {
        var id: InvocationID
        var incarnation: UInt64
    }

    private var entries: [Life: [UInt32: Bytes]] = [:]
    private var facts: [Life: [String]] = [:]
    private(set) var promisedTokens: [String: ObjectID] = [:]
    /// Invocations of which clients were told that they were accepted, in that order.
    private(set) var accepted: [InvocationID] = []
    private(set) var started: Set<InvocationID> = []
    /// Invocations that an operator or a handler has cancelled or killed.
    var disturbed: Set<InvocationID> = []

    /// An attempt was sent this entry of the journal.
    mutating func saw(_ life: Life, index: UInt32, payload: Bytes) -> String? {
        let former = entries[life, default: [:]].updateValue(payload, forKey: index)
        guard let former, former != payload else { return nil }
        return "entry \(index) of \(life.id) has changed behind an attempt that has seen it"
    }

    /// A handler got as far as these facts: those of former attempts are among them, or the other way round.
    mutating func learned(_ life: Life, _ facts: [String]) -> String? {
        let former = self.facts[life] ?? []
        let count = min(former.count, facts.count)
        guard former.prefix(count) == facts.prefix(count) else {
            return "\(life.id) has learned \(facts) where a former attempt has learned \(former)"
        }
        if facts.count > former.count { self.facts[life] = facts }
        return nil
    }

    /// An invocation has ended whose handler wrote these tokens: its writes are there, each once.
    mutating func ended(_ tokens: [String], on object: ObjectID) {
        for token in tokens { promisedTokens[token] = object }
    }

    mutating func accept(_ id: InvocationID) { accepted.append(id) }

    mutating func start(_ id: InvocationID) { started.insert(id) }

    /// What an object's list says, against what was promised.
    func violations(in lists: [(object: ObjectID, tokens: [String])]) -> [String] {
        var violations: [String] = []
        var found: Set<String> = []
        for list in lists {
            for token in list.tokens where !found.insert(token).inserted {
                violations.append("\(token) was written twice to \(list.object.key)")
            }
        }
        for token in promisedTokens.keys.sorted() where !found.contains(token) {
            violations.append("\(token) is lost, though its handler has ended")
        }
        for id in accepted where !started.contains(id) && !disturbed.contains(id) {
            violations.append("\(id) was accepted and never started")
        }
        return violations
    }
}
