// Measures the server, and what the machine could do at best: prints one JSON object, and then a table.
//
//     make bench                              everything
//     CASE=echo,state,steps,start,restart     some of it
//     ROUNDS=3 SECONDS=2 CONCURRENCY=1,64,512 SLEEPERS=50000 DATA=folder
import Foundation
import HoldfastWire

if CommandLine.arguments.dropFirst().first == "echo-server" { try EchoService.run() }
do {
    let report = try Benchmark(Settings()).run()
    print(report.json.text)
    print(report.table)
} catch {
    FileHandle.standardError.write(Data("\(error)\n".utf8))
    exit(1)
}
