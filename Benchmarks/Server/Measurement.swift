import HoldfastTransport
import HoldfastWire

/// What was measured under one load.
struct Measurement {
    private(set) var title: String
    private(set) var concurrency: Int
    var callsPerSecond = 0.0
    /// Microseconds.
    var median = 0.0
    /// Microseconds.
    var p99 = 0.0
    var failureCount = 0
    var cpuMicrosecondsPerCall = 0.0
    /// What clients and deployment took of the same processors.
    var ownCPUMicrosecondsPerCall = 0.0
    /// Written to the disk, by whatever ran meanwhile.
    var bytesPerCall = 0.0
    /// Handed to the system by the process, for files and sockets.
    var bytesHandedOverPerCall = 0.0
    var residentMiB = 0.0

    /// Loads a server: warms it up, measures a number of rounds, and takes the one in the middle by calls per second.
    init(
        _ title: String, concurrency: Int, request: LoadRequest, on process: ChildProcess, by generator: LoadGenerator,
        settings: Settings
    ) {
        self.title = title
        self.concurrency = concurrency
        let run = LoadRun(generator, request, concurrency: concurrency)
        pause(settings.warmUpSeconds)
        let rounds = (0..<settings.rounds).map { _ in
            var round = self
            round.record(run, process, settings)
            return round
        }
        run.finish()
        self = rounds.sorted { $0.callsPerSecond < $1.callsPerSecond }[rounds.count / 2]
        residentMiB = rounds.map(\.residentMiB).max() ?? 0
        failureCount = rounds.map(\.failureCount).max() ?? 0
    }

    private mutating func record(_ run: LoadRun, _ process: ChildProcess, _ settings: Settings) {
        let before = process.usage
        let ownBefore = ProcessUsage.own
        let disk = DiskUsage(ofDiskWith: settings.directory)
        run.startRecording()
        let start = Moment()
        pause(settings.roundSeconds)
        let record = run.stopRecording()
        let elapsed = start.elapsed
        let after = process.usage
        let count = Double(max(record.latencies.count, 1))
        callsPerSecond = Double(record.latencies.count) / elapsed
        let sorted = record.latencies.sorted()
        median = Double(sorted.quantile(0.5)) / 1000
        p99 = Double(sorted.quantile(0.99)) / 1000
        failureCount = record.failureCount
        cpuMicrosecondsPerCall = (after.cpuSeconds - before.cpuSeconds) / count * 1e6
        ownCPUMicrosecondsPerCall = (ProcessUsage.own.cpuSeconds - ownBefore.cpuSeconds) / count * 1e6
        bytesPerCall = Double(DiskUsage(ofDiskWith: settings.directory).bytesWritten - disk.bytesWritten) / count
        bytesHandedOverPerCall = Double(after.bytesHandedOver - before.bytesHandedOver) / count
        residentMiB = after.residentMiB
    }

    var json: JSON {
        .object([
            .init("concurrency", JSON(concurrency)), .init("calls_per_second", .rounded(callsPerSecond)),
            .init("p50_microseconds", .rounded(median)), .init("p99_microseconds", .rounded(p99)),
            .init("cpu_microseconds_per_call", .rounded(cpuMicrosecondsPerCall)),
            .init("own_cpu_microseconds_per_call", .rounded(ownCPUMicrosecondsPerCall)),
            .init("bytes_written_per_call", .rounded(bytesPerCall)),
            .init("bytes_handed_over_per_call", .rounded(bytesHandedOverPerCall)),
            .init("resident_mib", .rounded(residentMiB)), .init("failures", JSON(failureCount)),
        ])
    }
}

extension JSON {
    /// A number with one digit behind the point.
    static func rounded(_ number: Double) -> JSON { .number((number * 10).rounded() / 10) }
}
