import HoldfastRuntime

/// The way from a configuration to a running server.
enum ServerProcess {
    /// Returns when the server has stopped.
    static func run(_ configuration: Configuration) throws(CommandError) {
        throw CommandError(description: "This build has no server.", exitCode: .failed)
    }
}
