import HoldfastEngine
import HoldfastServiceProtocol
import HoldfastStorage
import HoldfastWire
import Testing

@testable import HoldfastRuntime

/// Queries over what the engine stores.
@Suite struct StoreSourceTests {
    private static let moment = Timestamp(millis: 1_702_568_332_500)

    @Test func `every column of the sources is one of its table`() {
        let unknown = [
            RowColumns<InvocationRow>.whole.unknownNames, RowColumns<InvocationRow>.status.unknownNames,
            RowColumns<InvocationRow>.idempotency.unknownNames, LiveColumns.columns.unknownNames,
            JournalRow.columns.unknownNames, JournalEventRow.columns.unknownNames, StateRow.columns.unknownNames,
            InboxRow.columns.unknownNames, LockRow.columns.unknownNames, PromiseRow.columns.unknownNames,
            RowColumns<ServiceSchema>.services.unknownNames, RowColumns<Deployment>.deployments.unknownNames,
            RowColumns<LimitRule>.rules.unknownNames,
        ]
        #expect(unknown == Array(repeating: [], count: unknown.count))
    }

    @Test func `invocations are shown with what is stored and what their invoker knows`() throws {
        let server = try StoredServer()
        let running = try server.invoke("Greeter", handler: "greet", number: 1)
        let waiting = try server.invoke("Greeter", handler: "greet", number: 2)
        let scheduled = try server.invoke(
            "Greeter", handler: "greet", number: 3, at: Timestamp(millis: 1_802_568_332_500))
        server.live = [
            LiveInvocation(
                id: running, partition: 0, isInFlight: true, attempts: 1, lastStart: Self.moment, lastServer: "sdk/1"),
            LiveInvocation(
                id: waiting, partition: 0, isInFlight: false, attempts: 2, nextRetry: Self.moment,
                lastFailure: AttemptFailure(
                    code: 500, message: "boom", stacktrace: "at x", documentedCode: "RT0007", commandIndex: 1,
                    commandName: "step", commandType: "Run")),
        ]
        #expect(
            try server.rows(
                "select id, target, status, retry_count, last_attempt_server as server, next_retry_at, last_failure "
                    + "from sys_invocation where id = '\(running)' or id = '\(waiting)' order by retry_count")
                == #"[{"id":"\#(running)","target":"Greeter/greet","status":"running","retry_count":1,"server":"sdk/1"},"#
                + #"{"id":"\#(waiting)","target":"Greeter/greet","status":"backing-off","retry_count":2,"#
                + #""next_retry_at":"2023-12-14T15:38:52.500Z","last_failure":"[500 Internal] boom\nat x"}]"#)
        #expect(
            try server.rows(
                "select status, scheduled_start_at as s, journal_size from sys_invocation where id = '\(scheduled)'")
                == #"[{"status":"scheduled","s":"2027-02-14T01:25:32.500Z"}]"#)
        #expect(
            try server.rows(
                "select in_flight, last_failure_related_command_type as t from sys_invocation_state order by retry_count"
            )
                == #"[{"in_flight":true},{"in_flight":false,"t":"Run"}]"#)
        #expect(
            try server.rows(
                "select status, created_at, invoked_by, target_service_ty as ty, completion_retention as r, "
                    + "created_using_restate_version as v from sys_invocation_status where id = '\(running)'")
                == #"[{"status":"invoked","created_at":"2023-12-14T15:38:52.500Z","invoked_by":"ingress","ty":"service","#
                + #""r":"PT60S","v":"9.9"}]"#)
        #expect(
            try server.rows("select count(*) as n from sys_invocation where target_service_name = 'Greeter'")
                == #"[{"n":3}]"#)
        #expect(try server.rows("select id from sys_invocation where id = '\(InvocationID.numbered(77))'") == "[]")
    }

    @Test func `an object's lock, inbox and state are shown`() throws {
        let server = try StoredServer()
        let holder = try server.invoke("Counter", key: "a", handler: "add", kind: .objectExclusive, number: 1)
        let second = try server.invoke("Counter", key: "a", handler: "add", kind: .objectExclusive, number: 2)
        let other = try server.invoke("Counter", key: "b", handler: "add", kind: .objectExclusive, number: 3)
        try server.apply(
            .mutateState(
                StateMutation(
                    object: ObjectID(scope: nil, service: "Lamp", key: "x"), isWorkflow: false, expectedVersion: nil,
                    entries: [(Bytes(utf8: "on"), Bytes(utf8: "true")), (Bytes(utf8: "raw"), [255])]), nil),
            key: "x")
        #expect(
            try server.rows(
                "select service_name, service_key, invocation_id from sys_keyed_service_status order by service_key")
                == #"[{"service_name":"Counter","service_key":"a","invocation_id":"\#(holder)"},"#
                + #"{"service_name":"Counter","service_key":"b","invocation_id":"\#(other)"}]"#)
        #expect(
            try server.rows("select id, service_key from sys_inbox where service_name = 'Counter'")
                == #"[{"id":"\#(second)","service_key":"a"}]"#)
        #expect(
            try server.rows("select status, target, target_service_key as k from sys_invocation where id = '\(second)'")
                == #"[{"status":"pending","target":"Counter/a/add","k":"a"}]"#)
        let state = #"[{"key":"on","value":"74727565","value_utf8":"true"},{"key":"raw","value":"ff"}]"#
        #expect(
            try server.rows(
                "select key, value, value_utf8 from state where service_name = 'Lamp' and service_key = 'x'")
                == state)
        #expect(try server.rows("select key, value, value_utf8 from state") == state)
        #expect(try server.rows("select key from state where service_name = 'Lamp' and service_key = 'y'") == "[]")
    }

    @Test func `a journal is shown entry by entry, for one invocation or all`() throws {
        let server = try StoredServer()
        let first = try server.invoke("Greeter", handler: "greet", number: 1)
        let second = try server.invoke("Greeter", handler: "greet", number: 2)
        try server.report(first, [.command(.run(RunCommand(resultCompletionID: 1, name: "charge")))])
        #expect(
            try server.rows(
                "select index, entry_type, name, version from sys_journal where id = '\(first)' order by index")
                == #"[{"index":0,"entry_type":"Command: Input","name":"","version":2},"#
                + #"{"index":1,"entry_type":"Command: Run","name":"charge","version":2}]"#)
        #expect(
            try server.rows("select entry_lite_json as j from sys_journal where id = '\(first)' and index = 1")
                == #"[{"j":"{\"Command\":{\"Run\":{\"completion_id\":1,\"name\":\"charge\"}}}"}]"#)
        #expect(try server.rows("select count(*) as n from sys_journal") == #"[{"n":3}]"#)
        #expect(
            try server.rows("select count(*) as n, min(id) as id from sys_journal where id in ('\(second)')")
                == #"[{"n":1,"id":"\#(second)"}]"#)
    }

    @Test(arguments: [
        ("00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", #"[{"t":"0af7651916cd43dd8448eb211c80319c"}]"#),
        ("00-00000000000000000000000000000000-b7ad6b7169203331-01", "[{}]"), ("00-0af7-b7ad6b7169203331-01", "[{}]"),
        ("", "[{}]"),
    ])
    func `the trace of a caller is that of its traceparent`(parent: String, rows: String) throws {
        let server = try StoredServer()
        let headers = [Header(key: "TraceParent", value: parent)]
        let id = try server.invoke("Greeter", handler: "greet", number: 1, headers: headers)
        #expect(try server.rows("select trace_id as t from sys_invocation where id = '\(id)'") == rows)
        #expect(try server.rows("select trace_id as t from sys_invocation_status") == rows)
    }

    @Test func `an invocation that was paused while it backed off goes on showing why`() throws {
        let server = try StoredServer()
        let paused = try server.invoke("Greeter", handler: "greet", number: 1)
        let running = try server.invoke("Greeter", handler: "greet", number: 2)
        try server.apply(.pause(paused, nil), partitionKey: paused.partitionKey)
        let gone = InvocationID.numbered(3)
        server.live = [paused, running, gone].map { id in
            LiveInvocation(
                id: id, partition: 0, isInFlight: false, isStopped: true, attempts: 2, nextRetry: Self.moment,
                lastFailure: AttemptFailure(code: 500, message: "boom"))
        }
        #expect(
            try server.rows(
                "select status, retry_count as n, next_retry_at as t, last_failure as f from sys_invocation order by status"
            )
                == #"[{"status":"paused","n":2,"t":"2023-12-14T15:38:52.500Z","f":"[500 Internal] boom"},{"status":"ready"}]"#
        )
        #expect(try server.rows("select id from sys_invocation_state") == #"[{"id":"\#(paused)"}]"#)
        #expect(try server.rows("select id from sys_invocation_state where id = '\(running)'") == "[]")
    }

    @Test func `what backs off in the store is shown like what backs off in memory`() throws {
        let server = try StoredServer()
        let ids = try (1...3).map { try server.invoke("Greeter", handler: "greet", number: $0) }
        for id in ids {
            let backOff = BackOff(
                due: Self.moment, awaitsRegistration: false, attempts: 3, failures: 3, failuresSinceLastEntry: 2,
                lastStart: Self.moment, lastDeployment: DeploymentID(1), lastServer: "sdk/1")
            try server.report(
                id,
                [
                    .failed(
                        AttemptFailure(code: 500, message: "boom", documentedCode: "RT0007"),
                        next: .retryStored(backOff))
                ])
        }
        let columns =
            "retry_count as n, next_retry_at as t, last_failure as f, last_failure_error_code as c, "
            + "last_attempt_server as s, last_start_at as a, last_attempt_deployment_id as d"
        let known =
            #""n":3,"t":"2023-12-14T15:38:52.500Z","f":"[500 Internal] boom","c":"RT0007","s":"sdk/1","#
            + #""a":"2023-12-14T15:38:52.500Z","d":"\#(DeploymentID(1))"}"#
        let row = "select status, \(columns) from sys_invocation where id ="
        #expect(try server.rows("\(row) '\(ids[0])'") == "[{\"status\":\"backing-off\",\(known)]")
        #expect(
            try server.rows("select in_flight, \(columns) from sys_invocation_state where id = '\(ids[0])'")
                == "[{\"in_flight\":false,\(known)]")
        #expect(try server.rows("select count(*) as n from sys_invocation_state") == #"[{"n":3}]"#)
        #expect(
            try server.rows("select count(*) as n from sys_invocation where status = 'backing-off'")
                == #"[{"n":3}]"#)

        // Paused meanwhile, it is shown with what was known then.
        try server.apply(.pause(ids[1], nil), partitionKey: ids[1].partitionKey)
        #expect(try server.rows("\(row) '\(ids[1])'") == "[{\"status\":\"paused\",\(known)]")
        #expect(try server.rows("select count(*) as n from sys_invocation_state") == #"[{"n":3}]"#)

        // The next try runs: its invoker has the count, and the store the failure.
        try server.apply(.resume(ids[2], .keep, nil), partitionKey: ids[2].partitionKey)
        server.live = [LiveInvocation(id: ids[2], partition: 0, isInFlight: true, attempts: 4)]
        #expect(
            try server.rows(
                "select status, retry_count as n, last_failure as f from sys_invocation where id = '\(ids[2])'")
                == #"[{"status":"running","n":4,"f":"[500 Internal] boom"}]"#)
        #expect(
            try server.rows("select in_flight as i, last_failure as f from sys_invocation_state where id = '\(ids[2])'")
                == #"[{"i":true,"f":"[500 Internal] boom"}]"#)
        #expect(try server.rows("select count(*) as n from sys_invocation_state") == #"[{"n":3}]"#)

        // Who waits for a slot behind a back-off is ready.
        server.live = []
        try server.apply(
            .deferStart(
                ids[2], epoch: 2, for: DeploymentID(1),
                behind: BackOff(
                    due: Self.moment, awaitsRegistration: false, attempts: 4, failures: 4, failuresSinceLastEntry: 2)),
            partitionKey: ids[2].partitionKey)
        #expect(
            try server.rows("select status, retry_count as n from sys_invocation where id = '\(ids[2])'")
                == #"[{"status":"ready","n":4}]"#)
        try server.apply(.kill(ids[0], nil), partitionKey: ids[0].partitionKey)
        #expect(try server.rows("select count(*) as n from sys_invocation_state") == #"[{"n":2}]"#)
    }

    @Test func `what a suspended invocation waits for is in the order of numbers`() throws {
        let server = try StoredServer()
        let id = try server.invoke("Greeter", handler: "greet", number: 1)
        try server.report(
            id, [.suspended(Future(completions: [4, 2], signals: [17, 1], namedSignals: ["x"]), entriesSent: 1)])
        #expect(
            try server.rows(
                "select suspended_waiting_for_completions as c, suspended_waiting_for_signals as s, "
                    + "suspended_waiting_future_json as f from sys_invocation_status")
                == #"[{"c":[2,4],"s":[1,17],"f":"{\"Unknown\":[{\"Single\":{\"CompletionId\":2}},"#
                + #"{\"Single\":{\"CompletionId\":4}},{\"Single\":{\"SignalIndex\":1}},"#
                + #"{\"Single\":{\"SignalIndex\":17}},{\"Single\":{\"SignalName\":\"x\"}}]}"}]"#)
    }

    @Test func `more rows than fit into a page are all shown`() throws {
        let server = try StoredServer()
        for number in 1...700 { _ = try server.invoke("Greeter", handler: "greet", number: UInt64(number)) }
        #expect(
            try server.rows("select count(*) as n, count(distinct id) as d from sys_invocation")
                == #"[{"n":700,"d":700}]"#)
        #expect(
            try server.rows("select count(*) as n from (select * from sys_invocation inv limit 50)") == #"[{"n":50}]"#)
        #expect(try server.rows("select count(*) as n from sys_journal") == #"[{"n":700}]"#)
    }

    @Test func `services, deployments and rules come from the registry`() throws {
        let server = try StoredServer()
        let registered = try Registry().registering(
            [.sample("Greeter"), .sample("Counter", .virtualObject)], at: "http://localhost:9080", moment: 7)
        server.registry = registered.registry
        #expect(
            try server.rows("select name, ty, revision, public from sys_service order by name")
                == #"[{"name":"Counter","ty":"virtual_object","revision":1,"public":true},"#
                + #"{"name":"Greeter","ty":"service","revision":1,"public":true}]"#)
        #expect(
            try server.rows("select ty, endpoint, services, max_service_protocol_version as v from sys_deployment")
                == #"[{"ty":"http","endpoint":"http://localhost:9080/","services":["Counter","Greeter"],"v":7}]"#)
        #expect(try server.rows("select * from sys_rules") == "[]")
        #expect(try server.rows("select * from sys_vqueue_meta") == "[]")
        #expect(try server.rows("select * from sys_locks") == "[]")
    }
}

/// A store that partitions have written, without a server around it.
private final class StoredServer {
    let store = MemoryStore()
    private let partitions: [Partition]
    private static let count: PartitionIndex = 3
    var live: [LiveInvocation] = []
    var registry = Registry()

    init() throws {
        let store = store
        partitions = try (0..<Self.count).map { try Partition(index: $0, count: Self.count, store: store.snapshot()) }
    }

    func invoke(
        _ service: String, key: String = "", handler: String, kind: TargetKind = .service, number: UInt64,
        at start: Timestamp? = nil, headers: [Header] = []
    ) throws -> InvocationID {
        var id = InvocationID.numbered(number)
        if kind.isKeyed { id.partitionKey = PartitionKey.ofKey(key) }
        let request = InvokeRequest(
            id: id, target: InvocationTarget(service: service, key: key, handler: handler, kind: kind),
            source: .ingress(nil), input: InputCommand(headers: headers, value: [49]).payload, idempotencyKey: nil,
            limitKey: nil,
            executionTime: start, completionRetention: 60_000, journalRetention: 60_000)
        try apply(.invoke(request, .none), partitionKey: id.partitionKey)
        return id
    }

    func report(_ id: InvocationID, _ messages: [AttemptMessage]) throws {
        let pinned = PinnedDeployment(deployment: DeploymentID(UInt128(7)), version: .v5)
        let owner = Partition.owner(of: id.partitionKey, count: Self.count)
        let record = try #require(try InvocationTable(partition: owner).record(id, store.snapshot()))
        let report = AttemptReport(
            id: id, epoch: record.epoch, incarnation: record.incarnation, deployment: pinned, messages: messages)
        try apply(.attempt(report), partitionKey: id.partitionKey)
    }

    func apply(_ command: Command, key: String) throws {
        try apply(command, partitionKey: PartitionKey.ofKey(key))
    }

    func apply(_ command: Command, partitionKey: UInt64) throws {
        let partition = partitions[Int(Partition.owner(of: partitionKey, count: Self.count))]
        let transaction = store.transaction()
        _ = try partition.apply(command, now: Timestamp(millis: 1_702_568_332_500), in: transaction)
        _ = try store.commit(transaction)
    }

    /// The rows of a query, as JSON.
    func rows(_ sql: String) throws -> String {
        let (live, registry) = (live, registry)
        let source = StoreSource(
            store: store, partitionCount: Self.count, registry: { registry }, live: { live }, serverVersion: "9.9")
        let answer = try QueryEngine(source: source).run(sql, format: .json, now: Timestamp(millis: 0))
        return String(String(decoding: answer.body, as: UTF8.self).dropFirst("{\"rows\":".count).dropLast())
    }
}

extension AttemptMessage {
    /// A command that refers to nothing.
    fileprivate static func command(_ command: JournalCommand) -> AttemptMessage {
        .command(command, payload: command.payload, reference: .none, acknowledge: false)
    }
}
