import HoldfastWire
import Testing

@testable import HoldfastCommandLine

struct CommandTableTests {
    private func command(_ words: String...) throws -> (name: String, rest: [String]) {
        guard case .command(let command, let rest) = try CommandTable.find(words) else { return ("help", []) }
        return (command.name, rest)
    }

    @Test func `a command is found by its words`() throws {
        #expect(try command("invocations", "list").name == "invocations list")
        #expect(try command("sql", "SELECT 1").name == "sql")
        #expect(try command("sql", "SELECT 1").rest == ["SELECT 1"])
        #expect(try command("--version").name == "version")
    }

    @Test func `words may be shortened while they stay clear`() throws {
        #expect(try command("inv", "ls").name == "invocations list")
        #expect(try command("dp", "reg", "x").name == "deployments register")
        #expect(try command("inv", "get", "x").name == "invocations show")
        #expect(try command("inv", "resu").name == "invocations resume")
        #expect(throws: CommandError.self) { try command("s") }
        #expect(throws: CommandError.self) { try command("inv", "re") }
        #expect(throws: CommandError.self) { try command("nonsense") }
    }

    @Test func `half a command shows what could follow`() throws {
        guard case .help(let text) = try CommandTable.find(["invocations"]) else {
            Issue.record("it is a command")
            return
        }
        for verb in ["list", "show", "cancel", "kill", "purge", "pause", "resume", "restart"] {
            #expect(text.contains("invocations \(verb)"))
        }
    }

    @Test func `names of commands and their options are unique`() {
        let names = CommandTable.all.map(\.name)
        #expect(Set(names).count == names.count)
        for command in CommandTable.all {
            let flags = command.flags.map(\.name)
            #expect(Set(flags).count == flags.count, "\(command.name) has an option twice")
        }
    }
}

struct InvocationTests {
    private let register = CommandTable.all.first { $0.name == "deployments register" }

    private func parse(_ rest: String..., environment: [String: String] = [:]) throws -> Invocation {
        try Invocation(command: try #require(register), rest: rest, environment: environment)
    }

    @Test func `arguments and options may stand in any order`() throws {
        let parsed = try parse("--force", "http://x", "--admin=http://y", "-y", "--header", "a=b")
        #expect(parsed.arguments == ["http://x"])
        #expect(parsed.has("--force") && parsed.has("--yes"))
        #expect(parsed.options["--admin"] == "http://y")
        #expect(parsed.options["--header"] == "a=b")
        #expect(try parse("--", "--force").arguments == ["--force"])
    }

    @Test func `what the command does not know is refused`() {
        #expect(throws: CommandError.self) { try parse("--nonsense") }
        #expect(throws: CommandError.self) { try parse("--admin") }
        #expect(throws: CommandError.self) { try parse("--force=yes") }
    }

    @Test func `arguments that a command does not take are refused`() throws {
        let list = try #require(CommandTable.all.first { $0.name == "services list" })
        let error = #expect(throws: CommandError.self) {
            try Invocation(command: list, rest: ["extra"], environment: [:])
        }
        #expect(error?.exitCode == .usage)
        #expect(error?.description.hasPrefix("Usage: holdfast services list. ") == true)
        #expect(Help.text(of: list).contains("\nUsage: holdfast services list\n"))
    }

    @Test func `nothing is confirmed without a terminal, but by option or environment`() throws {
        try parse("--yes").confirm("Really?")
        try parse(environment: ["CI": "1"]).confirm("Really?")
    }
}

struct SelectorTests {
    @Test(arguments: [
        ("Greeter", "target_service_name = 'Greeter'"),
        (
            "Counter/ann",
            "target_service_name = 'Counter' AND (target = 'Counter/ann' OR target_service_key = 'ann')"
        ),
        ("O'Brien", "target_service_name = 'O''Brien'"),
    ])
    func `a target becomes a condition in which quotes harm nothing`(target: String, condition: String) {
        #expect(InvocationsCommands.condition(target) == condition)
    }

    @Test func `statuses are checked before the server is asked`() throws {
        #expect(
            try InvocationsCommands.condition(statuses: "paused,backing-off") == "status IN ('paused', 'backing-off')")
        let error = #expect(throws: CommandError.self) { try InvocationsCommands.condition(statuses: "paused,nope") }
        #expect(error?.description.contains("no status 'nope'") == true)
        #expect(throws: CommandError.self) { try InvocationsCommands.condition(statuses: "") }
    }

    @Test func `segments of paths are encoded byte by byte`() {
        #expect(WebAPI.segment("a b/ü%") == "a%20b%2F%C3%BC%25")
        #expect(WebAPI.segment("inv_1-x.y~") == "inv_1-x.y~")
    }
}

struct TableTests {
    @Test func `columns are as wide as they must be, and lines end with their text`() {
        var table = Table("A", "LONG", "C")
        table.add("xyz", "1", "c")
        table.add("x", "123456", "")
        #expect(table.text == "A    LONG    C\nxyz  1       c\nx    123456")
    }

    @Test func `a cell cannot break the table or the terminal`() {
        #expect(Table.oneLine("a\nb\u{1B}[2Jc") == "a b [2Jc")
    }

    @Test func `moments lose what nobody reads`() {
        #expect(Moment.shown("2026-11-25T13:07:12.345Z") == "2026-11-25 13:07:12")
        #expect(Moment.shown(nil) == "")
    }
}
