#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Runs simulations: `Simulator --seed N [--count N] [--steps N] [--print-from N] [--crash-at COMMIT --durable 0|1]`.
///
/// Each seed runs twice, and must do the same both times.
var seed: UInt64 = 1
var count: UInt64 = 1
var steps = 1500
var printFrom: Int?
var crashAt: Int?
var isDurable = false
var probes: [String: Int] = [:]

var arguments = CommandLine.arguments.dropFirst()
while let name = arguments.popFirst() {
    guard let text = arguments.popFirst(), let value = UInt64(text) else {
        print(
            "\(name) needs a number.\nSimulator --seed N [--count N] [--steps N] [--print-from STEP] [--crash-at COMMIT --durable 0|1]"
        )
        break
    }
    switch name {
    case "--seed": seed = value
    case "--count": count = value
    case "--steps": steps = Int(clamping: value)
    case "--print-from": printFrom = Int(clamping: value)
    case "--crash-at": crashAt = Int(clamping: value)
    case "--durable": isDurable = value != 0
    default: print("There is no option \(name).")
    }
}

var failures = 0
for current in seed..<(seed &+ max(count, 1)) {
    do {
        let crash = crashAt.map { Simulation.Crash(commit: $0, isDurable: isDurable) }
        let simulation = try Simulation(.init(seed: current, steps: steps, printFrom: printFrom, crash: crash))
        let digest = try simulation.run()
        let again = try Simulation(.init(seed: current, steps: steps, crash: crash)).run()
        for (name, times) in simulation.probes { probes[name, default: 0] += times }
        if digest == again {
            if count == 1 { print("seed \(current): digest \(digest)") }
        } else {
            failures += 1
            print("seed \(current): digest \(digest), and \(again) when it ran again")
        }
    } catch {
        failures += 1
        print("seed \(current), \(error)")
    }
}
for (name, times) in probes.sorted(by: { $0.key < $1.key }) { print("\(times)\t\(name)") }
print(failures == 0 ? "No violation in \(count) runs." : "\(failures) of \(count) runs failed.")
exit(failures == 0 ? 0 : 1)
