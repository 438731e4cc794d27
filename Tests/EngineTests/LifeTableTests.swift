import HoldfastEngine
import HoldfastServiceProtocol
import HoldfastWire
import Testing

/// The table status × event of the life of an invocation (semantics §1.3): every pair, with what becomes of it.
struct LifeTableTests {
    /// How an invocation comes into a status. Each of them serves an exclusive handler of one object.
    static let statuses: [(name: String, lines: [String])] = [
        ("free", []),
        ("scheduled", ["at 0 send a x Counter/c/add start=50 completion=1000 journal=1000"]),
        (
            "inboxed",
            ["at 0 invoke owner Counter/c/add", "at 0 send a x Counter/c/add completion=1000 journal=1000"]
        ),
        ("invoked", ["at 0 send a x Counter/c/add completion=1000 journal=1000"]),
        (
            "suspended",
            [
                "at 0 send a x Counter/c/add completion=1000 journal=1000",
                "at 1 attempt x Sleep 1 until=50; Suspension 1,s1,s17 sent=1",
            ]
        ),
        ("paused", ["at 0 send a x Counter/c/add completion=1000 journal=1000", "at 1 pause x"]),
        (
            "completed",
            ["at 0 send a x Counter/c/add completion=1000 journal=1000", "at 1 attempt x Output done; End"]
        ),
        (
            "backing-off",
            [
                "at 0 send a x Counter/c/add completion=1000 journal=1000",
                "at 1 attempt x Error 500 boom due=50 registration=1",
            ]
        ),
    ]

    /// Events, and for each of the statuses above, in their order: the status behind it, and the answer if there is one.
    static let table: [(event: String, outcomes: [String])] = [
        (
            "at 9 send b x Counter/c/add",
            [
                "invoked accepted x", "scheduled accepted before x start=50", "inboxed accepted before x",
                "invoked accepted before x", "suspended accepted before x", "paused accepted before x",
                "completed accepted before x", "backing-off accepted before x",
            ]
        ),
        (
            "at 9 attach b x",
            [
                "free unknown x", "scheduled", "inboxed", "invoked", "suspended", "paused",
                "completed result of x \"done\" expires=1001", "backing-off",
            ]
        ),
        (
            "at 9 output b x",
            [
                "free unknown x", "scheduled not completed x", "inboxed not completed x", "invoked not completed x",
                "suspended not completed x", "paused not completed x", "completed result of x \"done\" expires=1001",
                "backing-off not completed x",
            ]
        ),
        ("at 50 fire", ["free", "invoked", "inboxed", "invoked", "invoked", "paused", "completed", "invoked"]),
        (
            "at 9 attempt owner epoch=1 Output owned; End",
            ["free", "scheduled", "invoked", "invoked", "suspended", "paused", "completed", "backing-off"]
        ),
        (
            "at 9 attempt x SetState k v",
            ["free abort", "scheduled abort", "inboxed abort", "invoked", "suspended abort", "paused abort"]
                + ["completed abort", "backing-off"]
        ),
        (
            "at 9 attempt x Propose 9 v",
            ["free abort", "scheduled abort", "inboxed abort", "invoked", "suspended abort", "paused abort"]
                + ["completed abort", "backing-off"]
        ),
        (
            "at 9 attempt x Output late; End",
            ["free abort", "scheduled abort", "inboxed abort", "completed", "suspended abort", "paused abort"]
                + ["completed abort", "backing-off"]
        ),
        (
            "at 9 attempt x Suspension s18,s1 sent=1",
            ["free abort", "scheduled abort", "inboxed abort", "suspended", "suspended abort", "paused abort"]
                + ["completed abort", "backing-off"]
        ),
        (
            "at 9 attempt x Error 500 boom",
            ["free abort", "scheduled abort", "inboxed abort", "invoked", "suspended abort", "paused abort"]
                + ["completed abort", "backing-off"]
        ),
        (
            "at 9 attempt x Error pause 500 boom",
            ["free abort", "scheduled abort", "inboxed abort", "paused", "suspended abort", "paused abort"]
                + ["completed abort", "backing-off"]
        ),
        (
            "at 9 attempt x Error end 500 boom",
            ["free abort", "scheduled abort", "inboxed abort", "completed", "suspended abort", "paused abort"]
                + ["completed abort", "backing-off"]
        ),
        (
            "at 9 signal x s17 v",
            ["free", "scheduled", "inboxed", "invoked", "invoked", "paused", "completed", "backing-off"].map {
                $0 + " signalled"
            }
        ),
        (
            "at 9 signal x s18 v",
            ["free", "scheduled", "inboxed", "invoked", "suspended", "paused", "completed", "backing-off"].map {
                $0 + " signalled"
            }
        ),
        (
            "at 9 signal x s1 void",
            ["free", "free", "free", "invoked", "invoked", "invoked", "completed", "backing-off"].map {
                $0 + " signalled"
            }
        ),
        (
            "at 9 cancel x",
            [
                "free unknown", "free done", "free done", "invoked accepted", "invoked accepted", "invoked accepted",
                "completed completed", "backing-off accepted",
            ]
        ),
        (
            "at 9 kill x",
            [
                "free unknown abort", "free done", "free done", "completed done abort", "completed done abort",
                "completed done abort", "completed completed", "completed done abort",
            ]
        ),
        (
            "at 9 pause x",
            [
                "free unknown", "scheduled notStarted", "inboxed notStarted", "paused accepted",
                "paused accepted", "paused unchanged", "completed completed", "paused accepted",
            ]
        ),
        (
            "at 9 resume x",
            [
                "free unknown", "scheduled notStarted", "inboxed notStarted", "invoked done", "invoked done",
                "invoked done", "completed completed", "invoked done",
            ]
        ),
        (
            "at 9 resume x deployment=latest",
            [
                "free unknown", "scheduled notStarted", "inboxed notStarted", "invoked running", "invoked done",
                "invoked done", "completed completed", "backing-off running",
            ]
        ),
        (
            // Nothing is pinned: only a deployment that somebody named can be wrong.
            "at 9 resume x deployment=latest-missing",
            [
                "free unknown", "scheduled notStarted", "inboxed notStarted", "invoked running",
                "suspended deploymentMissing", "invoked done", "completed completed", "backing-off running",
            ]
        ),
        (
            "at 9 resume x deployment=specific-missing",
            [
                "free unknown", "scheduled notStarted", "inboxed notStarted", "invoked running",
                "suspended deploymentMissing", "paused deploymentFixed", "completed completed", "backing-off running",
            ]
        ),
        (
            "at 9 defer x epoch=1",
            ["free", "scheduled", "inboxed", "invoked", "suspended", "paused", "completed", "backing-off"]
        ),
        (
            "at 9 take-up",
            ["free", "scheduled", "inboxed", "invoked", "suspended", "paused", "completed", "backing-off"]
        ),
        (
            "at 9 purge x",
            [
                "free unknown", "scheduled notCompleted", "inboxed notCompleted", "invoked notCompleted",
                "suspended notCompleted", "paused notCompleted", "free done", "backing-off notCompleted",
            ]
        ),
        (
            "at 9 purge-journal x",
            [
                "free unknown", "scheduled notCompleted", "inboxed notCompleted", "invoked notCompleted",
                "suspended notCompleted", "paused notCompleted", "completed done", "backing-off notCompleted",
            ]
        ),
        (
            "at 9 restart x y",
            [
                "free unknown", "scheduled notStarted", "inboxed notStarted", "invoked running", "suspended running",
                "paused running", "completed restarted as y", "backing-off running",
            ]
        ),
        (
            "at 9 start x epoch=1",
            ["free", "scheduled", "inboxed", "invoked", "suspended", "paused", "completed", "backing-off"]
        ),
        (
            "at 9 start x epoch=2",
            ["free", "scheduled", "inboxed", "invoked", "suspended", "paused", "completed", "invoked"]
        ),
        (
            "at 9 register",
            ["free", "scheduled", "inboxed", "invoked", "suspended", "paused", "completed", "invoked"]
        ),
        (
            "at 2000 clean-up",
            ["free", "scheduled", "inboxed", "invoked", "suspended", "paused", "free", "backing-off"]
        ),
        (
            "at 9 forget b x",
            ["free", "scheduled", "inboxed", "invoked", "suspended", "paused", "completed", "backing-off"]
        ),
        ("crash", ["free", "scheduled", "inboxed", "invoked", "suspended", "paused", "completed", "backing-off"]),
    ]

    static let pairs: [(event: String, status: Int, outcome: String)] = table.flatMap { row in
        row.outcomes.indices.map { (row.event, $0, row.outcomes[$0]) }
    }

    @Test func `every event has an outcome in every status`() {
        for row in Self.table { #expect(row.outcomes.count == Self.statuses.count, "\(row.event)") }
        #expect(Set(Self.statuses.map(\.name)).isSuperset(of: InvocationStatus.allCases.map { "\($0)" }))
    }

    @Test(arguments: pairs)
    func `an event does in a status what the table says`(event: String, status: Int, outcome: String) throws {
        let world = try World()
        _ = try world.run(Self.statuses[status].lines)
        #expect(try world.status(of: "x") == Self.statuses[status].name)

        let released = try world.run([event])

        var text = try world.status(of: "x")
        for line in released where line.hasPrefix("answer") {
            let words = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: true)
            if let answer = words.last, words.count == 3 { text += " " + answer }
        }
        if released.contains(where: { $0.hasPrefix("abort attempt") && $0.hasSuffix(" x") }) { text += " abort" }
        #expect(text == outcome, "\(Self.statuses[status].name): \(event)")

        // Whatever happened, the object is not stuck: it can be had once its owner is gone.
        _ = try world.run(["kill x", "kill owner", "kill y"])
        let next = try world.run(["call z next Counter/c/add"])
        #expect(next.contains { $0.hasPrefix("start attempt   next") }, "\(next)")
    }
}

extension World {
    func status(of name: String) throws -> String {
        let id = names.id(of: name)
        let record = try InvocationTable(partition: owner(of: id)).record(id, store.snapshot())
        return record.map { $0.isBackingOff ? "backing-off" : "\($0.status)" } ?? "free"
    }
}
