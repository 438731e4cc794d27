import Foundation
import HoldfastTransport

/// A program that is measured from outside.
final class ChildProcess {
    private let process = Process()

    /// Starts a program whose output goes to a file.
    init(_ program: String, _ arguments: [String], log: String) throws {
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        guard FileManager.default.createFile(atPath: log, contents: nil) else {
            throw BenchmarkError("Cannot write '\(log)'.")
        }
        let output = FileHandle(forWritingAtPath: log)
        process.standardOutput = output
        process.standardError = output
        try process.run()
    }

    /// As `kill -9` does; returns when the process is gone.
    func kill() {
        Glibc.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    var isRunning: Bool { process.isRunning }
    var usage: ProcessUsage { ProcessUsage(process.processIdentifier) }
}

/// What a process has used so far.
struct ProcessUsage {
    var cpuSeconds = 0.0
    /// Bytes that it handed to the system, for files and sockets together.
    var bytesHandedOver = 0
    var residentMiB = 0.0

    static var own: ProcessUsage { ProcessUsage(getpid()) }

    init(_ process: Int32) {
        // Fields 14 and 15, counted behind the name, which may contain spaces.
        let stat = Self.text(process, "stat")
        let fields = stat[(stat.lastIndex(of: ")") ?? stat.startIndex)...].split(separator: " ")
        if fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13]) {
            cpuSeconds = (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
        }
        bytesHandedOver = Self.number(after: "wchar:", in: Self.text(process, "io"))
        residentMiB = Double(Self.number(after: "VmRSS:", in: Self.text(process, "status"))) / 1024
    }

    private static func text(_ process: Int32, _ file: String) -> String { systemText("/proc/\(process)/\(file)") }

    private static func number(after name: String, in text: String) -> Int {
        for line in text.split(separator: "\n") where line.hasPrefix(name) {
            return Int(line.dropFirst(name.count).split { !$0.isNumber }.first ?? "") ?? 0
        }
        return 0
    }
}

/// The bytes that were written to a disk, by whomever.
///
/// What the system counts per process (`write_bytes`) is of no use: of a file in the page cache whose folios are large,
/// it counts 1 MiB for each small write, of which a sector goes to the disk.
struct DiskUsage {
    let bytesWritten: Int

    /// - Parameter path: Something on the disk.
    init(ofDiskWith path: String) {
        var information = stat()
        guard stat(path, &information) == 0 else {
            bytesWritten = 0
            return
        }
        let (major, minor) = (information.st_dev >> 8 & 0xfff, information.st_dev & 0xff)
        let line = systemText("/proc/diskstats").split(separator: "\n").first { line in
            let fields = line.split(separator: " ")
            return fields.count > 9 && fields[0] == "\(major)" && fields[1] == "\(minor)"
        }
        bytesWritten = (line.flatMap { Int($0.split(separator: " ")[9]) } ?? 0) * 512
    }
}

private func systemText(_ path: String) -> String {
    guard let handle = FileHandle(forReadingAtPath: path), let data = try? handle.readToEnd() else { return "" }
    return String(decoding: data, as: UTF8.self)
}

/// The real server in a data directory, with the deployment registered.
final class ServerUnderTest {
    let ingress: HTTPOrigin
    private let admin: HTTPOrigin
    private let directory: String
    private let program: String
    private(set) var process: ChildProcess

    /// Starts the server on free ports.
    init(program: String, directory: String) throws {
        self.program = program
        self.directory = directory
        ingress = .local(try freePort())
        admin = .local(try freePort())
        process = try Self.start(program, directory, ingress, admin)
    }

    private static func start(
        _ program: String, _ directory: String, _ ingress: HTTPOrigin, _ admin: HTTPOrigin
    ) throws -> ChildProcess {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        return try ChildProcess(
            program,
            [
                "serve", "--data", directory, "--ingress", "127.0.0.1:\(ingress.port)",
                "--admin", "127.0.0.1:\(admin.port)",
            ], log: "\(directory).log")
    }

    /// Starts the server again after `kill`, on the same data and ports.
    func restart() throws { process = try Self.start(program, directory, ingress, admin) }

    func kill() { process.kill() }

    /// Registers the deployment, as soon as the server takes it.
    func register(deploymentPort: Int, _ generator: LoadGenerator) throws {
        let start = Moment()
        let body = Array(#"{"uri":"http://127.0.0.1:\#(deploymentPort)"}"#.utf8)[...]
        var last = "no answer"
        while start.elapsed < 10, process.isRunning {
            switch generator.request("POST", "/deployments", to: admin, body: body, version: .http1) {
            case .success(let answer) where answer.status < 300: return
            case .success(let answer): last = "\(answer.status) \(String(decoding: answer.body, as: UTF8.self))"
            case .failure(let error): last = error.message
            }
            pause(0.001)
        }
        throw BenchmarkError("The deployment could not be registered: \(last). The server's log: \(directory).log")
    }
}

/// Why nothing could be measured.
struct BenchmarkError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// A port that nobody listens on.
private func freePort() throws -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, size) == 0
                ? getsockname(descriptor, $0, &size) : -1
        }
    }
    guard status == 0 else { throw BenchmarkError("The system has no free port: errno \(errno).") }
    return Int(UInt16(bigEndian: address.sin_port))
}
