import Testing

/// The table of layers in docs/architecture.md, held against what files really import.
struct LayerTests {
    /// What the files of a layer may import: layers without their prefix, C libraries with a leading `C`.
    private static let allowed: [String: Set<String>] = [
        "Wire": ["CXXHash", "COpenSSL"],
        "ServiceProtocol": ["Wire"],
        "Engine": ["Wire", "ServiceProtocol"],
        "Storage": ["Wire", "Engine", "CRocksDB", "CXXHash", "CAIO"],
        "Simulator": ["Wire", "ServiceProtocol", "Engine", "Storage"],
        "Transport": ["Wire", "CUV", "CNGHTTP2", "CLLHTTP", "COpenSSL"],
        "Runtime": ["Wire", "ServiceProtocol", "Engine", "Storage", "Transport", "CSQLite", "COpenSSL"],
        "CommandLine": ["Wire", "Transport", "Runtime"],
    ]

    /// Of the toolchain. Foundation is not among them: it costs a megabyte of memory for each thing one takes from it.
    private static let system: Set<String> = ["Glibc", "Darwin", "Dispatch", "Synchronization"]

    @Test func `a layer imports only layers above it`() {
        for file in Repository.sources {
            guard let layer = file.layer, layer != "C" else { continue }
            guard let allowed = Self.allowed[layer] else {
                Issue.record("\(file.path): the layer \(layer) is not in the table")
                continue
            }
            for name in imports(of: file) where !allowed.contains(name) && !Self.system.contains(name) {
                Issue.record("\(file.path) imports \(name), which \(layer) must not know")
            }
        }
    }

    @Test func `the engine knows no clock, no chance, no thread and no file`() {
        let banned = [
            "Glibc", "Synchronization", "Task", "Date", "random", "clock_gettime", "ContinuousClock", "SuspendingClock",
            "Thread", "pthread_create", "Mutex", "Atomic", "getenv", "print",
        ]
        for file in Repository.sources where file.layer == "Engine" {
            for (number, line) in file.code.enumerated() {
                for word in banned where words(of: line).contains(word) {
                    Issue.record(
                        "\(file.path):\(number + 1) uses \(word): time, chance and storage come in as parameters")
                }
            }
        }
    }

    @Test func `every layer of the table has files, and the table is what the package says`() throws {
        let package = try #require(Repository.read("Package.swift"))
        for layer in Self.allowed.keys {
            #expect(Repository.sources.contains { $0.layer == layer }, "there are no files in Sources/\(layer)")
            #expect(
                package.contains("\"\(layer)\"") || package.contains("Holdfast\(layer)"), "the package lacks \(layer)")
        }
    }

    private func imports(of file: Repository.File) -> [String] {
        file.code.compactMap { line in
            let parts = line.split(separator: " ")
            guard let index = parts.firstIndex(of: "import"), index + 1 < parts.count, index <= 1 else { return nil }
            let name = String(parts[parts.count - 1].split(separator: ".")[0])
            if name.hasPrefix("CHoldfast") { return "C" + name.dropFirst("CHoldfast".count) }
            return name.hasPrefix("Holdfast") ? String(name.dropFirst("Holdfast".count)) : name
        }
    }
}

/// The identifiers in a line of code.
func words(of line: String) -> Set<String> {
    Set(line.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.map(String.init))
}
