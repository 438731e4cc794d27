import Foundation
import HoldfastTransport
import HoldfastWire

/// One run: the ceilings, the server under load, its start, and its restart.
struct Benchmark {
    private let settings: Settings
    private let generator: LoadGenerator
    private let deploymentPort: Int

    init(_ settings: Settings) throws {
        self.settings = settings
        try FileManager.default.createDirectory(atPath: settings.directory, withIntermediateDirectories: true)
        generator = try LoadGenerator()
        deploymentPort = try Deployment.start()
    }

    func run() throws -> Report {
        defer { try? FileManager.default.removeItem(atPath: settings.directory) }
        var report = Report(sleeperCount: settings.sleeperCount)
        let ceilings = Ceilings(directory: settings.directory)
        try measureSyncs(&report, ceilings)
        if settings.wants("start") { try measureStart(&report) }
        let workloads = Workload.allCases.filter { settings.wants($0.rawValue) }
        if !workloads.isEmpty {
            report.network = try measureNetwork()
            for workload in workloads {
                try measure(workload, &report, ceilings)
                try measureSyncs(&report, ceilings)
            }
        }
        if settings.wants("restart") { try measureRestart(&report) }
        return report
    }

    private func server(_ name: String) throws -> ServerUnderTest {
        try ServerUnderTest(program: settings.program, directory: "\(settings.directory)/\(name)")
    }

    /// Again and again during the run, because a disk's mood changes.
    private func measureSyncs(_ report: inout Report, _ ceilings: Ceilings) throws {
        let times = try ceilings.syncTimes()
        report.syncTimes.append(times)
        note("fdatasync: appended \(Int(times.appended)) µs, overwritten \(Int(times.overwritten)) µs")
    }

    // MARK: - Load

    private func measureNetwork() throws -> [Measurement] {
        let log = "\(settings.directory)/echo.log"
        let process = try ChildProcess(CommandLine.arguments[0], ["echo-server"], log: log)
        defer { process.kill() }
        let start = Moment()
        var port: Int?
        while port == nil, start.elapsed < 5 {
            pause(0.01)
            let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
            port = text.hasSuffix("\n") ? Int(text.dropLast()) : nil
        }
        guard let port else { throw BenchmarkError("The echo server does not start: see '\(log)'.") }
        let request = LoadRequest(origin: .local(port), path: { _ in "/echo" })
        return settings.concurrencies.map { concurrency in
            measurement("echo, no engine", concurrency, request, process)
        }
    }

    private func measure(_ workload: Workload, _ report: inout Report, _ ceilings: Ceilings) throws {
        let server = try server(workload.rawValue)
        defer { server.kill() }
        try server.register(deploymentPort: deploymentPort, generator)
        let request = LoadRequest(origin: server.ingress, path: workload.path(lane:))
        for concurrency in settings.concurrencies {
            let measured = measurement(workload.title, concurrency, request, server.process)
            let ceiling = try ceilings.groupCommitsPerSecond(
                concurrency: concurrency, bytes: Int(measured.bytesHandedOverPerCall), commits: workload.commitCount,
                seconds: settings.roundSeconds)
            report.loads.append(Report.Load(workload: workload, measured: measured, groupCommit: ceiling))
        }
    }

    private func measurement(
        _ title: String, _ concurrency: Int, _ request: LoadRequest, _ process: ChildProcess
    ) -> Measurement {
        let measured = Measurement(
            title, concurrency: concurrency, request: request, on: process, by: generator, settings: settings)
        note(
            "\(title), \(concurrency) at a time: \(Int(measured.callsPerSecond))/s, p50 \(Int(measured.median)) µs, "
                + "CPU \(Int(measured.cpuMicrosecondsPerCall)) µs, failures \(measured.failureCount)")
        return measured
    }

    // MARK: - Start and restart

    private func measureStart(_ report: inout Report) throws {
        var times: [Double] = []
        var idle: [Double] = []
        for round in 0..<max(settings.rounds, 3) {
            let start = Moment()
            let server = try server("start\(round)")
            defer { server.kill() }
            try server.register(deploymentPort: deploymentPort, generator)
            guard
                let time = generator.milliseconds(
                    since: start, until: Workload.echo.path(lane: 0), of: server.ingress, within: 10)
            else { throw BenchmarkError("The server answers no call within 10 s of its start.") }
            times.append(time)
            pause(1)
            idle.append(server.process.usage.residentMiB)
        }
        report.startMilliseconds = times.sorted()[times.count / 2]
        report.idleMiB = idle.sorted()[idle.count / 2]
        note("start: \(Int(report.startMilliseconds ?? 0)) ms, idle: \(Int(report.idleMiB ?? 0)) MiB")
    }

    private func measureRestart(_ report: inout Report) throws {
        let server = try server("restart")
        defer { server.kill() }
        try server.register(deploymentPort: deploymentPort, generator)
        let before = Deployment.suspensionCount.load(ordering: .relaxed)
        let request = LoadRequest(origin: server.ingress, path: { _ in "/Sleeper/sleep/send" }, status: 202)
        let failures = LoadRun(generator, request, concurrency: 256, count: settings.sleeperCount).waitForAll()
        let wanted = settings.sleeperCount - failures
        let start = Moment()
        while Deployment.suspensionCount.load(ordering: .relaxed) - before < wanted, start.elapsed < 60 { pause(0.05) }
        report.sleeping = Deployment.suspensionCount.load(ordering: .relaxed) - before
        note("\(report.sleeping ?? 0) sleepers, \(failures) sends failed")
        // The last suspensions are on their way to the disk.
        pause(1)
        report.sleepersMiB = server.process.usage.residentMiB
        var times: [Double] = []
        for _ in 0..<max(settings.rounds, 3) {
            server.kill()
            let start = Moment()
            try server.restart()
            guard
                let time = generator.milliseconds(
                    since: start, until: Workload.echo.path(lane: 0), of: server.ingress, within: 60)
            else { throw BenchmarkError("The server answers no call within 60 s of its restart.") }
            times.append(time)
            note("restart: \(Int(time)) ms")
            pause(1)
        }
        report.restartMilliseconds = times.sorted()[times.count / 2]
    }

    private func note(_ text: String) { FileHandle.standardError.write(Data("\(text)\n".utf8)) }
}
