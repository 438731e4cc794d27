import HoldfastWire
import Testing

@testable import HoldfastRuntime

@Suite struct RegistryRuleBookTests {
    private let now = Timestamp(millis: 100)
    private let later = Timestamp(millis: 200)

    @Test func `a new rule has the book's next version`() throws {
        var book = RuleBook()
        let rules = try book.upsert([RuleChange(pattern: "tenant-a/*", concurrency: 10)], now: now)
        #expect(rules.map(\.version) == [1])
        #expect(try book.upsert([RuleChange(pattern: "b")], now: now).map(\.version) == [2])
        #expect(book.version == 2)
    }

    @Test func `limits and the switch change a rule's version, its description only the book's`() throws {
        var book = RuleBook()
        _ = try book.upsert([RuleChange(pattern: "a", concurrency: 1)], now: now)
        let limited = try book.upsert([RuleChange(pattern: "a", concurrency: 2)], now: later)
        #expect(limited.first?.version == 2)
        #expect(limited.first?.modified == later)
        let described = try book.upsert(
            [RuleChange(pattern: "a", concurrency: 2, description: "d")], now: Timestamp(millis: 300))
        #expect(described.first?.version == 2)
        #expect(described.first?.modified == later)
        #expect(book.version == 3)
        _ = try book.upsert([RuleChange(pattern: "a", concurrency: 2, description: "d")], now: later)
        #expect(book.version == 3)
        #expect(try book.upsert([RuleChange(pattern: "a", isDisabled: true)], now: later).first?.version == 3)
    }

    @Test func `a pattern that is named twice ends as the last one says, in both answers`() throws {
        var book = RuleBook()
        let rules = try book.upsert(
            [RuleChange(pattern: "a", concurrency: 1), RuleChange(pattern: "a", concurrency: 2)], now: now)
        #expect(rules.map(\.concurrency) == [2, 2])
    }

    @Test func `a precondition that fails changes nothing`() throws {
        var book = RuleBook()
        _ = try book.upsert([RuleChange(pattern: "p", concurrency: 1)], now: now)
        let before = book
        let error = #expect(throws: RegistryError.self) {
            try book.upsert(
                [
                    RuleChange(pattern: "q"), RuleChange(pattern: "p", precondition: .matches(99)),
                ], now: now)
        }
        #expect(error?.status == 409)
        #expect(error?.message == "rule precondition Matches(v99) for pattern p failed (actual version: Some(v1))")
        #expect(book == before)
        #expect(throws: RegistryError.self) {
            try book.upsert([RuleChange(pattern: "p", precondition: .doesNotExist)], now: now)
        }
        #expect(try book.upsert([RuleChange(pattern: "p", precondition: .matches(1))], now: now).count == 1)
    }

    @Test func `removing skips what is not there, unless a version is expected`() throws {
        var book = RuleBook()
        _ = try book.upsert([RuleChange(pattern: "a"), RuleChange(pattern: "b")], now: now)
        #expect(try book.remove([("a", nil), ("nonexist", nil)]) == ["a"])
        let error = #expect(throws: RegistryError.self) { try book.remove([("b", 1), ("gone", 4)]) }
        #expect(error?.message == "rule precondition Matches(v4) for pattern gone failed (actual version: None)")
        #expect(book.rules.count == 1)
    }

    @Test func `more rules than there may be are refused as a whole`() throws {
        var book = RuleBook()
        _ = try book.upsert((0..<RuleBook.capacity).map { RuleChange(pattern: "r\($0)") }, now: now)
        let error = #expect(throws: RegistryError.self) { try book.upsert([RuleChange(pattern: "x")], now: now) }
        #expect(error?.message == "rule book is full (10000 rules)")
        #expect(book.rules.count == RuleBook.capacity)
    }

    @Test(arguments: [
        ("tenant-a/*", "tenant-a/*"), (" a/b/c/ ", "a/b/c"), ("*", "*"), ("a.b_c-1", "a.b_c-1"),
    ])
    func `patterns are printed in canonical form`(text: String, canonical: String) throws {
        #expect(try RulePattern.canonical(text) == canonical)
    }

    @Test(arguments: ["", "/", "a//b", "a*", "a/b/c/d", "ü", String(repeating: "x", count: 37)])
    func `other patterns are refused`(text: String) {
        #expect(throws: WireError.self) { try RulePattern.canonical(text) }
    }
}
