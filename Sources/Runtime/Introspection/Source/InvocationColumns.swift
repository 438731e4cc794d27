// Long because one function is a table with a row for each column of `sys_invocation`.
import HoldfastEngine
import HoldfastServiceProtocol
import HoldfastWire

/// An invocation as queries see it: what is stored, and what its invoker knows.
struct InvocationRow {
    let id: InvocationID
    let record: InvocationRecord
    let live: LiveInvocation?
    let serverVersion: String
    /// Reads its Input command, if it has one.
    var input: () -> InputCommand? = { nil }

    /// The trace that its caller was in, of the header `traceparent` (W3C trace context).
    var traceID: String? {
        guard let parent = input()?.headers.first(where: { $0.key.lowercased() == "traceparent" })?.value else {
            return nil
        }
        let fields = parent.split(separator: "-", omittingEmptySubsequences: false)
        guard fields.count >= 4, fields[1].utf8.count == 32, fields[1].allSatisfy(\.isHexDigit),
            fields[1].contains(where: { $0 != "0" })
        else { return nil }
        return fields[1].lowercased()
    }

    /// The status that is stored.
    var storedStatus: String {
        switch record.status {
        case .scheduled: "scheduled"
        case .inboxed: "inboxed"
        case .invoked: "invoked"
        case .suspended: "suspended"
        case .paused: "paused"
        case .completed: "completed"
        }
    }

    /// The status that people see (sql §2).
    var shownStatus: String {
        switch record.status {
        case .inboxed: return "pending"
        case .scheduled, .completed, .suspended, .paused: return storedStatus
        case .invoked:
            guard let live else { return "ready" }
            return live.isInFlight ? "running" : live.attempts > 0 && live.nextRetry != nil ? "backing-off" : "ready"
        }
    }
}

extension LiveInvocation {
    /// Whether it belongs to what is stored: an invoker may know an invocation a moment longer than it is to be run.
    func isCurrent(for record: InvocationRecord) -> Bool {
        isStopped ? record.status == .paused : record.status == .invoked
    }

    /// What the store keeps of an invocation that backs off, was paused in that, or waits for a slot behind it; nil: nothing.
    init?(
        stored id: InvocationID, _ record: InvocationRecord, in partition: PartitionIndex, _ store: any ReadableStore
    ) throws(StorageError) {
        guard let backOff = record.backOff else { return nil }
        let isStopped = record.status == .paused
        self.init(
            id: id, partition: partition, isInFlight: false, isStopped: isStopped, attempts: backOff.attempts,
            lastStart: backOff.lastStart, lastDeployment: backOff.lastDeployment, lastServer: backOff.lastServer,
            nextRetry: record.isBackingOff || isStopped ? backOff.due : nil)
        try learnFailure(of: record, in: partition, store)
    }

    /// Whether tries have failed that its invoker does not remember: it was not in memory since.
    var lacksFailure: Bool { lastFailure == nil && attempts > (isInFlight ? 1 : 0) }

    /// Reads the last failure where the invoker does not know it.
    mutating func learnFailure(
        of record: InvocationRecord, in partition: PartitionIndex, _ store: any ReadableStore
    ) throws(StorageError) {
        guard lacksFailure, record.eventCount > 0 else { return }
        switch try JournalTable(partition: partition).event(id, index: record.eventCount - 1, store)?.kind {
        case .transientError(let failure): lastFailure = failure
        case .paused(let failure): lastFailure = failure
        case .suspended, nil: break
        }
    }
}

extension TargetKind {
    /// The kind of the service, as SQL spells it.
    var serviceType: String {
        switch self {
        case .service: "service"
        case .objectExclusive, .objectShared: "virtual_object"
        case .workflowRun, .workflowShared: "workflow"
        }
    }
}

extension RowColumns where Row == InvocationRow {
    /// `sys_invocation_status`.
    static let status = RowColumns(.invocationStatus) { columns in
        addStored(to: &columns)
        columns["partition_key"] = { .unsigned($0.id.partitionKey) }
        columns["status"] = { .text($0.storedStatus) }
    }

    /// `sys_invocation`.
    static let whole = RowColumns(.invocation) { columns in
        addStored(to: &columns)
        for (name, value) in LiveColumns.values { columns[name] = { row in row.live.map(value) ?? .null } }
        columns["status"] = { .text($0.shownStatus) }
    }

    /// `sys_idempotency`.
    static let idempotency = RowColumns(.idempotency) { columns in
        columns["partition_key"] = { row in .unsigned(row.id.partitionKey) }
        columns["service_name"] = { row in .text(row.record.target.service) }
        columns["service_key"] = { row in key(row.record.target) }
        columns["service_handler"] = { row in .text(row.record.target.handler) }
        columns["idempotency_key"] = { row in .optional(row.record.idempotencyKey, SQLValue.text) }
        columns["invocation_id"] = { row in .text(row.id.description) }
    }

    private static func addStored(to columns: inout [String: Value]) {
        columns["id"] = { row in .text(row.id.description) }
        columns["completion_result"] = { row in
            switch row.record.result {
            case .value: .text("success")
            case .failure: .text("failure")
            case nil: .null
            }
        }
        columns["completion_failure"] = { row in
            guard case .failure(let failure) = row.record.result else { return .null }
            return .text(FailureText.numbered(failure))
        }
        columns["target"] = { row in .text(row.record.target.description) }
        columns["target_service_name"] = { row in .text(row.record.target.service) }
        columns["target_service_key"] = { row in key(row.record.target) }
        columns["target_handler_name"] = { row in .text(row.record.target.handler) }
        columns["target_service_ty"] = { row in .text(row.record.target.kind.serviceType) }
        columns["scope"] = { row in .optional(row.record.target.scope, SQLValue.text) }
        columns["limit_key"] = { row in .optional(row.record.limitKey, SQLValue.text) }
        columns["idempotency_key"] = { row in .optional(row.record.idempotencyKey, SQLValue.text) }
        columns["invoked_by"] = { row in .text(origin(row.record.source)) }
        columns["invoked_by_id"] = { row in
            guard case .invocation(let id, _) = row.record.source else { return .null }
            return .text(id.description)
        }
        columns["invoked_by_subscription_id"] = { row in
            guard case .subscription(let id) = row.record.source else { return .null }
            return .text(id)
        }
        columns["invoked_by_service_name"] = { row in
            guard case .invocation(_, let target) = row.record.source else { return .null }
            return .text(target.service)
        }
        columns["invoked_by_target"] = { row in
            guard case .invocation(_, let target) = row.record.source else { return .null }
            return .text(target.description)
        }
        columns["restarted_from"] = { row in
            guard case .restartedFrom(let id) = row.record.source else { return .null }
            return .text(id.description)
        }
        columns["pinned_deployment_id"] = { row in
            .optional(row.record.pinned) { .text($0.deployment.description) }
        }
        columns["pinned_service_protocol_version"] = { row in
            .optional(row.record.pinned) { .unsigned(UInt64($0.version.rawValue)) }
        }
        columns["trace_id"] = { row in .optional(row.traceID, SQLValue.text) }
        columns["journal_size"] = { row in size(row.record.journalLength, row.record) }
        columns["journal_commands_size"] = { row in size(row.record.commandCount, row.record) }
        columns["created_at"] = { row in .timestamp(row.record.created) }
        columns["created_using_restate_version"] = { row in .text(row.serverVersion) }
        columns["modified_at"] = { row in .timestamp(row.record.modified) }
        columns["inboxed_at"] = { row in .optional(row.record.inboxed, SQLValue.timestamp) }
        columns["scheduled_at"] = { row in .optional(row.record.scheduled, SQLValue.timestamp) }
        columns["scheduled_start_at"] = { row in
            .optional(row.record.executionTime, SQLValue.timestamp)
        }
        columns["running_at"] = { row in .optional(row.record.running, SQLValue.timestamp) }
        columns["completed_at"] = { row in .optional(row.record.completed, SQLValue.timestamp) }
        columns["completion_retention"] = { row in
            .integer(Int64(clamping: row.record.completionRetention))
        }
        columns["journal_retention"] = { row in
            .integer(Int64(clamping: min(row.record.journalRetention, row.record.completionRetention)))
        }
        columns["suspended_waiting_for_completions"] = { row in
            waiting(row) { if case .completion(let id) = $0 { id } else { nil } }
        }
        columns["suspended_waiting_for_signals"] = { row in
            waiting(row) { if case .signal(let index) = $0 { index } else { nil } }
        }
        columns["suspended_waiting_future_json"] = { row in
            guard row.record.status == .suspended else { return .null }
            return .optional(row.record.waitingFor) { .text(sorted($0).json) }
        }
    }

    /// What a suspension up to version 6 says is a set: its order means nothing, and is that of the numbers here.
    private static func sorted(_ future: Future) -> Future {
        guard case .combinator(.unknown, let childCount)? = future.nodes.first, childCount == future.nodes.count - 1
        else { return future }
        var (completions, signals, names): ([UInt32], [UInt32], [String]) = ([], [], [])
        for leaf in future.leaves {
            switch leaf {
            case .completion(let id): completions.append(id)
            case .signal(let index): signals.append(index)
            case .namedSignal(let name): names.append(name)
            }
        }
        return Future(completions: completions.sorted(), signals: signals.sorted(), namedSignals: names.sorted())
    }

    private static func key(_ target: InvocationTarget) -> SQLValue {
        target.kind.isKeyed ? .text(target.key) : .null
    }

    private static func origin(_ source: InvocationSource) -> String {
        switch source {
        case .ingress: "ingress"
        case .invocation: "service"
        case .subscription: "subscription"
        case .restartedFrom: "restart_as_new"
        case .engine: "restate"
        }
    }

    private static func size(_ count: UInt32, _ record: InvocationRecord) -> SQLValue {
        switch record.status {
        case .scheduled, .inboxed: .null
        case .invoked, .suspended, .paused, .completed: .unsigned(UInt64(count))
        }
    }

    private static func waiting(_ row: InvocationRow, _ number: (Notification.ID) -> UInt32?) -> SQLValue {
        guard row.record.status == .suspended, let future = row.record.waitingFor else { return .null }
        let numbers = Set(future.leaves.compactMap(number)).sorted()
        return .text("[\(numbers.map(String.init).joined(separator: ","))]")
    }
}

/// What an invoker knows, as columns.
enum LiveColumns {
    static let values: [String: RowColumns<LiveInvocation>.Value] = {
        var columns: [String: RowColumns<LiveInvocation>.Value] = [:]
        columns["retry_count"] = { live in .unsigned(live.attempts) }
        columns["last_start_at"] = { live in .optional(live.lastStart, SQLValue.timestamp) }
        columns["last_attempt_deployment_id"] = { live in
            .optional(live.lastDeployment) { .text($0.description) }
        }
        columns["last_attempt_server"] = { live in .optional(live.lastServer, SQLValue.text) }
        columns["next_retry_at"] = { live in
            live.isInFlight ? .null : .optional(live.nextRetry, SQLValue.timestamp)
        }
        columns["last_failure"] = { live in .optional(live.lastFailure) { .text(FailureText.whole($0)) } }
        columns["last_failure_error_code"] = { live in
            .optional(live.lastFailure?.documentedCode, SQLValue.text)
        }
        columns["last_failure_related_command_index"] = { live in
            .optional(live.lastFailure?.commandIndex) { .unsigned(UInt64($0)) }
        }
        columns["last_failure_related_command_name"] = { live in
            guard let name = live.lastFailure?.commandName, !name.isEmpty else { return .null }
            return .text(name)
        }
        columns["last_failure_related_command_type"] = { live in
            .optional(live.lastFailure?.commandType, SQLValue.text)
        }
        columns["last_awaiting_on_future_json"] = { live in
            live.isInFlight ? .optional(live.awaitingOn) { .text($0.json) } : .null
        }
        return columns
    }()

    /// `sys_invocation_state`.
    static let columns = RowColumns<LiveInvocation>(.invocationState) { columns in
        columns = values
        columns["partition_key"] = { .unsigned($0.id.partitionKey) }
        columns["id"] = { .text($0.id.description) }
        columns["in_flight"] = { .boolean($0.isInFlight) }
    }
}
