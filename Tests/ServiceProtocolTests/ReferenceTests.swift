import Foundation
import HoldfastServiceProtocol
import HoldfastWire
import Testing

/// Compares with Google's protobuf runtime. `Scripts/python-env` makes the environment; `make unit` calls it.
@Suite(.enabled(if: Reference.isInstalled, "needs .build/python: run Scripts/python-env"))
struct ReferenceTests {
    static let count = 4500

    @Test(arguments: [1, 2]) func `what the reference writes is read, and what is written the reference reads`(
        seed: Int
    ) throws {
        let lines = try Reference.run("generate", seed: seed, count: Self.count, input: "").split(separator: "\n")
        #expect(lines.count == Self.count)
        var rewritten = ""
        for line in lines {
            let frame = try Fixtures.frame(String(line))
            let message = try AnyMessage(type: frame.type, version: frame.version, payload: frame.payload)
            let fields = message.fields(version: frame.version)
            #expect(fields.sorted == frame.fields.sorted, "seed \(seed), \(frame.type) \(frame.payload.hex)")
            rewritten += message.payload(version: frame.version).hex + "\n"
        }
        _ = try Reference.run("check", seed: seed, count: Self.count, input: rewritten)
    }

}

enum Reference {
    static let python = Fixtures.folder.deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: ".build/python/bin/python")
    static let isInstalled = FileManager.default.isExecutableFile(atPath: python.path())

    struct Failed: Error { let output: String }

    /// Runs the reference, with files in place of pipes, which nobody has to drain.
    static func run(_ action: String, seed: Int, count: Int, input: String) throws -> String {
        let folder = FileManager.default.temporaryDirectory.appending(path: "reference-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (inputFile, outputFile) = (folder.appending(path: "input"), folder.appending(path: "output"))
        try Data(input.utf8).write(to: inputFile)
        try Data().write(to: outputFile)
        let process = Process()
        process.executableURL = python
        process.arguments = [
            Fixtures.folder.appending(path: "Reference/reference.py").path(), action, "\(seed)", "\(count)",
        ]
        process.standardInput = try FileHandle(forReadingFrom: inputFile)
        let output = try FileHandle(forWritingTo: outputFile)
        process.standardOutput = output
        process.standardError = output
        try process.run()
        process.waitUntilExit()
        let text = try String(contentsOf: outputFile, encoding: .utf8)
        guard process.terminationStatus == 0 else { throw Failed(output: text) }
        return text
    }
}
