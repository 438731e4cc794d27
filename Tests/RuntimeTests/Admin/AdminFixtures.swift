import HoldfastEngine
import HoldfastServiceProtocol
import HoldfastWire
import Testing

@testable import HoldfastRuntime

/// A server without partitions, disk and network: commands are recorded and answered as the test says.
final class AdminFake: AdminEnvironment {
    var registry = Registry()
    var now = Timestamp(millis: 1_767_608_430_123)
    var settings = AdminSettings()
    /// What the next discoveries find; an empty list refuses connections.
    var endpoints: [Result<DiscoveredEndpoint, RegistryError>] = []
    private(set) var discoveries: [DiscoveryRequest] = []
    private(set) var commands: [Command] = []
    private(set) var partitionKeys: [UInt64] = []
    var answer: (Command) -> Answer = { _ in .operation(.done) }
    var targets: [InvocationID: InvocationTarget] = [:]
    private(set) var conversions: [CodecRequest] = []
    var converted: Result<Bytes, RegistryError> = .success([])
    private(set) var queries: [String] = []
    /// Nil: the query itself.
    var queryAnswer: AdminResponse?
    private var serial: UInt64 = 0

    func makeULID() -> ULID {
        serial += 1
        return ULID(timestamp: now, random: (0, serial))
    }

    func ask(_ partitionKey: UInt64, _ command: (RequestID) -> Command, answered: @escaping (Answer) -> Void) {
        let command = command(RequestID(loop: 0, serial: 1))
        commands.append(command)
        partitionKeys.append(partitionKey)
        answered(answer(command))
    }

    func change<Value: Sendable>(
        _ body: @escaping @Sendable (Registry) throws(RegistryError) -> (registry: Registry, value: Value),
        done: @escaping (Result<Value, RegistryError>) -> Void
    ) {
        do throws(RegistryError) {
            let (changed, value) = try body(registry)
            registry = changed
            done(.success(value))
        } catch {
            done(.failure(error))
        }
    }

    func discover(
        _ request: DiscoveryRequest, done: @escaping (Result<DiscoveredEndpoint, RegistryError>) -> Void
    ) {
        discoveries.append(request)
        done(
            endpoints.isEmpty ? .failure(RegistryError(status: 500, code: "META0003", "gone")) : endpoints.removeFirst()
        )
    }

    func convert(_ request: CodecRequest, done: @escaping (Result<Bytes, RegistryError>) -> Void) {
        conversions.append(request)
        done(converted)
    }

    func target(of id: InvocationID, done: @escaping (InvocationTarget?) -> Void) { done(targets[id]) }

    func query(_ sql: String, accept: String?, done: @escaping (AdminResponse) -> Void) {
        queries.append(sql)
        done(queryAnswer ?? .json(200, ["sql": .string(sql), "accept": JSON(accept)]))
    }
}

extension AdminFake {
    /// Sends a request; a body is sent as JSON.
    func send(
        _ method: String, _ target: String, _ body: String? = nil, contentType: String? = "application/json"
    ) throws -> AdminResponse {
        let path = target.prefix { $0 != "?" }
        let request = AdminRequest(
            method: method, path: String(path),
            query: path.count < target.count ? String(target.dropFirst(path.count + 1)) : nil,
            contentType: body == nil ? nil : contentType, body: Bytes(utf8: body ?? ""))
        var answers: [AdminResponse] = []
        AdminAPI(environment: self).answer(request) { answers.append($0) }
        #expect(answers.count == 1, "\(method) \(target) is answered once")
        return try #require(answers.first)
    }

    /// A registry with a plain service, a virtual object and a workflow in one deployment.
    static func withServices(mode: ProtocolMode = .bidirectional) throws -> AdminFake {
        let fake = AdminFake()
        fake.endpoints = [.success(.sample(try sampleServices(), mode: mode))]
        let response = try fake.send("POST", "/deployments", #"{"uri":"http://127.0.0.1:9080"}"#)
        #expect(response.status == 201)
        return fake
    }

    static func sampleServices() throws -> [ServiceSchema] {
        let text = """
            {"protocolMode":"BIDI_STREAM","minProtocolVersion":5,"maxProtocolVersion":7,"services":[
             {"name":"Greeter","ty":"SERVICE","handlers":[
               {"name":"greet","input":{"contentType":"application/json","jsonSchema":{"type":"string"}},
                "output":{"contentType":"application/json","jsonSchema":{"type":"string"}}}]},
             {"name":"Counter","ty":"VIRTUAL_OBJECT","handlers":[
               {"name":"add","ty":"EXCLUSIVE","input":{"contentType":"application/json","jsonSchema":{"type":"integer"}},
                "output":{"contentType":"application/json","jsonSchema":{"type":"integer"}}},
               {"name":"get","ty":"SHARED","input":{},
                "output":{"contentType":"application/json","jsonSchema":{"type":"integer"}}}]},
             {"name":"Flow","ty":"WORKFLOW","handlers":[
               {"name":"run","ty":"WORKFLOW","input":{"contentType":"application/json","jsonSchema":{"type":"string"}},
                "output":{"contentType":"application/json","jsonSchema":{"type":"string"}}},
               {"name":"approve","ty":"SHARED","input":{"contentType":"application/json","jsonSchema":{"type":"string"}},
                "output":{"contentType":"application/json","jsonSchema":true}},
               {"name":"refuse","ty":"SHARED","input":{"contentType":"application/json","jsonSchema":{"type":"string"}},
                "output":{"setContentTypeIfEmpty":false}}]}]}
            """
        let manifest = try Manifest(json: try JSON(parsing: text))
        return try DiscoveredEndpoint(manifest, httpVersion: .http2, sdkVersion: nil).services
    }

    var deploymentID: DeploymentID {
        get throws { try #require(registry.deployments.first).id }
    }
}

extension AdminResponse {
    var json: JSON {
        get throws { try JSON(parsing: body) }
    }

    /// The text of an error, whose form is checked.
    var message: String {
        get throws {
            let document = try json
            #expect(document["restate_code"] != nil)
            return try #require(document["message"]?.string)
        }
    }

    func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
}

extension JSON {
    /// The same with the members of all objects in the order of their names.
    var sorted: JSON {
        switch self {
        case .array(let elements): .array(elements.map(\.sorted))
        case .object(let members):
            .object(members.map { JSON.Member($0.key, $0.value.sorted) }.sorted { $0.key < $1.key })
        case .null, .bool, .integer, .unsigned, .number, .string: self
        }
    }
}
