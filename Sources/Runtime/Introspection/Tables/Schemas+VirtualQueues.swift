/// Tables of servers with virtual queues. This server has none, so they are empty: clients may ask all the same.
extension TableSchema {
    /// How far limits are used.
    static let userLimits = TableSchema(
        "sys_user_limits",
        [
            .uint64("partition_key"), .text("scope"), .text("l1"), .text("l2"), .text("level"), .uint32("usage"),
            .uint32("concurrency_limit"), .text("rule_pattern"), .uint32("available"), .uint64("num_waiters"),
        ])

    /// Entries of virtual queues.
    static let vqueues = TableSchema(
        "sys_vqueues",
        [
            .uint64("partition_key"), .text("id"), .text("stage"), .text("status"), .flag("has_lock"),
            .moment("run_at"), .uint64("sequence_number"), .text("entry_id"), .text("entry_kind"),
            .moment("created_at"), .moment("transitioned_at"), .uint32("num_attempts"), .uint32("num_errors"),
            .uint32("num_pauses"), .uint32("num_suspensions"), .uint32("num_yields"), .moment("first_attempt_at"),
            .moment("latest_attempt_at"), .moment("first_runnable_at"), .text("deployment"),
        ])

    /// What is known of entries of virtual queues.
    static let vqueueEntryStatus = TableSchema(
        "sys_vqueue_entry_status",
        [
            .uint64("partition_key"), .text("entry_id"), .text("vqueue_id"), .text("stage"), .text("status"),
            .flag("has_lock"), .moment("next_at"), .uint64("sequence_number"), .text("entry_kind"),
            .moment("created_at"), .moment("transitioned_at"), .uint32("num_attempts"), .uint32("num_errors"),
            .uint32("num_pauses"), .uint32("num_suspensions"), .uint32("num_yields"), .moment("first_attempt_at"),
            .moment("latest_attempt_at"), .moment("first_runnable_at"), .text("deployment"), .uint64("needed_memory"),
            .uint32("retry_attempts"), .uint32("retry_count_since_last_stored_command"),
            .span("latest_attempt_blocked_on_invoker_concurrency"),
            .span("latest_attempt_blocked_on_throttling_rules"),
            .span("latest_attempt_blocked_on_invoker_throttling"), .span("latest_attempt_blocked_on_invoker_memory"),
            .span("latest_attempt_blocked_on_concurrency_rules"), .span("latest_attempt_blocked_on_lock"),
            .span("latest_attempt_blocked_on_deployment_concurrency"), .span("total_blocked_on_invoker_concurrency"),
            .span("total_blocked_on_throttling_rules"), .span("total_blocked_on_invoker_throttling"),
            .span("total_blocked_on_invoker_memory"), .span("total_blocked_on_concurrency_rules"),
            .span("total_blocked_on_lock"), .span("total_blocked_on_deployment_concurrency"),
        ])

    /// Virtual queues.
    static let vqueueMeta = TableSchema(
        "sys_vqueue_meta",
        [
            .uint64("partition_key"), .text("id"), .flag("is_active"), .flag("queue_is_paused"),
            .text("service_name"), .text("scope"), .text("limit_key"), .text("lock_name"), .moment("created_at"),
            .moment("last_enqueued_at"), .moment("last_start_at"), .moment("last_attempt_at"),
            .moment("last_finish_at"), .span("avg_queue_duration"), .span("avg_inbox_duration"),
            .span("avg_run_duration"), .span("avg_suspension_duration"), .span("avg_end_to_end_duration"),
            .span("avg_blocked_on_concurrency_rules"), .span("avg_blocked_on_invoker_concurrency"),
            .span("avg_blocked_on_invoker_throttling"), .span("avg_blocked_on_lock"), .uint64("num_inbox"),
            .uint64("num_running"), .uint64("num_suspended"), .uint64("num_paused"), .uint64("num_finished"),
        ])

    /// What virtual queues wait for.
    static let scheduler = TableSchema(
        "sys_scheduler",
        [
            .uint64("partition_key"), .text("id"), .uint64("num_inbox"), .text("status"), .text("head_entry_id"),
            .moment("scheduled_at"), .text("blocked_on"), .text("blocked_on_json"),
            .span("invoker_concurrency_block_duration"), .span("throttling_rules_block_duration"),
            .span("invoker_throttling_block_duration"), .span("invoker_memory_block_duration"),
            .span("concurrency_rules_block_duration"), .span("lock_block_duration"),
            .span("deployment_concurrency_block_duration"),
        ])
}
