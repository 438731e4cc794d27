/// The texts behind `--help`, made from the tables.
enum Help {
    /// All commands.
    static func overview(_ commands: [Command]) -> String {
        var lines = [
            "Holdfast: durable execution. Code that survives crashes, in one self-contained program.", "",
            "Usage: holdfast COMMAND [ARGUMENTS] [OPTIONS]", "",
        ]
        lines += columns(commands.map { ("\($0.name) \($0.usage)", $0.summary) })
        lines += [
            "", "`holdfast COMMAND --help` tells more. Words may be shortened as long as they stay clear: `inv ls`.",
            "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 conflict, 5 server not reachable.",
        ]
        return lines.joined(separator: "\n")
    }

    /// The commands that begin with one word.
    static func group(_ word: String, _ commands: [Command]) -> String {
        (["Usage: holdfast \(word) COMMAND", ""]
            + columns(commands.map { ("\($0.name) \($0.usage)", $0.summary) })).joined(separator: "\n")
    }

    /// One command with its options.
    static func text(of command: Command) -> String {
        var lines = ["\(command.summary)", "", "Usage: \(command.line)"]
        if !command.details.isEmpty { lines += ["", command.details] }
        let flags = command.name == "serve" ? ServeCommand.flags : command.flags
        if !flags.isEmpty {
            lines += ["", "Options:"]
            lines += columns(flags.map { ([$0.name, $0.value].compactMap { $0 }.joined(separator: " "), $0.help) })
        }
        return lines.joined(separator: "\n")
    }

    private static func columns(_ rows: [(String, String)]) -> [String] {
        let width = min(44, rows.map(\.0.count).max() ?? 0)
        return rows.map { left, right in
            left.count > width
                ? "  \(left)\n  " + String(repeating: " ", count: width + 2) + right
                : "  " + left + String(repeating: " ", count: width - left.count + 2) + right
        }
    }
}
