import HoldfastEngine
import HoldfastServiceProtocol
import HoldfastWire

/// The rows of the smaller tables, and what their columns are.
struct JournalRow: Sendable {
    let id: InvocationID
    let index: UInt32
    let entry: JournalTable.Entry

    static let columns = RowColumns<JournalRow>(.journal) { columns in
        columns["partition_key"] = { row in .unsigned(row.id.partitionKey) }
        columns["id"] = { row in .text(row.id.description) }
        columns["index"] = { row in .unsigned(UInt64(row.index)) }
        columns["entry_type"] = { row in .text(row.entry.type.entryType) }
        columns["name"] = { row in
            guard row.entry.type.isCommand else { return .null }
            let command = try? JournalCommand(type: row.entry.type, payload: row.entry.payload)
            return .text(command?.name ?? "")
        }
        columns["raw"] = { row in .bytes(row.entry.payload) }
        columns["raw_length"] = { row in .unsigned(UInt64(row.entry.payload.count)) }
        columns["version"] = { _ in .unsigned(2) }
        columns["entry_json"] = { row in JournalJSON.value(row.entry, isWhole: true) }
        columns["entry_lite_json"] = { row in JournalJSON.value(row.entry, isWhole: false) }
        columns["appended_at"] = { row in .timestamp(row.entry.appended) }
    }
}

struct JournalEventRow: Sendable {
    let id: InvocationID
    let event: JournalEvent

    static let columns = RowColumns<JournalEventRow>(.journalEvents) { columns in
        columns["partition_key"] = { row in .unsigned(row.id.partitionKey) }
        columns["id"] = { row in .text(row.id.description) }
        columns["after_journal_entry_index"] = { row in .unsigned(UInt64(row.event.afterIndex)) }
        columns["appended_at"] = { row in .timestamp(row.event.appended) }
        columns["event_type"] = { row in .text(row.type) }
        columns["event_json"] = { row in row.json }
    }

    private var type: String {
        switch event.kind {
        case .transientError: "TransientError"
        case .paused: "Paused"
        case .suspended: "Suspended"
        }
    }

    private var json: SQLValue {
        JSONBuilder.text { json in
            json.object { object in
                object.member("ty", type)
                switch event.kind {
                case .transientError(let failure):
                    FailureText.write(failure, to: &object)
                case .paused(let failure):
                    guard let failure else { return }
                    object.key("last_failure")
                    object.object { FailureText.write(failure, to: &$0) }
                case .suspended(let future):
                    object.key("awaiting_on")
                    object.json(future.json)
                }
            }
        }
    }
}

struct StateRow: Sendable {
    let object: ObjectID
    let key: Bytes
    let value: Bytes

    static let columns = RowColumns<StateRow>(.state) { columns in
        ObjectColumns.add(\.object, to: &columns)
        columns["key"] = { row in .optional(row.key.utf8String, SQLValue.text) }
        columns["key_length"] = { row in .unsigned(UInt64(row.key.count)) }
        columns["value_utf8"] = { row in .optional(row.value.utf8String, SQLValue.text) }
        columns["value"] = { row in .bytes(row.value) }
        columns["value_length"] = { row in .unsigned(UInt64(row.value.count)) }
    }
}

struct InboxRow: Sendable {
    let object: ObjectID
    let sequence: UInt64
    let id: InvocationID

    static let columns = RowColumns<InboxRow>(.inbox) { columns in
        ObjectColumns.add(\.object, hasScope: false, to: &columns)
        columns["id"] = { row in .text(row.id.description) }
        columns["sequence_number"] = { row in .unsigned(row.sequence) }
    }
}

struct LockRow: Sendable {
    let object: ObjectID
    let holder: InvocationID

    static let columns = RowColumns<LockRow>(.keyedServiceStatus) { columns in
        ObjectColumns.add(\.object, hasScope: false, to: &columns)
        columns["invocation_id"] = { row in .text(row.holder.description) }
    }
}

struct PromiseRow: Sendable {
    let object: ObjectID
    let name: String
    let result: Completion?

    private var value: Bytes? {
        if case .value(let value) = result { value } else { nil }
    }

    static let columns = RowColumns<PromiseRow>(.promise) { columns in
        ObjectColumns.add(\.object, to: &columns)
        columns["key"] = { row in .text(row.name) }
        columns["completed"] = { row in .boolean(row.result != nil) }
        columns["completion_success_value"] = { row in .optional(row.value, SQLValue.bytes) }
        columns["completion_success_value_utf8"] = { row in
            .optional(row.value?.utf8String, SQLValue.text)
        }
        columns["completion_failure"] = { row in
            guard case .failure(let failure) = row.result else { return .null }
            return .text(FailureText.named(code: failure.code, failure.message))
        }
    }
}

/// The columns that tell which virtual object or workflow a row belongs to.
enum ObjectColumns {
    static func add<Row>(
        _ object: @escaping @Sendable (Row) -> ObjectID, hasScope: Bool = true,
        to columns: inout [String: RowColumns<Row>.Value]
    ) {
        columns["partition_key"] = { row in
            let object = object(row)
            return .unsigned(object.scope.map(PartitionKey.ofScope) ?? PartitionKey.ofKey(object.key))
        }
        columns["service_name"] = { .text(object($0).service) }
        columns["service_key"] = { .text(object($0).key) }
        if hasScope { columns["scope"] = { .optional(object($0).scope, SQLValue.text) } }
    }
}

extension RowColumns where Row == ServiceSchema {
    /// `sys_service`.
    static let services = RowColumns(.service) { columns in
        columns["name"] = { service in .text(service.name) }
        columns["revision"] = { service in .unsigned(UInt64(service.revision)) }
        columns["public"] = { service in .boolean(service.isPublic) }
        columns["ty"] = { service in
            switch service.kind {
            case .service: .text("service")
            case .virtualObject: .text("virtual_object")
            case .workflow: .text("workflow")
            }
        }
        columns["deployment_id"] = { service in .text(service.deployment.description) }
    }
}

extension RowColumns where Row == Deployment {
    /// `sys_deployment`.
    static let deployments = RowColumns(.deployment) { columns in
        columns["id"] = { deployment in .text(deployment.id.description) }
        columns["ty"] = { _ in .text("http") }
        columns["endpoint"] = { deployment in .text(deployment.address.description) }
        columns["created_at"] = { deployment in .timestamp(deployment.created) }
        columns["min_service_protocol_version"] = { deployment in
            .integer(Int64(deployment.protocolVersions.lowerBound))
        }
        columns["max_service_protocol_version"] = { deployment in
            .integer(Int64(deployment.protocolVersions.upperBound))
        }
        columns["services"] = { deployment in
            JSONBuilder.text { json in
                json.array { array in
                    for service in deployment.sortedServices { array.string(service.name) }
                }
            }
        }
    }
}

extension RowColumns where Row == LimitRule {
    /// `sys_rules`.
    static let rules = RowColumns(.rules) { columns in
        columns["pattern"] = { rule in .text(rule.pattern) }
        columns["concurrency"] = { rule in .optional(rule.concurrency) { .unsigned(UInt64($0)) } }
        columns["description"] = { rule in .optional(rule.description, SQLValue.text) }
        columns["disabled"] = { rule in .boolean(rule.isDisabled) }
        columns["version"] = { rule in .unsigned(UInt64(rule.version)) }
        columns["last_modified"] = { rule in .timestamp(rule.modified) }
    }
}
