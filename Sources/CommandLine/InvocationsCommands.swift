import HoldfastWire

/// `invocations …`: what is under way, and what can be done about it.
enum InvocationsCommands {
    static let all = [
        Command(
            "invocations list", "[TARGET]",
            flags: [
                Flag(
                    "--status", "A,B",
                    "Only these: \(statuses.joined(separator: ", "))."),
                Flag("--all", nil, "Completed ones too."), .limit, .json, .admin,
            ],
            "Show invocations, the newest first; without --all only what is not finished.", details: targets
        ) { (invocation) throws(CommandError) in try list(invocation) },
        Command(
            "invocations show", "ID", flags: [.json, .admin],
            "Show one invocation: its state, its last failure, its journal."
        ) { (invocation) throws(CommandError) in try InvocationStory.show(invocation) },
        operation("cancel", "Ask invocations to end; their code may clean up.", "Cancelled"),
        operation("kill", "End invocations and what they called at once, without clean-up.", "Killed"),
        operation("purge", "Forget completed invocations.", "Purged", status: "status = 'completed'"),
        operation("pause", "Stop invocations until they are resumed.", "Paused"),
        operation(
            "resume", "Go on with paused invocations; retry failing ones now.", "Resumed", parameter: "deployment"),
        operation(
            "restart", "Begin completed invocations again, as new ones.", "Restarted", status: "status = 'completed'",
            parameter: "deployment", path: "restart-as-new"),
    ]

    /// The statuses that people see.
    private static let statuses = [
        "pending", "scheduled", "ready", "running", "suspended", "backing-off", "paused", "completed",
    ]

    private static let targets = """
        TARGET is a service (Greeter), a handler (Greeter/greet), an object (Counter/ann) or one handler of it
        (Counter/ann/add).
        """

    private static func operation(
        _ verb: String, _ summary: String, _ done: String, status: String = "status <> 'completed'",
        parameter: String? = nil, path: String? = nil
    ) -> Command {
        var flags: [Flag] = [.limit, .yes, .admin]
        if parameter != nil {
            flags.append(Flag("--deployment", "ID|latest|keep", "The deployment on which they go on."))
        }
        if verb == "restart" {
            flags.append(Flag("--from", "N", "Keep the journal up to its entry N. Default: 0, only the input."))
        }
        return Command(
            "invocations \(verb)", "ID|TARGET …", flags: flags, summary,
            details: targets + "\nIDs are done at once; of a TARGET the matches are shown and confirmed first."
        ) { (invocation) throws(CommandError) in
            try operate(invocation, path: path ?? verb, done: done, status: status)
        }
    }

    private static func operate(
        _ invocation: Invocation, path: String, done: String, status: String
    ) throws(CommandError) {
        guard !invocation.arguments.isEmpty else { throw .wrongArguments(of: invocation.command) }
        let admin = try invocation.admin
        var ids: [String] = []
        for argument in invocation.arguments {
            guard !argument.hasPrefix("inv_") else {
                ids.append(argument)
                continue
            }
            let limit = try invocation.number("--limit", default: 100)
            let rows = try admin.query(
                "SELECT id, target FROM sys_invocation WHERE \(condition(argument)) AND \(status) LIMIT \(limit)")
            guard !rows.isEmpty else {
                throw CommandError(description: "No invocation of '\(argument)' fits.", exitCode: .notFound)
            }
            for row in rows { Terminal.print("\(row["id"]?.cell ?? "")  \(row["target"]?.cell ?? "")") }
            try invocation.confirm("\(rows.count) invocations of '\(argument)': \(path)?")
            ids += rows.compactMap { $0["id"]?.string }
        }
        var worst: ExitCode?
        for id in ids {
            do throws(CommandError) {
                let answer = try admin.call(
                    "PATCH", "/invocations/\(WebAPI.segment(id))/\(path)\(parameters(invocation))")
                let new = (try? JSON(parsing: answer.body[...]))?["new_invocation_id"]?.string
                Terminal.print("\(done) \(id)\(new.map { " as \($0)" } ?? "").")
            } catch  where ids.count > 1 && error.exitCode != .unreachable {
                Terminal.printError("\(id): \(error.description)")
                worst = error.exitCode
            }
        }
        if let worst { throw .saidAlready(worst) }
    }

    private static func parameters(_ invocation: Invocation) -> String {
        let pairs = ["deployment", "from"].compactMap { name in
            invocation.options["--\(name)"].map { "\(name)=\(WebAPI.segment($0))" }
        }
        return pairs.isEmpty ? "" : "?" + pairs.joined(separator: "&")
    }

    /// What a TARGET selects.
    static func condition(_ target: String) -> String {
        let parts = target.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let service = "target_service_name = \(WebAPI.quoted(parts[0]))"
        guard parts.count == 2 else { return service }
        let whole = WebAPI.quoted(target)
        let key = WebAPI.quoted(parts[1])
        return "\(service) AND (target = \(whole) OR target_service_key = \(key))"
    }

    /// What a list of statuses selects.
    static func condition(statuses text: String) throws(CommandError) -> String {
        let wanted = text.split(separator: ",").map(String.init)
        if let unknown = wanted.first(where: { !statuses.contains($0) }) {
            throw .usage("There is no status '\(unknown)'; there are \(statuses.joined(separator: ", ")).")
        }
        guard !wanted.isEmpty else { throw .usage("Option '--status' names no status.") }
        return "status IN (\(wanted.map(WebAPI.quoted).joined(separator: ", ")))"
    }

    private static func list(_ invocation: Invocation) throws(CommandError) {
        guard invocation.arguments.count <= 1 else { throw .wrongArguments(of: invocation.command) }
        var conditions = invocation.arguments.map { condition($0) }
        if let statuses = invocation.options["--status"] {
            conditions.append(try condition(statuses: statuses))
        } else if !invocation.has("--all") {
            conditions.append("status <> 'completed'")
        }
        let limit = try invocation.number("--limit", default: 100)
        let filter = conditions.isEmpty ? "" : " WHERE " + conditions.joined(separator: " AND ")
        let rows = try invocation.admin.query(
            """
            SELECT id, target, status, created_at, modified_at, retry_count, next_retry_at, scheduled_start_at, \
            completion_result, completion_failure, last_failure, pinned_deployment_id FROM sys_invocation\(filter) \
            ORDER BY created_at DESC, id LIMIT \(limit + 1)
            """)
        let shown = Array(rows.prefix(limit))
        if invocation.has("--json") { return Terminal.print(JSON.array(shown).indentedText) }
        guard !shown.isEmpty else {
            return Terminal.print("No invocations\(invocation.has("--all") ? "" : " under way").")
        }
        var table = Table("INVOCATION", "TARGET", "STATUS", "CREATED", "NOTE")
        for row in shown {
            table.add(
                row["id"]?.cell ?? "", row["target"]?.cell ?? "", row["status"]?.cell ?? "",
                Moment.shown(row["created_at"]?.string), note(row))
        }
        Terminal.print(table.text)
        if rows.count > limit { Terminal.printError("There are more than \(limit); --limit shows more.") }
    }

    /// The one thing that one wants to know of an invocation in this status.
    private static func note(_ row: JSON) -> String {
        switch row["status"]?.string {
        case "scheduled": "starts \(Moment.shown(row["scheduled_start_at"]?.string))"
        case "backing-off":
            "attempt \(row["retry_count"]?.cell ?? "?") failed, next \(Moment.shown(row["next_retry_at"]?.string)): "
                + (row["last_failure"]?.cell.prefix(100) ?? "")
        case "paused": String(row["last_failure"]?.cell.prefix(120) ?? "")
        case "completed": row["completion_failure"]?.cell ?? row["completion_result"]?.cell ?? ""
        default: ""
        }
    }
}
