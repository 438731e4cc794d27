import Dispatch
import Foundation
import HoldfastEngine
import HoldfastStorage
import HoldfastTransport
import HoldfastWire

/// What the machine could do at best, measured in the same run as the engine.
struct Ceilings {
    let directory: String

    /// What a sync costs on this disk: the medians of some hundred, in microseconds.
    struct SyncTimes {
        /// `fdatasync` after 1 KiB was appended to a file: the unit in which goals are stated.
        var appended: Double
        /// `fdatasync` after 1 KiB was overwritten in a file whose space is allocated and written.
        var overwritten: Double
    }

    func syncTimes() throws -> SyncTimes {
        SyncTimes(
            appended: try syncMicroseconds(allocated: 0), overwritten: try syncMicroseconds(allocated: Self.syncCount))
    }

    private static let syncCount = 500

    private func syncMicroseconds(allocated: Int) throws -> Double {
        let path = "\(directory)/sync.tmp"
        let file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0o600)
        guard file >= 0 else { throw BenchmarkError("Cannot write '\(path)': errno \(errno).") }
        defer {
            close(file)
            unlink(path)
        }
        let zeros = [UInt8](repeating: 0, count: allocated * 1024)
        guard write(file, zeros, zeros.count) == zeros.count, fsync(file) == 0 else {
            throw BenchmarkError("Cannot write \(zeros.count) bytes to '\(path)': errno \(errno).")
        }
        let block = [UInt8](repeating: 7, count: 1024)
        let times = (0..<Self.syncCount).map { turn in
            let start = Moment()
            _ = pwrite(file, block, block.count, off_t(turn * block.count))
            fdatasync(file)
            return start.elapsedNanoseconds
        }
        return Double(times.quantile(0.5)) / 1000
    }

    /// How often per second clients get `commits` commits made durable one after the other, when they write the same
    /// bytes as the engine did, all that are ready share a sync, and nothing else is done.
    func groupCommitsPerSecond(concurrency: Int, bytes: Int, commits: Int, seconds: Double) throws -> Double {
        let store = try RocksStore.open(directory: "\(directory)/ceiling", options: RocksOptions(), partitions: 1)
        defer {
            store.close()
            try? FileManager.default.removeItem(atPath: "\(directory)/ceiling")
        }
        let durable = DispatchSemaphore(value: 0)
        let pipeline = CommitPipeline(
            store: store, subscribers: [{ if case .durable = $0 { durable.signal() } }])
        let transaction = store.transaction()
        let value = [UInt8](repeating: 7, count: max(bytes / commits / Self.writesPerCommit - 24, 1))[...]
        var rounds = 0
        var serial: UInt64 = 0
        let start = Moment()
        while start.elapsed < seconds {
            for _ in 0..<concurrency * Self.writesPerCommit {
                serial &+= 1
                var key: [UInt8] = []
                key.append(bigEndian: serial &* 0x9E37_79B9_7F4A_7C15)
                transaction.put(Family.allCases[Int(serial) % Self.writesPerCommit], key, value)
            }
            pipeline.request(upTo: try store.commit(transaction), for: 0)
            durable.wait()
            rounds += 1
        }
        let elapsed = start.elapsed
        pipeline.stop()
        return Double(rounds * concurrency) / Double(commits) / elapsed
    }

    private static let writesPerCommit = 4
}

/// An echo over the same network stack, with no engine behind it.
final class EchoService: HTTPService {
    /// Serves on as many loops as the engine has, prints the port, and never returns.
    static func run() throws -> Never {
        let group = try LoopGroup(count: ProcessInfo.processInfo.activeProcessorCount)
        let server = try HTTPServer(group: group) { _ in EchoService() }
        group.start()
        let port = try server.listen(host: "127.0.0.1", port: 0)
        FileHandle.standardOutput.write(Data("\(port)\n".utf8))
        while true { pause(3600) }
    }

    func received(_ exchange: ServerExchange) {
        exchange.collectBody(limit: 32 << 20) { result in
            guard case .success(let body) = result else {
                return exchange.respond(HTTPResponseHead(status: 413), body: [])
            }
            exchange.respond(
                HTTPResponseHead(status: 200, headers: ["content-type": "application/octet-stream"]), body: body)
        }
    }
}
