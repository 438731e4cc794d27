/// Why a server cannot start with the options that it was given: what, why, what to do.
public struct ConfigurationError: Error, Sendable, Hashable, CustomStringConvertible {
    /// For people.
    public let description: String
    /// True when the command line itself is wrong (exit code 2), false for the value of an option (exit code 1).
    public let isUsage: Bool

    init(_ description: String, isUsage: Bool = false) {
        self.description = description
        self.isUsage = isUsage
    }
}

/// Every message about options, to be read in sequence.
extension ConfigurationError {
    static func badValue(_ value: String, of option: String, from source: String, because reason: String) -> Self {
        Self("Cannot use '\(value)' for option `\(option)` (\(source)): \(reason).")
    }

    static func unreadableFile(_ path: String, because reason: String) -> Self {
        Self("Cannot read the configuration file '\(path)': \(reason). Correct the path, or leave it out.")
    }

    static func badFile(_ path: String, _ error: TOMLError) -> Self {
        Self("Cannot read the configuration file '\(path)': line \(error.line): \(error.what). Nothing was started.")
    }

    static func unknownFlag(_ flag: String) -> Self {
        Self("There is no option '\(flag)'. `holdfast serve --help` lists them all.", isUsage: true)
    }

    static func missingValue(of flag: String) -> Self {
        Self("Option '\(flag)' needs a value. `holdfast serve --help` shows which.", isUsage: true)
    }

    static func notAnOption(_ argument: String) -> Self {
        Self("'\(argument)' is no option; options begin with '--'. `holdfast serve --help` lists them.", isUsage: true)
    }

    static func unknownKey(_ key: String) -> Self {
        Self("There is no option `\(key)` for --set. docs/configuration.md lists them all.", isUsage: true)
    }
}
