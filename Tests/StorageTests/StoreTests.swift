import HoldfastEngine
import HoldfastStorage
import Testing

@Suite struct StoreTests {
    @Test(arguments: StoreKind.allCases) func `a transaction reads its own writes and nobody else does`(
        kind: StoreKind
    ) throws {
        try kind.with { store in
            try store.commit(["a": "1", "b": "1"])
            let transaction = store.transaction()
            transaction.put("a", "2")
            transaction.delete("b")
            transaction.put("c", "")
            #expect(try transaction.text("a") == "2")
            #expect(try transaction.text("b") == nil)
            #expect(try transaction.text("c")?.isEmpty == true)
            #expect(try store.transaction().pairs() == ["a=1", "b=1"])
            #expect(try store.snapshot().text("a") == "1")
        }
    }

    @Test(arguments: StoreKind.allCases) func `a commit is visible at once and empties its transaction`(
        kind: StoreKind
    ) throws {
        try kind.with { store in
            let transaction = store.transaction()
            transaction.put("a", "1")
            let first = try store.commit(transaction)
            #expect(try store.transaction().text("a") == "1")
            #expect(try transaction.text("a") == "1")
            transaction.put("b", "2")
            let second = try store.commit(transaction)
            #expect(second > first)
            #expect(store.latestPosition == second)
            #expect(try transaction.pairs() == ["a=1", "b=2"])
        }
    }

    @Test(arguments: StoreKind.allCases) func `an empty commit writes nothing`(kind: StoreKind) throws {
        try kind.with { store in
            let position = try store.commit(["a": "1"])
            #expect(try store.commit(store.transaction()) == position)
            #expect(try store.commit([:]) == position)
        }
    }

    @Test(arguments: StoreKind.allCases) func `a sync that begins when a commit is logged covers it`(kind: StoreKind)
        throws
    {
        try kind.with { store in
            var logged: [CommitPosition] = []
            let transaction = store.transaction()
            transaction.put("a", "1")
            let position = try store.commit(transaction) { position in
                logged.append(position)
                #expect(store.latestPosition == position)
            }
            #expect(logged == [position])
            #expect(try store.commit(transaction) { logged.append($0) } == position)
            #expect(logged == [position, position])
        }
    }

    @Test(arguments: StoreKind.allCases) func `families do not share keys`(kind: StoreKind) throws {
        try kind.with { store in
            let transaction = store.transaction()
            for family in Family.allCases { transaction.put("key", "\(family)", family) }
            _ = try store.commit(transaction)
            for family in Family.allCases { #expect(try transaction.pairs(family) == ["key=\(family)"]) }
        }
    }

    @Test(arguments: StoreKind.allCases) func `a snapshot does not see later commits`(kind: StoreKind) throws {
        try kind.with { store in
            try store.commit(["a": "1", "b": "1"])
            let snapshot = store.snapshot()
            let transaction = store.transaction()
            transaction.put("a", "2")
            transaction.delete("b")
            transaction.put("c", "2")
            _ = try store.commit(transaction)
            #expect(try snapshot.pairs() == ["a=1", "b=1"])
            #expect(try snapshot.text("b") == "1")
            #expect(try store.snapshot().pairs() == ["a=2", "c=2"])
        }
    }

    @Test(arguments: StoreKind.allCases) func `a scan takes the range from lower up to but not including upper`(
        kind: StoreKind
    ) throws {
        try kind.with { store in
            try store.commit(["a": "1", "b": "1", "b1": "1", "c": "1"])
            let transaction = store.transaction()
            #expect(try transaction.pairs(from: "b", to: "c") == ["b=1", "b1=1"])
            #expect(try transaction.pairs(from: "c", to: "c").isEmpty)
            #expect(try transaction.pairs(from: "d", to: "a").isEmpty)
            transaction.put("bb", "2")
            transaction.put("c", "2")
            transaction.put("a", "2")
            #expect(try transaction.pairs(from: "b", to: "c") == ["b=1", "b1=1", "bb=2"])
            #expect(try transaction.pairs(from: "d", to: "a").isEmpty)
        }
    }

    @Test(arguments: StoreKind.allCases) func `keys are ordered as unsigned bytes`(kind: StoreKind) throws {
        try kind.with { store in
            let keys: [[UInt8]] = [[], [0], [0, 0], [0, 255], [1], [127], [128], [255], [255, 255]]
            let transaction = store.transaction()
            for key in keys.reversed() { transaction.put(.queues, key, []) }
            for _ in 0..<2 {
                var found: [[UInt8]] = []
                try transaction.scan(.queues, from: [], to: [255, 255, 255]) { key, _ in
                    found.append(Array(key))
                    return true
                }
                #expect(found == keys)
                _ = try store.commit(transaction)
            }
        }
    }

    @Test(arguments: StoreKind.allCases) func `a scan ends when its visitor says so`(kind: StoreKind) throws {
        try kind.with { store in
            try store.commit(["a": "1", "b": "1", "c": "1"])
            for source in [store.transaction(), store.snapshot()] {
                var visited = 0
                try source.scan(.state, from: [], to: [255]) { _, _ in
                    visited += 1
                    return visited < 2
                }
                #expect(visited == 2)
            }
        }
    }

    /// Every way in which three keys can be committed, written and deleted.
    @Test(arguments: StoreKind.allCases) func `a scan merges the writes of its transaction with the committed pairs`(
        kind: StoreKind
    ) throws {
        try kind.with { store in
            let keys = ["a", "b", "c"]
            for committed in 0..<8 {
                for written in 0..<27 {
                    let transaction = store.transaction()
                    for key in keys { transaction.delete(key) }
                    for (bit, key) in keys.enumerated() where committed >> bit & 1 == 1 { transaction.put(key, "old") }
                    _ = try store.commit(transaction)
                    var expected: [String] = []
                    for (place, key) in keys.enumerated() {
                        switch written / [1, 3, 9][place] % 3 {
                        case 0: if committed >> place & 1 == 1 { expected.append("\(key)=old") }
                        case 1:
                            transaction.put(key, "new")
                            expected.append("\(key)=new")
                        default: transaction.delete(key)
                        }
                    }
                    #expect(try transaction.pairs() == expected, "committed \(committed), written \(written)")
                    _ = try store.commit(transaction)
                    #expect(try transaction.pairs() == expected, "after the commit")
                }
            }
        }
    }

    @Test(arguments: StoreKind.allCases) func `a visitor may write, and sees what it writes ahead`(
        kind: StoreKind
    ) throws {
        try kind.with { store in
            try store.commit(["a": "1", "b": "1", "c": "1", "d": "1"])
            let transaction = store.transaction()
            var visited: [String] = []
            try transaction.scan(.state, from: [], to: [255]) { key, value in
                visited.append(String(decoding: key + value, as: UTF8.self))
                transaction.delete(.state, Array(key))
                if key.elementsEqual("a".utf8) {
                    transaction.put("b", "2")
                    transaction.delete("c")
                    transaction.put("e", "2")
                    transaction.put("0", "2")
                }
                return true
            }
            #expect(visited == ["a1", "b2", "d1", "e2"])
            #expect(try transaction.pairs() == ["0=2"])
        }
    }

    @Test(arguments: StoreKind.allCases) func `a thousand random writes leave what a dictionary would hold`(
        kind: StoreKind
    ) throws {
        try kind.with { store in
            var random = SeededRandom(state: 7)
            var expected: [String: String] = [:]
            let transaction = store.transaction()
            for turn in 0..<1000 {
                let key = "key\(random.next() % 300)"
                if random.next() % 3 == 0 {
                    transaction.delete(key)
                    expected[key] = nil
                } else {
                    transaction.put(key, "\(turn)")
                    expected[key] = "\(turn)"
                }
                if random.next() % 20 == 0 { _ = try store.commit(transaction) }
            }
            #expect(
                try transaction.pairs()
                    == expected.map { "\($0)=\($1)" }.sorted { $0.prefix { $0 != "=" } < $1.prefix { $0 != "=" } })
        }
    }

    @Test func `a transaction of another store is refused`() throws {
        let transaction = MemoryStore().transaction()
        transaction.put("a", "1")
        try StoreKind.memory.with { store in #expect(throws: StorageError.self) { try store.commit(transaction) } }
        try StoreKind.rocks.with { store in #expect(throws: StorageError.self) { try store.commit(transaction) } }
    }
}

/// xorshift64: the same numbers in every run.
struct SeededRandom {
    var state: UInt64

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}
