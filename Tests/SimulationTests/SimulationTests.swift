import Testing

@testable import Simulator

struct SimulationTests {
    static let seeds: [UInt64] = Array(1...16)

    @Test(arguments: seeds) func `a seed's run breaks no rule, and ends the same each time`(seed: UInt64) throws {
        let digest = try Simulation(.init(seed: seed, steps: 600)).run()
        let again = try Simulation(.init(seed: seed, steps: 600)).run()
        #expect(digest == again, "swift run Simulator --seed \(seed) --steps 600")
    }
}
