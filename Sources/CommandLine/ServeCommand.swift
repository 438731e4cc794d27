import HoldfastRuntime

/// `serve`: the server itself.
enum ServeCommand {
    static let command = Command(
        "serve", "[OPTIONS]", "Run a server.",
        details: """
            Everything it knows is in the data directory; a second process on the same directory is refused. Options come from
            defaults, then a TOML file, then the environment (HOLDFAST_… or RESTATE_…), then the command line; later ones win.
            docs/configuration.md lists all of them. SIGTERM and Ctrl-C stop it cleanly; after kill -9 it carries on where it was.
            """
    ) { (invocation) throws(CommandError) in try run(invocation) }

    /// For the help; the options themselves are the server's own table.
    static var flags: [Flag] {
        Configuration.flagsHelp.map { entry in
            let parts = entry.flag.split(separator: " ", maxSplits: 1).map(String.init)
            return Flag(parts[0], parts.count > 1 ? parts[1] : nil, entry.help)
        } + [
            Flag("--config-file", "FILE", "TOML file with options (also: -c, $HOLDFAST_CONFIG)."),
            Flag("--set", "KEY=VALUE", "Any option of docs/configuration.md; may be repeated."),
            Flag("--dump-config", nil, "Print the options in force as TOML, and start nothing."),
            Flag("--dump-options", nil, "Print the table of all options as Markdown, and start nothing."),
        ]
    }

    private static func run(_ invocation: Invocation) throws(CommandError) {
        if invocation.rest.contains("--dump-options") { return Terminal.print(Configuration.optionsTable) }
        let isDumpOnly = invocation.rest.contains("--dump-config")
        let loaded: Configuration.Loaded
        do throws(ConfigurationError) {
            loaded = try Configuration.load(
                arguments: invocation.rest.filter { $0 != "--dump-config" }, environment: invocation.environment)
        } catch {
            throw CommandError(description: error.description, exitCode: error.isUsage ? .usage : .failed)
        }
        if isDumpOnly { return Terminal.print(loaded.configuration.toml) }
        Log.configure(loaded.configuration.log)
        if let file = loaded.file { Log.info("Read the configuration file.", ["path": file]) }
        if !loaded.ignored.isEmpty {
            Log.info("Ignored options that mean nothing here.", ["options": loaded.ignored.joined(separator: ",")])
        }
        try ServerProcess.run(loaded.configuration)
    }
}
