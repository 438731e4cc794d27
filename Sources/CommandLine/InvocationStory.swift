import HoldfastWire

/// `invocations show`: everything that one wants to know about one invocation.
enum InvocationStory {
    static func show(_ invocation: Invocation) throws(CommandError) {
        let id = try invocation.arguments(1)[0]
        let admin = try invocation.admin
        let rows = try admin.query("SELECT * FROM sys_invocation WHERE id = \(WebAPI.quoted(id))")
        guard let row = rows.first else {
            throw CommandError(
                description: "There is no invocation '\(id)': it never was, or what was kept of it has expired.",
                exitCode: .notFound)
        }
        let journal = try admin.query(
            """
            SELECT index, entry_type, name, entry_lite_json, appended_at FROM sys_journal \
            WHERE id = \(WebAPI.quoted(id)) ORDER BY index
            """)
        let events = try admin.query(
            """
            SELECT after_journal_entry_index, appended_at, event_type, event_json FROM sys_journal_events \
            WHERE id = \(WebAPI.quoted(id))
            """)
        if invocation.has("--json") {
            let story: JSON = ["invocation": row, "journal": .array(journal), "events": .array(events)]
            return Terminal.print(story.indentedText)
        }
        Terminal.print(facts(row))
        if !journal.isEmpty { Terminal.print("\nJournal:\n" + table(journal)) }
        if !events.isEmpty { Terminal.print("\nEvents:\n" + self.events(events)) }
    }

    /// What is shown of a row of `sys_invocation`, in this order, where there is something to show.
    private static let columns = [
        ("id", "Invocation"), ("target", "Target"), ("status", "Status"), ("completion_result", "Result"),
        ("completion_failure", "Failure"), ("created_at", "Created"), ("scheduled_start_at", "Starts"),
        ("running_at", "First run"), ("modified_at", "Changed"), ("completed_at", "Completed"),
        ("idempotency_key", "Idempotency key"), ("invoked_by", "Invoked by"), ("invoked_by_target", "Caller"),
        ("invoked_by_id", "Caller's id"), ("restarted_from", "Restarted from"), ("pinned_deployment_id", "Deployment"),
        ("pinned_service_protocol_version", "Protocol"), ("last_attempt_deployment_id", "Last attempt on"),
        ("last_attempt_server", "SDK"), ("retry_count", "Attempts"), ("last_start_at", "Last attempt"),
        ("next_retry_at", "Next attempt"), ("last_failure", "Last failure"),
        ("last_failure_error_code", "Failure code"), ("last_failure_related_command_type", "Failed command"),
        ("last_failure_related_command_name", "Its name"), ("last_failure_related_command_index", "Its index"),
        ("suspended_waiting_for_completions", "Waits for completions"),
        ("suspended_waiting_for_signals", "Waits for signals"), ("journal_size", "Journal entries"),
        ("completion_retention", "Result is kept"), ("journal_retention", "Journal is kept"),
    ]

    private static func facts(_ row: JSON) -> String {
        let width = columns.map(\.1.count).max() ?? 0
        return columns.compactMap { column, label in
            guard let value = row[column], !value.isNull, !value.cell.isEmpty else { return nil }
            let shown = column.hasSuffix("_at") ? Moment.shown(value.string) : value.cell
            let indented = shown.replacing("\n", with: "\n" + String(repeating: " ", count: width + 2))
            return label + String(repeating: " ", count: width - label.count + 2) + indented
        }.joined(separator: "\n")
    }

    private static func table(_ journal: [JSON]) -> String {
        var table = Table("#", "ENTRY", "NAME", "APPENDED")
        for entry in journal {
            table.add(
                entry["index"]?.cell ?? "", entry["entry_type"]?.cell ?? "", entry["name"]?.cell ?? "",
                Moment.shown(entry["appended_at"]?.string))
        }
        return table.text
    }

    private static func events(_ events: [JSON]) -> String {
        var table = Table("AFTER", "EVENT", "AT", "DETAILS")
        for event in events {
            table.add(
                event["after_journal_entry_index"]?.cell ?? "", event["event_type"]?.cell ?? "",
                Moment.shown(event["appended_at"]?.string), String(event["event_json"]?.cell.prefix(160) ?? ""))
        }
        return table.text
    }
}
