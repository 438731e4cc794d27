import HoldfastRuntime

/// The way from a configuration to a running server.
enum ServerProcess {
    /// Returns when the server has stopped.
    static func run(_ configuration: Configuration) throws(CommandError) {
        do throws(ServerError) {
            try Server(configuration: configuration).run()
        } catch {
            throw CommandError(description: error.description, exitCode: .failed)
        }
    }
}
