import Foundation

/// What the environment says about a run.
struct Settings {
    /// Where data directories are made; must be on the disk that is to be measured.
    var directory: String
    /// The server's program.
    var program: String
    /// Parts of the names of what is measured; empty: all.
    var cases: [String]
    var rounds: Int
    var roundSeconds: Double
    var warmUpSeconds: Double
    var sleeperCount: Int
    var concurrencies: [Int]

    init(_ environment: [String: String] = ProcessInfo.processInfo.environment) {
        let own = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path
        directory = "\(environment["DATA"] ?? ".build/benchmark")/\(getpid())"
        program = environment["SERVER"] ?? "\(own)/holdfast"
        cases = (environment["CASE"] ?? "").split(separator: ",").map(String.init)
        rounds = max(environment["ROUNDS"].flatMap { Int($0) } ?? 3, 1)
        roundSeconds = environment["SECONDS"].flatMap { Double($0) } ?? 2
        warmUpSeconds = min(roundSeconds / 2, 1)
        sleeperCount = environment["SLEEPERS"].flatMap { Int($0) } ?? 50_000
        let listed = (environment["CONCURRENCY"] ?? "").split(separator: ",").compactMap { Int($0) }
        concurrencies = listed.isEmpty ? [1, 64, 512] : listed
    }

    func wants(_ name: String) -> Bool { cases.isEmpty || cases.contains(name) }
}
