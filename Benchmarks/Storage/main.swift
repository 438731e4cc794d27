// Measures the store: prints one line of JSON per measurement.
//
//     swift run --configuration release StorageBenchmark [directory]
import HoldfastEngine
import HoldfastStorage
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

let directory = CommandLine.arguments.dropFirst().first ?? "/tmp/holdfast-storage-benchmark-\(getpid())"
let store = try RocksStore.open(directory: directory, options: RocksOptions(), partitions: 1)

func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

func cpu() -> Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
        + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
}

func report(_ name: String, _ seconds: [Double]) {
    let sorted = seconds.sorted()
    func microseconds(_ fraction: Double) -> Int { Int(sorted[Int(Double(sorted.count - 1) * fraction)] * 1e6) }
    print(
        "{\"name\":\"\(name)\",\"p50_us\":\(microseconds(0.5)),\"p90_us\":\(microseconds(0.9)),"
            + "\"p99_us\":\(microseconds(0.99))}")
}

func key(_ number: Int) -> [UInt8] { (0..<24).map { UInt8(truncatingIfNeeded: number >> (($0 % 8) * 8)) } }

/// In turns, because a shared machine's disk is not the same from second to second: a commit of 1 KiB made durable, and
/// 1 KiB overwritten in a file whose space is allocated and written, which is the least that a disk can do.
func measureSync() throws {
    let path = "\(directory)/benchmark.tmp"
    let file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0o600)
    defer {
        close(file)
        unlink(path)
    }
    let zeros = [UInt8](repeating: 0, count: 4 << 20)
    _ = write(file, zeros, zeros.count)
    fsync(file)
    let value = [UInt8](repeating: 7, count: 1024)[...]
    let transaction = store.transaction()
    var (raw, syncs, commits): ([Double], [Double], [Double]) = ([], [], [])
    for turn in 0..<2000 {
        transaction.put(.journals, key(turn), value)
        let start = now()
        _ = try store.commit(transaction)
        let committed = now()
        try store.makeDurable()
        let durable = now()
        _ = pwrite(file, zeros, 1024, off_t(turn * 1024))
        fdatasync(file)
        commits.append(committed - start)
        syncs.append(durable - committed)
        raw.append(now() - durable)
    }
    report("commit of 1 KiB", commits)
    report("makeDurable after 1 KiB", syncs)
    report("fdatasync of 1 KiB overwritten", raw)
}

/// 64 clients, each of which commits again as soon as its commit is durable: the largest group is 64.
func measureGroups(seconds: Double) throws {
    let durable = Atomic<UInt64>(0)
    let syncs = Atomic<Int>(0)
    let wake = sem()
    let pipeline = CommitPipeline(
        store: store,
        subscribers: [
            { progress in
                guard case .durable(let position) = progress else { return }
                durable.store(position.rawValue, ordering: .releasing)
                syncs.wrappingAdd(1, ordering: .relaxed)
                wake.post()
            }
        ])
    let transaction = store.transaction()
    let value = [UInt8](repeating: 7, count: 200)[...]
    var waiting: [CommitPosition] = []
    var commits = 0
    let start = now()
    let cpuStart = cpu()
    while now() - start < seconds {
        while waiting.count < 64 {
            for part in 0..<4 { transaction.put(Family.allCases[part], key(commits &* 7919 + part), value) }
            waiting.append(try store.commit(transaction))
            commits += 1
        }
        if let last = waiting.last { pipeline.request(upTo: last, for: 0) }
        wake.wait()
        let position = durable.load(ordering: .acquiring)
        waiting.removeAll { $0.rawValue <= position }
    }
    let elapsed = now() - start
    pipeline.stop()
    print(
        "{\"name\":\"64 clients, 4 writes of 200 bytes per commit\",\"commits_per_s\":\(Int(Double(commits) / elapsed)),"
            + "\"syncs_per_s\":\(Int(Double(syncs.load(ordering: .relaxed)) / elapsed)),"
            + "\"cpu_us_per_commit\":\(Int((cpu() - cpuStart) / Double(commits) * 1e6))}")
}

/// Everything of an invocation in one turn: reads, writes, a scan.
func measureTransactions() throws {
    let value = [UInt8](repeating: 7, count: 200)[...]
    let transaction = store.transaction()
    let start = now()
    let count = 200_000
    for number in 0..<count {
        _ = try transaction.get(.invocations, key(number))
        transaction.put(.invocations, key(number), value)
        transaction.put(.journals, key(number), value)
        if number % 64 == 63 { _ = try store.commit(transaction) }
    }
    let seconds = now() - start
    print("{\"name\":\"read, 2 writes, 64 per commit\",\"ns\":\(Int(seconds / Double(count) * 1e9))}")
    let scanStart = now()
    for number in 0..<20_000 {
        try transaction.scan(.journals, from: key(number), to: key(number) + [255]) { _, _ in true }
    }
    print("{\"name\":\"scan of one pair\",\"ns\":\(Int((now() - scanStart) / 20_000 * 1e9))}")
}

func residentMemory() -> Int {
    guard let file = fopen("/proc/self/statm", "r") else { return 0 }
    defer { fclose(file) }
    var total = 0
    var resident = 0
    withUnsafeMutablePointer(to: &total) { total in
        withUnsafeMutablePointer(to: &resident) { resident in
            _ = withVaList([total, resident]) { vfscanf(file, "%ld %ld", $0) }
        }
    }
    return resident * 4 / 1024
}

final class sem: Sendable {
    private let mutex = Mutex(0)
    func post() { mutex.withLock { $0 += 1 } }
    func wait() {
        while true {
            let done = mutex.withLock { count in
                if count > 0 {
                    count = 0
                    return true
                }
                return false
            }
            if done { return }
            sched_yield()
        }
    }
}

print("{\"name\":\"idle\",\"resident_MiB\":\(residentMemory())}")
try measureSync()
try measureTransactions()
try measureGroups(seconds: 5)
print("{\"name\":\"end\",\"resident_MiB\":\(residentMemory())}")
store.close()
