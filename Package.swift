// swift-tools-version: 6.1
import PackageDescription

/// The layers of docs/architecture.md, lowest first: a target imports only targets above it in this list.
/// Folders carry plain names, modules the prefix `Holdfast`, because module names are global in every program
/// that links us.
let package = Package(
    name: "holdfast",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "holdfast", targets: ["HoldfastCommandLine"])
    ],
    targets: [
        .library("RocksDB", pkgConfig: "rocksdb", apt: "librocksdb-dev", brew: "rocksdb"),
        .library("UV", pkgConfig: "libuv", apt: "libuv1-dev", brew: "libuv"),
        .library("NGHTTP2", pkgConfig: "libnghttp2", apt: "libnghttp2-dev", brew: "libnghttp2"),
        .library("LLHTTP", pkgConfig: "libllhttp", apt: "node-llhttp", brew: "llhttp"),
        .library("OpenSSL", pkgConfig: "openssl", apt: "libssl-dev", brew: "openssl@3"),
        .library("SQLite", pkgConfig: "sqlite3", apt: "libsqlite3-dev", brew: "sqlite"),
        .library("XXHash", pkgConfig: "libxxhash", apt: "libxxhash-dev", brew: "xxhash"),
        .library("AIO", apt: "libaio-dev"),

        .layer("Wire", c: ["XXHash", "OpenSSL"]),
        .layer("ServiceProtocol", on: ["Wire"]),
        .layer("Engine", on: ["Wire", "ServiceProtocol"]),
        .layer("Storage", on: ["Wire", "Engine"], c: ["RocksDB", "XXHash"], linux: ["AIO"]),
        .layer("Transport", on: ["Wire"], c: ["UV", "NGHTTP2", "LLHTTP", "OpenSSL"]),
        .layer(
            "Runtime", on: ["Wire", "ServiceProtocol", "Engine", "Storage", "Transport"], c: ["SQLite", "OpenSSL"]),
        .executableTarget(
            name: "HoldfastCommandLine",
            dependencies: ["HoldfastWire", "HoldfastTransport", "HoldfastRuntime"],
            path: "Sources/CommandLine"),

        .executableTarget(
            name: "Simulator",
            dependencies: ["HoldfastWire", "HoldfastServiceProtocol", "HoldfastEngine", "HoldfastStorage"],
            path: "Sources/Simulator"),

        .executableTarget(
            name: "StorageBenchmark", dependencies: ["HoldfastEngine", "HoldfastStorage"], path: "Benchmarks/Storage"),
        .executableTarget(
            name: "ServerBenchmark",
            dependencies: [
                "HoldfastWire", "HoldfastServiceProtocol", "HoldfastTransport", "HoldfastEngine", "HoldfastStorage",
            ],
            path: "Benchmarks/Server"),
        .executableTarget(
            name: "TransportBenchmark", dependencies: ["HoldfastTransport"], path: "Benchmarks/Transport"),

        .tests("Wire"),
        .tests("ServiceProtocol", on: ["Wire"], fixtures: ["Fixtures", "Reference"]),
        .tests("Engine", on: ["Wire", "ServiceProtocol", "Storage"], fixtures: ["Scripts"]),
        .testTarget(name: "SimulationTests", dependencies: ["Simulator"], path: "Tests/SimulationTests"),
        .tests("Storage", on: ["Wire", "Engine"]),
        .tests("Transport", on: ["Wire"], fixtures: ["Fixtures"]),
        .tests(
            "Runtime", on: ["Wire", "ServiceProtocol", "Engine", "Storage", "Transport"], fixtures: ["Fixtures"]),
        .testTarget(
            name: "CommandLineTests", dependencies: ["HoldfastCommandLine"], path: "Tests/CommandLineTests"),
        .testTarget(name: "TidyTests", dependencies: ["HoldfastRuntime"], path: "Tests/TidyTests"),
    ],
    swiftLanguageModes: [.v6]
)

extension Target {
    /// A C library of the system: a module map and a shim header in `Sources/C`.
    static func library(_ name: String, pkgConfig: String? = nil, apt: String, brew: String? = nil) -> Target {
        .systemLibrary(
            name: "CHoldfast\(name)", path: "Sources/C/\(name)", pkgConfig: pkgConfig,
            providers: [.apt([apt])] + (brew.map { [.brew([$0])] } ?? []))
    }

    /// One layer: a Swift target in the folder of its name.
    static func layer(
        _ name: String, on layers: [String] = [], c libraries: [String] = [], linux linuxLibraries: [String] = []
    ) -> Target {
        .target(
            name: "Holdfast\(name)",
            dependencies: (layers.map { "Holdfast\($0)" } + libraries.map { "CHoldfast\($0)" }).map {
                .byName(name: $0)
            } + linuxLibraries.map { .target(name: "CHoldfast\($0)", condition: .when(platforms: [.linux])) },
            path: "Sources/\(name)")
    }

    /// The tests of one layer, in `Tests/<layer>Tests`. They read their fixtures from the folder that they are in.
    static func tests(_ name: String, on layers: [String] = [], fixtures: [String] = []) -> Target {
        .testTarget(
            name: "\(name)Tests",
            dependencies: ([name] + layers).map { .byName(name: "Holdfast\($0)") },
            path: "Tests/\(name)Tests", exclude: fixtures)
    }
}
