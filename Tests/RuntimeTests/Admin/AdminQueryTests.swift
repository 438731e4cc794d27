import Dispatch
import HoldfastTransport
import HoldfastWire
import Synchronization
import Testing

@testable import HoldfastRuntime

@Suite struct AdminQueryTests {
    private func run(
        _ sql: String, accept: String?, queryCountMax: Int = 1, rows: [[String: SQLValue]] = []
    ) throws -> AdminResponse {
        let group = try LoopGroup(count: 1)
        group.start()
        defer { group.stop() }
        let loop = group.loops[0]
        let desk = QueryDesk(
            engine: QueryEngine(source: FixedSource(["sys_invocation": rows])), queryCountMax: queryCountMax)
        let response = Mutex<AdminResponse?>(nil)
        let done = DispatchSemaphore(value: 0)
        loop.post {
            desk.run(sql, accept: accept, now: Timestamp(millis: 0), on: loop) { answer in
                #expect(loop.isCurrent)
                response.withLock { $0 = answer }
                done.signal()
            }
        }
        #expect(done.wait(timeout: .now() + 60) == .success)
        return try #require(response.withLock { $0 })
    }

    @Test func `a query is answered in the form that the client reads`() throws {
        let json = try run("select 1 as a", accept: "application/json")
        #expect(json.status == 200)
        #expect(json.header("content-type") == "application/json")
        #expect(try json.json == ["rows": [["a": 1]]])
        let arrow = try run("select 1 as a", accept: nil)
        #expect(arrow.header("content-type") == "application/vnd.apache.arrow.stream")
    }

    @Test func `an error has a message and no code`() throws {
        let response = try run("selec 1", accept: "application/json")
        #expect(response.status == 400)
        #expect(try response.json.members?.map(\.key) == ["message"])
    }

    @Test func `more queries than may wait are refused`() throws {
        let refusal = try run("select 1", accept: nil, queryCountMax: 0)
        #expect(refusal.status == 429)
        #expect(refusal.header("retry-after") == "1")
    }

    @Test func `the invocations that need a deployment can be counted`() throws {
        let id = DeploymentID(UInt128(7))
        let pinned = SQLValue.text(id.description)
        let rows: [[String: SQLValue]] = [
            ["pinned_deployment_id": pinned, "status": .text("running")],
            ["pinned_deployment_id": pinned, "status": .text("suspended")],
            ["pinned_deployment_id": pinned, "status": .text("completed")],
            ["pinned_deployment_id": .null, "status": .text("pending")],
        ]
        let answer = try run(AdminAPI.pinnedCountQuery(id), accept: "application/json", rows: rows)
        #expect(try answer.json == ["rows": [["n": 2]]])
    }
}
