import HoldfastServiceProtocol
import HoldfastStorage
import HoldfastWire
import Testing

@testable import HoldfastEngine

/// A journal of any length is removed a few rows at a time.
struct LongJournalTests {
    private static let limits = Limits(removedRows: 5, copiedEntries: 4)

    /// An invocation with a journal of 13 entries that has completed at 2.
    private func completed(_ options: String) throws -> World {
        let world = try World(limits: Self.limits)
        try run("x", options, commands: 11, in: world)
        return world
    }

    private func run(_ name: String, _ options: String, commands: Int, in world: World) throws {
        let steps = (0..<commands).map { "at 1 attempt \(name) SetState k \($0)" }
        _ = try world.run(
            ["at 0 invoke \(name) A/run \(options)"] + steps + ["at 2 attempt \(name) Output done; End"])
    }

    private func rows(_ world: World) throws -> Int {
        var count = 0
        try world.store.snapshot().scan(.journals, from: [0], to: [0xFF]) { _, _ in
            count += 1
            return true
        }
        return count
    }

    /// Applies commands while there is more to clean up; how many rows each has removed.
    private func removals(_ world: World, _ first: String) throws -> [Int] {
        var removed: [Int] = []
        var line = first
        repeat {
            let before = try rows(world)
            let released = try world.run([line])
            removed.append(before - (try rows(world)))
            guard released.contains("clean up more") else { return removed }
            line = "at 9000 clean-up limit=100"
        } while removed.count < 50
        return removed
    }

    @Test(arguments: [
        ("completion=9000000 journal=9000000", "at 3 purge x"),
        ("completion=9000000 journal=9000000", "at 3 purge-journal x"),
        ("completion=10 journal=10", "at 9000 clean-up limit=100"),
    ])
    func `no command removes more rows than its limit`(options: String, command: String) throws {
        let world = try completed(options)
        #expect(try rows(world) == 13)
        #expect(try removals(world, command) == [5, 5, 3])
        #expect(try world.run(["at 9001 clean-up"]) == [])
    }

    @Test func `an end without retention removes a journal in steps, too`() throws {
        let world = try World(limits: Self.limits)
        _ = try world.run(["at 0 invoke x A/run"])
        for number in 0..<11 { _ = try world.run(["at 1 attempt x SetState k \(number)"]) }
        #expect(try removals(world, "at 2 attempt x Output done; End") == [4, 5, 3])
        #expect(try world.status(of: "x") == "free")
    }

    @Test func `many journals are not removed by one command either`() throws {
        let world = try World(limits: Self.limits)
        for name in ["a", "b", "c", "d"] { try run(name, "completion=10 journal=10", commands: 2, in: world) }
        let removed = try removals(world, "at 9000 clean-up limit=100")
        #expect(removed.reduce(0, +) == 16)
        #expect(removed.allSatisfy { $0 <= 8 }, "\(removed)")
    }

    @Test func `what is left when the process ends is removed afterwards`() throws {
        let world = try completed("completion=9000000 journal=9000000")
        _ = try world.run(["at 3 purge x", "crash"])
        #expect(try rows(world) == 8)
        #expect(try removals(world, "at 9000 clean-up limit=100") == [5, 3])
    }

    @Test(arguments: [1, 20]) func `a new life sees nothing of a former one, and removes what is left of it`(
        commands: Int
    ) throws {
        let world = try completed("completion=9000000 journal=9000000")
        _ = try world.run(["at 3 purge x", "at 4 invoke x A/run completion=9000000 journal=9000000"])
        let shown = try world.run(["show x"])
        #expect(shown.count == 2 && shown[1].hasPrefix("entry           [0] Input"), "\(shown)")
        // The clean-up does not touch what belongs to the new life.
        #expect(try world.run(["at 5 clean-up"]) == [])
        for number in 0..<commands { _ = try world.run(["at 5 attempt x SetState n \(number)"]) }
        #expect(try world.run(["show x"]).count == commands + 2)
        #expect(try world.run(["at 6 clean-up", "crash", "at 6 clean-up"]).count == 1)
        #expect(try world.run(["show x"]).count == commands + 2)
        _ = try world.run(["at 6 attempt x Output done; End"])
        _ = try removals(world, "at 7 purge x")
        #expect(try rows(world) == 0)
    }

    @Test func `a restart copies no more than it may`() throws {
        let world = try completed("completion=9000000 journal=9000000")
        #expect(try world.run(["at 3 restart x y from=4"]) == ["answer          operator prefixTooLong(limit: 4)"])
        #expect(try world.run(["at 3 restart x y from=13"]) == ["answer          operator incompletePrefix"])
        #expect(try world.run(["at 3 restart x y from=3"]).contains("answer          operator restarted as y"))
        #expect(try world.run(["show y"]).count == 5)
    }
}
