import HoldfastWire
import Testing

@testable import HoldfastRuntime

@Suite struct AdminCodecsTests {
    @Test(arguments: ["decode", "encode"])
    func `a payload goes to the codec of the active revision`(direction: String) throws {
        let fake = try AdminFake.withServices()
        fake.converted = .success(Bytes(utf8: "converted"))
        let response = try fake.send("POST", "/v4/internal/services/Greeter/serdes/\(direction)/my/serde%20x", "abc")
        #expect(response.status == 200)
        #expect(response.headers.isEmpty)
        #expect(response.body == Bytes(utf8: "converted"))
        let request = try #require(fake.conversions.first)
        #expect(try request.deployment.id == fake.deploymentID)
        #expect(request.audience == "/serdes/Greeter/\(direction)/my/serde%20x")
        #expect(request.contentType == "application/json")
        #expect(request.payload == Bytes(utf8: "abc"))
    }

    @Test func `the request may name a deployment`() throws {
        let fake = try AdminFake.withServices()
        let path = "/internal/services/Greeter/serdes/decode/x?deployment="
        let id = try fake.deploymentID
        #expect(try fake.send("POST", path + "\(id)", "abc").status == 200)
        #expect(try fake.send("POST", path + "nope", "abc").status == 400)
        #expect(try fake.send("POST", path + "dp_17sztQp4gnEC1L0OCFM9aEh", "abc").status == 404)
        #expect(try fake.send("POST", "/internal/services/Nope/serdes/decode/x?deployment=\(id)", "abc").status == 404)
        #expect(try fake.send("POST", "/internal/services/Nope/serdes/decode/x", "abc").status == 404)
        #expect(fake.conversions.count == 1)
    }

    @Test func `what the endpoint says is wrong is passed on`() throws {
        let fake = try AdminFake.withServices()
        fake.converted = .failure(RegistryError(status: 500, "Internal server error: no"))
        let response = try fake.send("POST", "/internal/services/Greeter/serdes/decode/x", "abc")
        #expect(response.status == 500)
        #expect(try response.json == ["message": "Internal server error: no", "restate_code": .null])
    }
}
