import HoldfastEngine
import HoldfastServiceProtocol
import HoldfastWire
import Testing

@testable import HoldfastRuntime

@Suite struct InvokerSimulationTests {
    @Test(arguments: [ProtocolVersion.v6, .v7])
    func `whatever goes wrong, each step is journalled once and everything ends`(_ version: ProtocolVersion) throws {
        var (deferredCount, storedCount) = (0, 0)
        for seed in 0..<12 as Range<UInt64> {
            let simulation = try InvokerSimulation(seed: seed, version: version)
            for number in 1...6 { simulation.invoke(number) }
            for _ in 0..<2000 { try simulation.step(isCalm: false) }
            simulation.resumeAll()
            var steps = 0
            while try simulation.results().count < 6, steps < 200 {
                for _ in 0..<500 { try simulation.step(isCalm: true) }
                steps += 1
            }
            #expect(simulation.faults == [], "seed \(seed)")
            let results = try simulation.results()
            for id in simulation.invocations {
                let status = try simulation.status(of: id)
                #expect(results[id] == .value(Bytes(utf8: "done")), "seed \(seed): \(status)")
                let commands = [.input] + ScriptedSDK.program.filter { $0 != .signal } + [.output]
                #expect(try simulation.journal(of: id) == commands, "seed \(seed): \(status)")
            }
            deferredCount += simulation.deferredCount
            storedCount += simulation.storedCount
        }
        #expect(deferredCount > 0)
        #expect(storedCount > 0)
    }
}
