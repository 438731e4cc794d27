import Testing

@testable import Simulator

struct SimulationTests {
    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func `a seed's run breaks no rule, and ends the same each time`(seed: UInt64) throws {
        let options = Simulation.Options(seed: seed, steps: 400)
        let digest = try Simulation(options).run()
        let again = try Simulation(options).run()
        #expect(digest == again, "swift run Simulator --seed \(seed) --steps 400")
    }

    /// Whatever prefix of a run's commits is durable, what follows from it is what would have followed: each commit of
    /// the run is once the last one that survives a crash, and once the first one that does not.
    @Test(arguments: [3, 7] as [UInt64], [true, false])
    func `after a crash behind any commit everything comes to its end`(seed: UInt64, isDurable: Bool) throws {
        let undisturbed = try Simulation(.init(seed: seed, steps: 100, crash: .init(commit: 0, isDurable: false)))
        _ = try undisturbed.run()
        #expect(undisturbed.commitCount > 20)
        for commit in 1...undisturbed.commitCount {
            let crash = Simulation.Crash(commit: commit, isDurable: isDurable)
            _ = try Simulation(.init(seed: seed, steps: 100, crash: crash)).run()
        }
    }

    @Test func `the rare things happen`() throws {
        var probes: [String: Int] = [:]
        for seed in 61...76 as ClosedRange<UInt64> {
            let simulation = try Simulation(.init(seed: seed, steps: 400))
            _ = try simulation.run()
            for (name, times) in simulation.probes { probes[name, default: 0] += times }
        }
        for name in [
            "attempt failed", "clean-up in steps", "client hung up", "crash", "crash that loses commits",
            "message taken once or too early", "packet lost", "packet repeated", "replay", "report without effect",
            "back-offs ended in steps", "start behind a stored back-off deferred", "start deferred",
            "step finished though paused", "stored back-off ended", "stored back-off ended at once",
            "suspension resolved at once", "turn taken back",
        ] {
            #expect(probes[name, default: 0] > 0, "\(name)")
        }
    }
}
