import HoldfastEngine
import HoldfastWire
import Testing

@testable import HoldfastRuntime

@Suite struct AdminStateTests {
    private func fake() throws -> AdminFake {
        let fake = try AdminFake.withServices()
        fake.answer = { _ in .stateMutationAccepted }
        return fake
    }

    private func lastMutation(_ fake: AdminFake) -> StateMutation? {
        guard case .mutateState(let mutation, _) = fake.commands.last else { return nil }
        return mutation
    }

    @Test func `values are texts or arrays of bytes`() throws {
        let fake = try fake()
        let body = #"{"object_key":"alice","new_state":{"name":"\"bob\"","count":[56],"empty":[]},"version":"v"}"#
        let response = try fake.send("POST", "/services/Counter/state", body)
        #expect(response.status == 202)
        #expect(response.body.isEmpty)
        let mutation = try #require(lastMutation(fake))
        #expect(mutation.object == ObjectID(scope: nil, service: "Counter", key: "alice"))
        #expect(!mutation.isWorkflow)
        #expect(mutation.expectedVersion == "v")
        #expect(mutation.entries.map(\.key.lossyString) == ["count", "empty", "name"])
        #expect(mutation.entries.map { Array($0.value) } == [[56], [], Array("\"bob\"".utf8)])
        #expect(fake.partitionKeys == [PartitionKey.ofKey("alice")])
    }

    @Test func `a scope and a workflow are told to the engine`() throws {
        let fake = try fake()
        let body = #"{"object_key":"","scope":"tenant-a","new_state":{},"version":null}"#
        #expect(try fake.send("POST", "/services/Flow/state", body).status == 202)
        let mutation = try #require(lastMutation(fake))
        #expect(mutation.object.scope == "tenant-a")
        #expect(mutation.isWorkflow)
        #expect(mutation.expectedVersion == nil)
        #expect(fake.partitionKeys == [PartitionKey.ofScope("tenant-a")])
    }

    @Test func `the state of a service that is gone can only be cleared`() throws {
        let fake = try fake()
        #expect(try fake.send("POST", "/services/Nope/state", #"{"object_key":"a","new_state":{}}"#).status == 202)
        let response = try fake.send("POST", "/services/Nope/state", #"{"object_key":"a","new_state":{"a":"1"}}"#)
        #expect(response.status == 404)
        #expect(try response.message == "The requested service 'Nope' does not exist")
    }

    @Test(arguments: [
        (
            #"{"object_key":"alice","new_state":{"a":5}}"#, 422,
            "new_state.a: invalid type: integer `5`, expected byte array"
        ),
        (#"{"object_key":"alice","new_state":{"a":null}}"#, 422, nil),
        (#"{"object_key":"alice","new_state":{"a":[256]}}"#, 422, nil),
        (#"{"object_key":"alice","new_state":{"a":[-1]}}"#, 422, nil),
        (#"{"object_key":"alice","new_state":{"a":["x"]}}"#, 422, nil), (#"{"object_key":"alice"}"#, 422, nil),
        (#"{"new_state":{}}"#, 422, nil), (#"{"object_key":1,"new_state":{}}"#, 422, nil),
        (
            #"{"object_key":"a","scope":"bad scope!","new_state":{}}"#, 400,
            "bad scope: value contains characters outside the allowed set [a-zA-Z0-9_.-]"
        ),
    ])
    func `other values are refused`(body: String, status: Int, message: String?) throws {
        let fake = try fake()
        let response = try fake.send("POST", "/services/Counter/state", body)
        #expect(response.status == status)
        let found = try response.message
        if let message { #expect(found.hasSuffix(message)) }
        #expect(fake.commands.isEmpty)
    }

    @Test func `a plain service has no state`() throws {
        for state in ["{}", #"{"a":"1"}"#] {
            let response = try fake().send(
                "POST", "/services/Greeter/state", #"{"object_key":"a","new_state":\#(state)}"#)
            #expect(response.status == 400)
            #expect(try response.message == "Cannot modify state for service type Service")
        }
    }
}
