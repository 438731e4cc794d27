@testable import HoldfastEngine
import HoldfastServiceProtocol
import HoldfastWire
import Testing

#if canImport(Glibc)
    import Glibc
#endif

@testable import HoldfastRuntime

@Suite struct JournalJSONTests {
    /// Entries as another server stored and showed them.
    @Test func `every kind of entry is shown as clients know it`() throws {
        var kinds: Set<String> = []
        for row in try Fixture.json("journal_entries.json").array ?? [] {
            let type = try #require(row["entry_type"]?.string)
            let message = try #require(MessageType.all.first { $0.type.entryType == type && Self.isEntry($0.type) })
            let payload = try #require(Hexadecimal.bytes(row["raw"]?.string ?? "?"))
            let entry = JournalTable.Entry(
                type: message.type, appended: Timestamp(millis: 0), callee: nil, payload: payload[...])
            #expect(Self.text(entry, isWhole: true) == row["entry_json"]?.string, "\(type)")
            #expect(Self.text(entry, isWhole: false) == row["entry_lite_json"]?.string, "\(type)")
            kinds.insert(type)
        }
        #expect(kinds.count == 23)
    }

    @Test func `a call shows whom it called, and what it passed on`() throws {
        let command = CallCommand(
            serviceName: "Counter", handlerName: "add", parameter: [49], headers: [Header(key: "x-h", value: "1")],
            key: "k\"1", idempotencyKey: "ik-1", invocationIDCompletionID: 7, resultCompletionID: 8)
        let id = InvocationID.numbered(9)
        let callee = JournalTable.Callee(
            id: id, kind: .objectExclusive, completionRetention: 86_400_000, journalRetention: 1500)
        let entry = JournalTable.Entry(
            type: .call, appended: Timestamp(millis: 0), callee: callee, payload: command.payload)
        let target =
            #"{"VirtualObject":{"name":"Counter","key":"k\"1","handler":"add","handler_ty":"Exclusive","scope":null}}"#
        #expect(
            Self.text(entry, isWhole: false)
                == #"{"Command":{"Call":{"invocation_id":"\#(id)","invocation_target":\#(target),"#
                + #""invocation_id_completion_id":7,"result_completion_id":8}}}"#)
        #expect(
            Self.text(entry, isWhole: true)
                == #"{"Command":{"Call":{"request":{"invocation_id":"\#(id)","invocation_target":\#(target),"#
                + #""span_context":{"span_context":{"trace_id":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0],"#
                + #""span_id":[0,0,0,0,0,0,0,0],"trace_flags":0,"is_remote":false,"trace_state":""},"cause":null},"#
                + #""parameter":[49],"headers":[{"name":"x-h","value":"1"}],"idempotency_key":"ik-1","#
                + #""completion_retention_duration":{"secs":86400,"nanos":0},"#
                + #""journal_retention_duration":{"secs":1,"nanos":500000000}},"invocation_id_completion_id":7,"#
                + #""result_completion_id":8,"name":""}}}"#)
    }

    @Test func `attaching names an invocation, a request or a workflow`() throws {
        func text(_ target: AttachTarget) -> String? {
            let command = AttachInvocationCommand(target: target, resultCompletionID: 4, name: "n")
            return Self.text(
                JournalTable.Entry(
                    type: .attachInvocation, appended: Timestamp(millis: 0), callee: nil, payload: command.payload),
                isWhole: false)
        }
        #expect(
            text(.workflow(WorkflowTarget(workflowName: "Flow", workflowKey: "wf-1")))
                == #"{"Command":{"AttachInvocation":{"target":{"Workflow":{"service_name":"Flow","key":"wf-1","#
                + #""partition_key":\#(PartitionKey.ofKey("wf-1")),"scope":null}},"completion_id":4}}}"#)
        #expect(text(.invocationID("inv_x"))?.contains(#""target":{"InvocationId":"inv_x"}"#) == true)
    }

    @Test func `an entry that cannot be decoded is null`() {
        let entry = JournalTable.Entry(type: .run, appended: Timestamp(millis: 0), callee: nil, payload: [255])
        #expect(JournalJSON.value(entry, isWhole: true) == .null)
    }

    private static func isEntry(_ type: MessageType) -> Bool { type.isCommand || type.isNotification }

    private static func text(_ entry: JournalTable.Entry, isWhole: Bool) -> String? {
        guard case .utf8(let bytes) = JournalJSON.value(entry, isWhole: isWhole) else { return nil }
        return bytes.utf8String
    }
}

/// Files with facts, beside the tests.
private enum Fixture {
    static func json(_ name: String) throws -> JSON {
        let folder = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2).joined(
            separator: "/")
        let file = try #require(fopen("\(folder)/Fixtures/\(name)", "r"))
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[..<count] }
        return try JSON(parsing: bytes[...])
    }
}
