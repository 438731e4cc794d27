import HoldfastEngine
import HoldfastRuntime
import HoldfastWire
import Synchronization

/// A source of a few rows, written by column name; it counts what queries read of it.
final class FixedSource: IntrospectionSource {
    let rows: [String: [[String: SQLValue]]]
    let opened = Mutex<[(table: String, filter: RowFilter)]>([])
    let valuesRead = Mutex(0)

    init(_ rows: [String: [[String: SQLValue]]]) {
        self.rows = rows
    }

    func begin() -> any IntrospectionSession { FixedSession(source: self) }
}

private final class FixedSession: IntrospectionSession {
    let source: FixedSource

    init(source: FixedSource) {
        self.source = source
    }

    func rows(of table: TableSchema, where filter: RowFilter) throws(StorageError) -> any RowCursor {
        source.opened.withLock { $0.append((table.name, filter)) }
        guard let rows = source.rows[table.name] else { throw StorageError(.damaged, "no rows of \(table.name)") }
        let wanted = rows.filter { row in filter.values.allSatisfy { Self.equal(row[$0.key], $0.value) } }
        return FixedCursor(source, wanted.map { row in table.columns.map { row[$0.name] ?? .null } })
    }

    private static func equal(_ value: SQLValue?, _ wanted: SQLValue) -> Bool {
        if case .unsigned(let number)? = value { return wanted == .integer(Int64(bitPattern: number)) }
        return value == wanted
    }
}

private final class FixedCursor: RowCursor {
    private let source: FixedSource
    private let list: ListCursor

    init(_ source: FixedSource, _ rows: [[SQLValue]]) {
        self.source = source
        list = ListCursor(rows)
    }

    func next() -> Bool { list.next() }

    func value(_ column: Int) -> SQLValue {
        source.valuesRead.withLock { $0 += 1 }
        return list.value(column)
    }
}

extension InvocationID {
    /// An identifier for tests.
    static func numbered(_ number: UInt64) -> InvocationID {
        InvocationID(partitionKey: number &* 0x9E37_79B9_7F4A_7C15, uuid: UInt128(number))
    }
}

extension FixedSource {
    /// Four invocations of two services, with what belongs to them.
    static func small() -> FixedSource {
        func invocation(
            _ number: UInt64, _ service: String, key: String? = nil, status: String, at millis: Int64,
            _ more: [String: SQLValue] = [:]
        ) -> [String: SQLValue] {
            let target = [service, key, "run"].compactMap(\.self).joined(separator: "/")
            let row: [String: SQLValue] = [
                "id": .text(InvocationID.numbered(number).description), "status": .text(status),
                "target": .text(target),
                "target_service_name": .text(service), "target_service_key": key.map(SQLValue.text) ?? .null,
                "target_handler_name": .text("run"),
                "target_service_ty": .text(key == nil ? "service" : "virtual_object"), "created_at": .integer(millis),
                "modified_at": .integer(millis + 500), "retry_count": .unsigned(number),
                "partition_key": .unsigned(InvocationID.numbered(number).partitionKey),
                "completion_retention": .integer(86_400_000), "journal_size": .unsigned(number * 2),
            ]
            return row.merging(more) { $1 }
        }
        let invocations = [
            invocation(
                1, "Greeter", status: "completed", at: 1_702_568_332_500,
                ["completion_result": .text("success"), "pinned_deployment_id": .text("dp_1")]),
            invocation(
                2, "Greeter", status: "running", at: 1_702_568_333_000,
                ["pinned_deployment_id": .text("dp_2"), "suspended_waiting_for_signals": .text("[1,17]")]),
            invocation(3, "Counter", key: "a/b", status: "pending", at: 1_702_568_334_000),
            invocation(4, "Counter", key: "it's", status: "running", at: 1_702_568_331_000, ["created_at": .null]),
        ]
        let id = InvocationID.numbered(1).description
        return FixedSource([
            "sys_invocation": invocations,
            "sys_invocation_status": invocations.map { row in
                var row = row
                if row["status"] == .text("running") { row["status"] = .text("invoked") }
                if row["status"] == .text("pending") { row["status"] = .text("inboxed") }
                return row
            },
            "sys_invocation_state": [
                [
                    "id": .text(InvocationID.numbered(2).description), "in_flight": .boolean(true),
                    "retry_count": .unsigned(1),
                ],
                [
                    "id": .text(InvocationID.numbered(4).description), "in_flight": .boolean(false),
                    "retry_count": .unsigned(3),
                ],
            ],
            "sys_deployment": [
                [
                    "id": .text("dp_1"), "endpoint": .text("http://a"),
                    "services": .text("[\"Greeter\",\"Coun\\\"ter\"]"),
                ]
            ],
            "sys_service": [
                ["name": .text("Greeter"), "ty": .text("service"), "public": .boolean(true)],
                ["name": .text("Counter"), "ty": .text("virtual_object"), "public": .boolean(false)],
            ],
            "sys_journal": (0..<3).map { index in
                [
                    "id": .text(id), "index": .unsigned(UInt64(index)), "entry_type": .text("Command: Run"),
                    "raw": .bytes([0, 255, 65]), "entry_json": .text("{\"Command\":{\"Run\":{\"name\":\"charge\"}}}"),
                    "version": .unsigned(2),
                ]
            },
            "sys_inbox": [
                [
                    "id": .text(InvocationID.numbered(3).description), "service_name": .text("Counter"),
                    "service_key": .text("a/b"), "sequence_number": .unsigned(7),
                ]
            ],
            "state": [
                [
                    "service_name": .text("Counter"), "service_key": .text("a"), "key": .text("n"), "value": .bytes([]),
                    "value_length": .unsigned(0),
                ],
                [
                    "service_name": .text("Counter"), "service_key": .text("b"), "key": .text("n"),
                    "value": .bytes([1]), "value_utf8": .text("\u{1}\n\"ü"), "value_length": .unsigned(1),
                ],
            ],
            "sys_rules": [], "sys_keyed_service_status": [], "sys_journal_events": [], "sys_vqueue_meta": [],
        ])
    }

    /// The rows of a query, as JSON.
    func rows(_ sql: String) throws -> String {
        let answer = try QueryEngine(source: self).run(sql, format: .json, now: Timestamp(millis: 1_702_569_000_000))
        let text = String(decoding: answer.body, as: UTF8.self)
        return String(text.dropFirst("{\"rows\":".count).dropLast())
    }
}
