/// One row of the table of commands.
struct Command: Sendable {
    /// The words that call it: `deployments register`.
    let name: String
    /// What follows them: `URL`.
    let usage: String
    /// One sentence for lists of commands.
    let summary: String
    /// What else a person should know; may be empty.
    let details: String
    let flags: [Flag]
    let run: @Sendable (Invocation) throws(CommandError) -> Void

    /// The whole: `holdfast deployments register URL`.
    var line: String { "holdfast \(name)" + (usage.isEmpty ? "" : " \(usage)") }

    init(
        _ name: String, _ usage: String = "", flags: [Flag] = [], _ summary: String, details: String = "",
        run: @escaping @Sendable (Invocation) throws(CommandError) -> Void
    ) {
        (self.name, self.usage, self.summary, self.details, self.run) = (name, usage, summary, details, run)
        self.flags = flags
    }
}

/// An option of a command.
struct Flag: Sendable {
    /// With its dashes: `--force`.
    let name: String
    /// What stands for its value in the help; nil: it has none.
    let value: String?
    let help: String

    init(_ name: String, _ value: String? = nil, _ help: String) {
        (self.name, self.value, self.help) = (name, value, help)
    }

    static let admin = Flag(
        "--admin", "URL", "Admin API of the server. Default: $HOLDFAST_ADMIN_URL, http://127.0.0.1:9070.")
    static let ingress = Flag(
        "--ingress", "URL", "Ingress of the server. Default: $HOLDFAST_INGRESS_URL, http://127.0.0.1:8080.")
    static let json = Flag("--json", nil, "Print JSON instead of a table.")
    static let yes = Flag("--yes", nil, "Confirm in advance (also: -y, or $CI).")
    static let limit = Flag("--limit", "N", "Show or take at most N invocations. Default: 100.")
}

/// A command with the arguments of this run.
struct Invocation {
    let command: Command
    /// What is no option, in order.
    private(set) var arguments: [String] = []
    /// Option names with their values; an option without a value has an empty one.
    private(set) var options: [String: String] = [:]
    /// What follows the command's name, untouched.
    let rest: [String]
    let environment: [String: String]

    init(command: Command, rest: [String], environment: [String: String]) throws(CommandError) {
        self.command = command
        self.rest = rest
        self.environment = environment
        guard command.name != "serve" else { return }  // Its options are the server's own table.
        var words = rest[...]
        while let word = words.popFirst() {
            if word == "--" {
                arguments += words
                break
            }
            guard word.hasPrefix("-"), word != "-" else {
                arguments.append(word)
                continue
            }
            try take(word == "-y" ? "--yes" : word, &words)
        }
        guard arguments.isEmpty || !command.usage.isEmpty else { throw .wrongArguments(of: command) }
    }

    private mutating func take(_ word: String, _ words: inout ArraySlice<String>) throws(CommandError) {
        let equals = word.firstIndex(of: "=")
        let name = equals.map { String(word[..<$0]) } ?? word
        guard let flag = command.flags.first(where: { $0.name == name }) else {
            throw .unknownFlag(name, of: command)
        }
        guard flag.value != nil else {
            guard equals == nil else { throw .unknownFlag(word, of: command) }
            options[name] = ""
            return
        }
        guard let value = equals.map({ String(word[word.index(after: $0)...]) }) ?? words.popFirst() else {
            throw .missingValue(of: name, command)
        }
        options[name] = value
    }

    func has(_ name: String) -> Bool { options[name] != nil }

    /// Exactly `count` arguments, or the usage.
    func arguments(_ count: Int) throws(CommandError) -> [String] {
        guard arguments.count == count else { throw .wrongArguments(of: command) }
        return arguments
    }

    func number(_ name: String, default usual: Int) throws(CommandError) -> Int {
        guard let text = options[name] else { return usual }
        guard let number = Int(text), number > 0 else {
            throw .usage("Option '\(name)' needs a whole number above 0, not '\(text)'.")
        }
        return number
    }

    var admin: WebAPI {
        get throws(CommandError) {
            try WebAPI(
                what: "the admin API",
                url: address("--admin", ["HOLDFAST_ADMIN_URL", "RESTATE_ADMIN_URL"], "http://127.0.0.1:9070"))
        }
    }

    var ingress: WebAPI {
        get throws(CommandError) {
            try WebAPI(
                what: "the ingress",
                url: address("--ingress", ["HOLDFAST_INGRESS_URL", "RESTATE_INGRESS_URL"], "http://127.0.0.1:8080"))
        }
    }

    private func address(_ flag: String, _ variables: [String], _ usual: String) -> String {
        options[flag] ?? variables.lazy.compactMap { environment[$0] }.first ?? usual
    }

    /// Asks on a terminal; elsewhere only `--yes` confirms.
    func confirm(_ question: String) throws(CommandError) {
        if has("--yes") || environment["CI"] != nil { return }
        guard Terminal.isInteractive else { throw .notConfirmed(question) }
        Terminal.printError("\(question) [y/N] ", terminator: "")
        guard let answer = readLine(), ["y", "yes"].contains(answer.lowercased()) else { throw .notConfirmed("") }
    }
}
