/// The table of commands: the one place that knows their names, options and help.
enum CommandTable {
    static let all: [Command] =
        [ServeCommand.command] + DeploymentsCommands.all + ServicesCommands.all + InvocationsCommands.all
        + [CallCommand.command, SQLCommand.command, StateCommand.command, VersionCommand.command]

    /// What the words on the command line ask for.
    enum Found {
        case help(String)
        case command(Command, rest: [String])
    }

    /// Short forms of first words that are no prefixes of them.
    private static let aliases = [
        "dp": "deployments", "svc": "services", "ls": "list", "get": "show", "describe": "show", "rm": "delete",
    ]

    static func find(_ arguments: [String]) throws(CommandError) -> Found {
        guard let first = arguments.first else { return .help(Help.overview(all)) }
        switch first {
        case "--help", "-h", "help": return .help(Help.overview(all))
        case "--version", "-V": return .command(VersionCommand.command, rest: [])
        default: break
        }
        let groups = matches(first, in: Set(all.map { words($0)[0] }).sorted())
        guard groups.count == 1, let group = groups.first else { throw .unknownCommand([first], candidates: groups) }
        let commands = all.filter { words($0)[0] == group }
        if commands.count == 1, words(commands[0]).count == 1 {
            return .command(commands[0], rest: Array(arguments.dropFirst()))
        }
        guard let second = arguments.dropFirst().first, second != "--help", second != "-h" else {
            return .help(Help.group(group, commands))
        }
        let found = matches(second, in: commands.map { words($0)[1] })
        guard found.count == 1, let command = commands.first(where: { words($0)[1] == found[0] }) else {
            throw .unknownCommand([group, second], candidates: found.map { "\(group) \($0)" })
        }
        return .command(command, rest: Array(arguments.dropFirst(2)))
    }

    private static func words(_ command: Command) -> [String] { command.name.split(separator: " ").map(String.init) }

    /// The name itself, else all names that begin with it.
    private static func matches(_ word: String, in names: [String]) -> [String] {
        if names.contains(word) { return [word] }
        if let alias = aliases[word], names.contains(alias) { return [alias] }
        return names.filter { $0.hasPrefix(word) }
    }
}
