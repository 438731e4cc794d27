import Glibc
import HoldfastWire

extension Configuration {
    /// A configuration, and what a person should hear about how it came to be.
    public struct Loaded: Sendable {
        /// Every layer applied.
        public var configuration: Configuration
        /// Names of options that were set, are known, and mean nothing here; sorted.
        public var ignored: [String]
        /// The file that was read; nil: none.
        public var file: String?
    }

    /// Built-in defaults, then the TOML file, then the environment, then the command line; later ones win.
    ///
    /// The file is named by `--config-file`, `HOLDFAST_CONFIG` or `RESTATE_CONFIG`; without any none is read. Environment
    /// variables begin with `RESTATE_` or `HOLDFAST_` (which wins). Unknown keys of file and environment are ignored,
    /// unknown flags are errors. Specification: defaults §1.
    ///
    /// - Parameters:
    ///   - arguments: What follows `serve` on the command line.
    ///   - environment: Names and values.
    public static func load(
        arguments: [String], environment: [String: String]
    ) throws(ConfigurationError) -> Loaded {
        let flags = try FlagReader.read(arguments)
        var layers = ConfigurationLayers()
        let file = flags.file ?? environment["HOLDFAST_CONFIG"] ?? environment["RESTATE_CONFIG"]
        if let file { try layers.apply(file: file, bytes: try contents(of: file)) }
        try layers.apply(environment: environment)
        for flag in flags.values { try layers.apply(flag) }
        return Loaded(
            configuration: layers.configuration.derived(), ignored: layers.ignored.sorted(), file: file)
    }

    /// The options in force, as lines of a TOML file: for SIGUSR1 and `serve --dump-config`.
    public var toml: String {
        var lines: [String] = []
        for option in Options.all {
            guard let text = option.text(self) else { continue }
            lines.append("\(option.key) = \(Self.tomlValue(text))")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The table of options as Markdown rows, from which docs/configuration.md is made.
    public static var optionsTable: String {
        let configuration = Configuration().derived()
        var lines = ["| option | flag | variable | default | meaning |", "| --- | --- | --- | --- | --- |"]
        for option in Options.all {
            let flags = option.flags.map { "`\($0)`" }.joined(separator: ", ")
            let usual = option.text(configuration).map { "`\($0)`" } ?? "–"
            lines.append(
                "| `\(option.key)` | \(flags.isEmpty ? "–" : flags) | `HOLDFAST_\(option.variable)` | \(usual) | \(option.help) |"
            )
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The flags of `serve`, their values and what they mean, for `--help`.
    public static var flagsHelp: [(flag: String, help: String)] {
        let configuration = Configuration().derived()
        return Options.all.filter { !$0.flags.isEmpty }.map { option in
            let usual = option.help.contains("default:") ? nil : option.text(configuration)
            return ("\(option.flags[0]) \(option.placeholder)", option.help + (usual.map { " Default: \($0)." } ?? ""))
        }
    }

    private static func tomlValue(_ text: String) -> String {
        if text == "true" || text == "false" || Double(text) != nil || text.hasPrefix("{") { return text }
        if text.hasPrefix("["), text.hasSuffix("]") {
            return "[" + text.dropFirst().dropLast().split(separator: ",").map { "\"\($0)\"" }.joined(separator: ", ")
                + "]"
        }
        return JSON.string(text).text
    }

    private static func contents(of path: String) throws(ConfigurationError) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw .unreadableFile(path, because: String(cString: strerror(errno))) }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = read(file, &chunk, chunk.count)
            guard count >= 0 else { throw .unreadableFile(path, because: String(cString: strerror(errno))) }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
            guard bytes.count <= 4 << 20 else { throw .unreadableFile(path, because: "it has more than 4 MiB") }
        }
    }
}

/// The layers above the built-in defaults, applied in order.
private struct ConfigurationLayers {
    var configuration = Configuration()
    private(set) var ignored: Set<String> = []
    private let optionsByKey = Dictionary(uniqueKeysWithValues: Options.all.map { ($0.key, $0) })
    private let optionsByVariable = Dictionary(uniqueKeysWithValues: Options.all.map { ($0.variable, $0) })

    mutating func apply(file: String, bytes: [UInt8]) throws(ConfigurationError) {
        let document: JSON
        do throws(TOMLError) {
            document = try TOMLReader.read(String(decoding: bytes, as: UTF8.self))
        } catch {
            throw .badFile(file, error)
        }
        try apply(document, under: "", from: "in '\(file)'")
    }

    private mutating func apply(_ table: JSON, under prefix: String, from source: String) throws(ConfigurationError) {
        for member in table.members ?? [] {
            let key = prefix + member.key
            if let option = option(named: key) {
                try set(option, .typed(member.value), from: source)
            } else if case .object = member.value {
                try apply(member.value, under: key + ".", from: source)
            } else {
                note(ignored: key)
            }
        }
    }

    /// Raw variables last, then `HOLDFAST_` over `RESTATE_`; names in any case, in a fixed order.
    mutating func apply(environment: [String: String]) throws(ConfigurationError) {
        let sorted = environment.sorted { $0.key < $1.key }
        for prefix in ["RESTATE_", "HOLDFAST_"] {
            for (name, value) in sorted where name.uppercased().hasPrefix(prefix) {
                try apply(variable: String(name.uppercased().dropFirst(prefix.count)), named: name, value)
            }
        }
        for option in Options.all {
            for name in option.rawVariables {
                guard let value = environment[name] else { continue }
                try set(option, .text(value), from: "environment variable \(name)")
            }
        }
    }

    private mutating func apply(variable: String, named name: String, _ value: String) throws(ConfigurationError) {
        let source = "environment variable \(name)"
        if let option = optionsByVariable[variable] ?? option(named: Self.key(ofVariable: variable)) {
            return try set(option, .text(value), from: source)
        }
        // Options that are tables take one level more: RESTATE_…__ADDITIONAL_REQUEST_HEADERS__X_TENANT.
        if let end = variable.ranges(of: "__").last?.lowerBound,
            let option = optionsByVariable[String(variable[..<end])],
            option.placeholder == OptionKind.headers.placeholder
        {
            let header = variable[variable.index(end, offsetBy: 2)...].lowercased().replacing("_", with: "-")
            var headers = configuration.client.additionalRequestHeaders ?? []
            headers.removeAll { $0.name == header }
            headers.append(Configuration.Header(name: header, value: value))
            configuration.client.additionalRequestHeaders = headers
            return
        }
        note(ignored: Self.key(ofVariable: variable))
    }

    mutating func apply(_ flag: FlagReader.Value) throws(ConfigurationError) {
        guard let key = flag.key else { return }
        guard let option = option(named: key) else { throw .unknownKey(key) }
        try set(option, .text(flag.value), from: flag.name)
    }

    private func option(named key: String) -> Option? {
        optionsByKey[key] ?? Options.clientAliases[key].flatMap { optionsByKey[$0] }
            ?? optionsByKey["worker.invoker." + key].flatMap { Options.isClientOption($0.key) ? $0 : nil }
    }

    private mutating func set(
        _ option: Option, _ value: OptionValue, from source: String
    ) throws(ConfigurationError) {
        do throws(OptionFault) {
            try option.set(&configuration, value)
        } catch {
            throw .badValue(value.shown, of: option.key, from: source, because: error.reason)
        }
    }

    private mutating func note(ignored key: String) {
        if Options.isIgnored(key) { ignored.insert(key) }
    }

    /// `WORKER__INVOKER__TMP_DIR` → `worker.invoker.tmp-dir`
    private static func key(ofVariable variable: String) -> String {
        variable.lowercased().replacing("__", with: ".").replacing("_", with: "-")
    }
}

/// The command line of `serve`, before anybody knows what the values should be.
private struct FlagReader {
    struct Value {
        let name: String
        /// The option that it sets; nil for flags that are accepted and mean nothing.
        let key: String?
        let value: String
    }

    var file: String?
    var values: [Value] = []

    /// Flags of a Restate server that mean nothing here; those with a value, and those without.
    private static let ignoredWithValue: Set<String> = [
        "--bind-port", "--bind-address", "--advertised-host", "--advertised-address", "--listen-mode", "--roles",
        "--role",
        "--location", "--node-location", "--force-node-id", "--auto-provision", "--allow-bootstrap",
        "--metadata-store-address", "--tracing-endpoint", "--tracing-runtime-endpoint", "--tracing-services-endpoint",
        "--tracing-json-path", "--tracing-filter", "--log-disable-ansi-codes",
    ]
    private static let ignoredAlone: Set<String> = ["--no-logo", "--production", "--metadata-migration-mode"]

    static func read(_ arguments: [String]) throws(ConfigurationError) -> FlagReader {
        var reader = FlagReader()
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            guard argument.hasPrefix("-") else { throw .notAnOption(argument) }
            let equals = argument.hasPrefix("--") ? argument.firstIndex(of: "=") : nil
            let name = equals.map { String(argument[..<$0]) } ?? argument
            if ignoredAlone.contains(name) { continue }
            let given = equals.map { String(argument[argument.index(after: $0)...]) }
            guard known(name) else { throw .unknownFlag(name) }
            guard let value = given ?? rest.popFirst() else { throw .missingValue(of: name) }
            try reader.take(name, value)
        }
        return reader
    }

    private static func known(_ name: String) -> Bool {
        ["--config-file", "-c", "--set"].contains(name) || ignoredWithValue.contains(name)
            || Options.all.contains { $0.flags.contains(name) }
    }

    private mutating func take(_ name: String, _ value: String) throws(ConfigurationError) {
        switch name {
        case "--config-file", "-c": file = value
        case "--set":
            guard let equals = value.firstIndex(of: "=") else { throw .missingValue(of: "--set \(value)") }
            values.append(
                Value(name: name, key: String(value[..<equals]), value: String(value[value.index(after: equals)...])))
        default:
            let option = Options.all.first { $0.flags.contains(name) }
            values.append(Value(name: name, key: option?.key, value: value))
        }
    }
}
