import Glibc

/// The program from its arguments to its exit code.
enum Program {
    /// Finds the command, runs it, and says on standard error why it failed.
    static func run(_ arguments: [String], environment: [String: String]) -> Int32 {
        do throws(CommandError) {
            switch try CommandTable.find(arguments) {
            case .help(let text):
                Terminal.print(text)
            case .command(let command, let rest):
                if rest.contains("--help") || rest.contains("-h") {
                    Terminal.print(Help.text(of: command))
                    return 0
                }
                try command.run(Invocation(command: command, rest: rest, environment: environment))
            }
            return 0
        } catch {
            if !error.description.isEmpty { Terminal.printError("holdfast: \(error.description)") }
            return error.exitCode.rawValue
        }
    }

    /// The environment of the process; variables whose text is not UTF-8 are left out.
    static func environment() -> [String: String] {
        var result: [String: String] = [:]
        var entry = environ
        while let variable = entry.pointee {
            if let text = String(validatingCString: variable), let equals = text.firstIndex(of: "=") {
                result[String(text[..<equals])] = String(text[text.index(after: equals)...])
            }
            entry += 1
        }
        return result
    }
}

/// What the exit code tells scripts.
enum ExitCode: Int32 {
    case failed = 1
    case usage = 2
    case notFound = 3
    case conflict = 4
    case unreachable = 5
}

/// Why a command ended without having done what it should: what, why, what to do.
struct CommandError: Error, CustomStringConvertible {
    /// Empty when everything has been said already.
    let description: String
    let exitCode: ExitCode
}

/// Every message of the command line, to be read in sequence.
extension CommandError {
    static func usage(_ what: String) -> Self { Self(description: what, exitCode: .usage) }

    static func unknownCommand(_ words: [String], candidates: [String]) -> Self {
        let known = candidates.isEmpty ? "" : " Did you mean \(candidates.map { "'\($0)'" }.joined(separator: " or "))?"
        return usage("There is no command '\(words.joined(separator: " "))'.\(known) `holdfast --help` lists them all.")
    }

    static func unknownFlag(_ flag: String, of command: Command) -> Self {
        usage("`holdfast \(command.name)` has no option '\(flag)'. `holdfast \(command.name) --help` lists them.")
    }

    static func missingValue(of flag: String, _ command: Command) -> Self {
        usage("Option '\(flag)' of `holdfast \(command.name)` needs a value.")
    }

    static func wrongArguments(of command: Command) -> Self {
        usage("Usage: \(command.line). `holdfast \(command.name) --help` tells more.")
    }

    static func badURL(_ text: String, because reason: String) -> Self {
        usage("'\(text)' is no URL that can be called: \(reason).")
    }

    static func unreachable(_ url: String, _ what: String, because reason: String) -> Self {
        Self(
            description: "Cannot reach \(what) at \(url): \(reason). Start a server with `holdfast serve`, "
                + "or name the right address with \(what == "the ingress" ? "--ingress" : "--admin").",
            exitCode: .unreachable)
    }

    static func answered(_ status: Int, _ message: String) -> Self {
        let code: ExitCode =
            switch status {
            case 404: .notFound
            case 409, 425: .conflict
            default: .failed
            }
        return Self(description: "\(message) (status \(status))", exitCode: code)
    }

    static func strangeAnswer(_ url: String, because reason: String) -> Self {
        Self(
            description: "\(url) gave an answer that this program does not understand: \(reason). "
                + "Is that the address of a Holdfast server?",
            exitCode: .failed)
    }

    static func notConfirmed(_ what: String) -> Self {
        Self(description: "\(what) Nothing was changed; --yes confirms in advance.", exitCode: .failed)
    }

    static func unreadable(_ file: String) -> Self {
        Self(description: "Cannot read '\(file)'. Correct the path.", exitCode: .failed)
    }

    /// The command has said itself what went wrong.
    static func saidAlready(_ code: ExitCode) -> Self { Self(description: "", exitCode: code) }
}
