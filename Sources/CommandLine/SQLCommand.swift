import HoldfastRuntime
import HoldfastWire

/// `sql`: ask the store.
enum SQLCommand {
    static let command = Command(
        "sql", "QUERY", flags: [.json, .admin], "Query the server's tables with SQL.",
        details: """
            Tables: sys_invocation, sys_journal, sys_journal_events, sys_inbox, sys_deployment, sys_service, sys_promise,
            sys_keyed_service_status, state. Nothing can be changed this way.
            """
    ) { (invocation) throws(CommandError) in
        let query = try invocation.arguments(1)[0]
        let rows = try Terminal.progress("Querying") { () throws(CommandError) in try invocation.admin.query(query) }
        if invocation.has("--json") { return Terminal.print(JSON.array(rows).indentedText) }
        guard !rows.isEmpty else { return Terminal.printError("0 rows") }
        var columns: [String] = []
        for row in rows { columns += (row.members ?? []).map(\.key).filter { !columns.contains($0) } }
        var table = Table(columns: columns)
        for row in rows { table.add(cells: columns.map { row[$0]?.cell ?? "" }) }
        Terminal.print(table.text)
        Terminal.printError("\(rows.count) \(rows.count == 1 ? "row" : "rows")")
    }
}

/// `state`: what an object or workflow remembers.
enum StateCommand {
    static let command = Command(
        "state", "SERVICE [KEY]", flags: [.json, .admin], "Show the state of a virtual object or workflow."
    ) { (invocation) throws(CommandError) in
        guard (1...2).contains(invocation.arguments.count) else { throw .wrongArguments(of: invocation.command) }
        var query = """
            SELECT service_key, key, value_utf8, value_length FROM state \
            WHERE service_name = \(WebAPI.quoted(invocation.arguments[0]))
            """
        if invocation.arguments.count == 2 { query += " AND service_key = \(WebAPI.quoted(invocation.arguments[1]))" }
        let rows = try invocation.admin.query(query + " ORDER BY service_key, key")
        if invocation.has("--json") { return Terminal.print(JSON.array(rows).indentedText) }
        guard !rows.isEmpty else { return Terminal.print("No state.") }
        var table = Table("OBJECT", "KEY", "VALUE")
        for row in rows {
            let size = row["value_length"]?.cell ?? "?"
            table.add(
                row["service_key"]?.cell ?? "", row["key"]?.cell ?? "", row["value_utf8"]?.cell ?? "(\(size) bytes)")
        }
        Terminal.print(table.text)
    }
}

/// `version`: of the program, and of the server where one answers.
enum VersionCommand {
    static let command = Command("version", flags: [.admin], "Print the version of this program and of the server.") {
        (invocation) throws(CommandError) in
        Terminal.print("holdfast \(ProductVersion.text)")
        guard let answer = try? invocation.admin.json("GET", "/version"), let version = answer["version"]?.string else {
            return
        }
        Terminal.print("server \(version), ingress \(answer["ingress_endpoint"]?.string ?? "unknown")")
    }
}
