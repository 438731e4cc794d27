extension TableSchema {
    /// All tables of which the source gives rows, with their columns in upstream's order.
    static let all: [TableSchema] = [
        invocation, invocationStatus, invocationState, journal, journalEvents, state, inbox, keyedServiceStatus,
        promise,
        service, deployment, rules, userLimits, idempotency, locks, vqueues, vqueueEntryStatus, vqueueMeta, scheduler,
    ]

    /// Invocations as people see them: what is stored, and what is known of a running attempt.
    public static let invocation = TableSchema(
        "sys_invocation", keys: ["id", "target_service_name", "target_service_key"],
        [
            .id("id"), .text("vqueue_id"), .text("target"), .text("target_service_name"), .text("target_service_key"),
            .text("target_handler_name"), .text("target_service_ty"), .text("scope"), .text("limit_key"),
            .text("idempotency_key"), .text("invoked_by"), .text("invoked_by_service_name"), .text("invoked_by_id"),
            .text("invoked_by_subscription_id"), .text("invoked_by_target"), .text("restarted_from"),
            .text("pinned_deployment_id"), .uint32("pinned_service_protocol_version"), .text("trace_id"),
            .uint32("journal_size"), .uint32("journal_commands_size"), .moment("created_at"),
            .text("created_using_restate_version"), .moment("modified_at"), .moment("inboxed_at"),
            .moment("scheduled_at"), .moment("scheduled_start_at"), .moment("running_at"), .moment("completed_at"),
            .span("completion_retention"), .span("journal_retention"),
            .numbers("suspended_waiting_for_completions"), .numbers("suspended_waiting_for_signals"),
            .text("suspended_waiting_future_json"), .uint64("retry_count"), .moment("last_start_at"),
            .moment("next_retry_at"), .text("last_attempt_deployment_id"), .text("last_attempt_server"),
            .text("last_failure"), .text("last_failure_error_code"), .uint64("last_failure_related_entry_index"),
            .text("last_failure_related_entry_name"), .text("last_failure_related_entry_type"),
            .uint64("last_failure_related_command_index"), .text("last_failure_related_command_name"),
            .text("last_failure_related_command_type"), .text("last_awaiting_on_future_json"), .text("status"),
            .text("completion_result"), .text("completion_failure"),
        ])

    /// What is stored of invocations.
    public static let invocationStatus = TableSchema(
        "sys_invocation_status", keys: ["id", "target_service_name", "target_service_key"],
        [
            .uint64("partition_key"), .id("id"), .text("vqueue_id"), .text("status"), .text("completion_result"),
            .text("completion_failure"), .text("target"), .text("target_service_name"), .text("target_service_key"),
            .text("target_handler_name"), .text("target_service_ty"), .text("scope"), .text("limit_key"),
            .text("idempotency_key"), .text("invoked_by"), .text("invoked_by_id"),
            .text("invoked_by_subscription_id"), .text("invoked_by_service_name"), .text("invoked_by_target"),
            .text("restarted_from"), .text("pinned_deployment_id"), .uint32("pinned_service_protocol_version"),
            .text("trace_id"), .uint32("journal_size"), .uint32("journal_commands_size"), .moment("created_at"),
            .text("created_using_restate_version"), .moment("modified_at"), .moment("inboxed_at"),
            .moment("scheduled_at"), .moment("scheduled_start_at"), .moment("running_at"), .moment("completed_at"),
            .span("completion_retention"), .span("journal_retention"),
            .numbers("suspended_waiting_for_completions"), .numbers("suspended_waiting_for_signals"),
            .text("suspended_waiting_future_json"),
        ])

    /// What is known of invocations that are being executed.
    public static let invocationState = TableSchema(
        "sys_invocation_state", keys: ["id"],
        [
            .uint64("partition_key"), .id("id"), .flag("in_flight"), .uint64("retry_count"), .moment("last_start_at"),
            .text("last_attempt_deployment_id"), .text("last_attempt_server"), .moment("next_retry_at"),
            .text("last_failure"), .text("last_failure_error_code"), .uint64("last_failure_related_command_index"),
            .text("last_failure_related_command_name"), .text("last_failure_related_command_type"),
            .uint64("last_failure_related_entry_index"), .text("last_failure_related_entry_name"),
            .text("last_failure_related_entry_type"), .text("last_awaiting_on_future_json"),
        ])

    /// Journal entries.
    public static let journal = TableSchema(
        "sys_journal", keys: ["id", "index"],
        [
            .uint64("partition_key"), .id("id"), .uint32("index"), .text("entry_type"), .text("name"),
            .flag("completed"), .text("invoked_id"), .text("invoked_target"), .moment("sleep_wakeup_at"),
            .text("promise_name"), .bytes("raw"), .uint64("raw_length"), .uint32("version"), .text("entry_json"),
            .text("entry_lite_json"), .moment("appended_at"),
        ])

    /// What happened to invocations beside their journal.
    public static let journalEvents = TableSchema(
        "sys_journal_events", keys: ["id"],
        [
            .uint64("partition_key"), .id("id"), .uint32("after_journal_entry_index"), .moment("appended_at"),
            .text("event_type"), .text("event_json"),
        ])

    /// State of virtual objects and workflows.
    public static let state = TableSchema(
        "state", keys: ["service_name", "service_key", "key"],
        [
            .uint64("partition_key"), .text("scope"), .text("service_name"), .text("service_key"), .text("key"),
            .uint64("key_length"), .text("value_utf8"), .bytes("value"), .uint64("value_length"),
        ])

    /// Invocations that wait for the lock of their object or workflow.
    public static let inbox = TableSchema(
        "sys_inbox", keys: ["id", "service_name", "service_key"],
        [
            .uint64("partition_key"), .text("service_name"), .text("service_key"), .id("id"),
            .uint64("sequence_number"), .moment("created_at"),
        ])

    /// Invocations that hold the lock of their object or workflow.
    public static let keyedServiceStatus = TableSchema(
        "sys_keyed_service_status", keys: ["service_name", "service_key"],
        [.uint64("partition_key"), .text("service_name"), .text("service_key"), .id("invocation_id")])

    /// Durable promises.
    public static let promise = TableSchema(
        "sys_promise", keys: ["service_name", "service_key", "key"],
        [
            .uint64("partition_key"), .text("scope"), .text("service_name"), .text("service_key"), .text("key"),
            .flag("completed"), .bytes("completion_success_value"), .text("completion_success_value_utf8"),
            .text("completion_failure"),
        ])

    /// Services in their active revision.
    public static let service = TableSchema(
        "sys_service", keys: ["name"],
        [.text("name"), .uint64("revision"), .flag("public"), .text("ty"), .text("deployment_id")])

    /// Deployments.
    public static let deployment = TableSchema(
        "sys_deployment", keys: ["id"],
        [
            .text("id"), .text("ty"), .text("endpoint"), .moment("created_at"),
            .uint32("min_service_protocol_version"), .uint32("max_service_protocol_version"), .texts("services"),
        ])

    /// Rules that limit concurrency.
    public static let rules = TableSchema(
        "sys_rules", keys: ["pattern"],
        [
            .text("pattern"), .uint32("concurrency"), .text("description"), .flag("disabled"), .uint32("version"),
            .moment("last_modified"),
        ])

    /// Idempotency keys and the invocations that they belong to.
    public static let idempotency = TableSchema(
        "sys_idempotency", keys: ["invocation_id", "service_name", "service_key"],
        [
            .uint64("partition_key"), .text("service_name"), .text("service_key"), .text("service_handler"),
            .text("idempotency_key"), .id("invocation_id"),
        ])

    /// Locks, as servers with virtual queues show them.
    public static let locks = TableSchema(
        "sys_locks",
        [
            .uint64("partition_key"), .text("scope"), .text("lock_name"), .moment("acquired_at"), .text("acquired_by"),
        ])
}

extension TableSchema.Column {
    /// Text.
    static func text(_ name: String) -> Self { Self(name: name, type: .string, isInvocationID: false) }
    /// An invocation id.
    static func id(_ name: String) -> Self { Self(name: name, type: .string, isInvocationID: true) }
    /// A Boolean.
    static func flag(_ name: String) -> Self { Self(name: name, type: .boolean, isInvocationID: false) }
    static func uint32(_ name: String) -> Self { Self(name: name, type: .uint32, isInvocationID: false) }
    static func uint64(_ name: String) -> Self { Self(name: name, type: .uint64, isInvocationID: false) }
    /// A timestamp.
    static func moment(_ name: String) -> Self { Self(name: name, type: .timestamp, isInvocationID: false) }
    /// A duration.
    static func span(_ name: String) -> Self { Self(name: name, type: .duration, isInvocationID: false) }
    static func bytes(_ name: String) -> Self { Self(name: name, type: .binary, isInvocationID: false) }
    /// A list of text, given as JSON.
    static func texts(_ name: String) -> Self { Self(name: name, type: .stringList, isInvocationID: false) }
    /// A list of numbers, given as JSON.
    static func numbers(_ name: String) -> Self { Self(name: name, type: .uint32List, isInvocationID: false) }
}
