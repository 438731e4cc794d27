import Foundation
import HoldfastEngine
import HoldfastServiceProtocol
import HoldfastWire

@testable import HoldfastRuntime

/// What the tests of the invoker share.
enum InvokerFixtures {
    static let id = InvocationID(partitionKey: 0x43c5_171a_2ba4_02b3, uuid: 0x0191_d0f0_a1b2_c3d4_e5f6_0718_293a_4b5c)
    static let deploymentID = DeploymentID(0x0194_41f1_be4f_1515_34e9_1b9a_2173_692d)

    /// One deployment with a service, a virtual object and a workflow.
    static let registry = registry(of: deployment())

    static func registry(of deployment: Deployment) -> Registry {
        Registry(deployments: [deployment], rules: RuleBook(), defaults: InvocationDefaults())
    }

    static func deployment(
        at text: String = "http://127.0.0.1:9080/base?a=b", services: [ServiceSchema]? = nil
    ) -> Deployment {
        let all =
            services ?? [
                service("Greeter", .service, ["greet": .service]),
                service("Counter", .virtualObject, ["add": .objectExclusive, "get": .objectShared]),
                service("SignUp", .workflow, ["run": .workflowRun, "click": .workflowShared]),
            ]
        return Deployment(
            id: deploymentID, address: address(text), protocolMode: .bidirectional, httpVersion: .http2,
            additionalHeaders: [], metadata: [], created: Timestamp(millis: 1), protocolVersions: 5...7,
            sdkVersion: nil, services: Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) }))
    }

    static func service(
        _ name: String, _ kind: ServiceKind, _ handlers: [String: TargetKind]
    ) -> ServiceSchema {
        let schemas = handlers.map { name, kind in
            HandlerSchema(
                name: name, kind: kind, isPublic: nil, settings: HandlerSettings(),
                input: InputRules(isDeclared: false, isRequired: false, contentType: nil, jsonSchema: nil),
                output: OutputRules(
                    isDeclared: false, contentType: nil, setContentTypeIfEmpty: false, jsonSchema: nil),
                documentation: nil, metadata: [])
        }
        return ServiceSchema(
            name: name, kind: kind, revision: 1, deployment: deploymentID,
            handlers: Dictionary(uniqueKeysWithValues: schemas.map { ($0.name, $0) }), documentation: nil,
            metadata: [], isPublic: true, settings: HandlerSettings())
    }

    private static func address(_ text: String) -> DeploymentAddress {
        do { return try DeploymentAddress(text: text) } catch { preconditionFailure("\(text) is an address") }
    }

    /// What one SDK sent in one attempt.
    struct Conversation {
        var sdk: String
        var version: ProtocolVersion
        var kind: TargetKind
        var messages: [Sent] = []
    }

    /// The recorded conversations of Fixtures/Invoker/everything.txt.
    static func conversations() throws -> [Conversation] {
        var conversations: [Conversation] = []
        let text = try readFixture("Invoker/everything.txt")
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            let words = line.split(separator: " ").map(String.init)
            if words.count == 4, let version = UInt8(words[1]).flatMap(ProtocolVersion.init(rawValue:)) {
                let kind: TargetKind =
                    if words[2].hasSuffix("SignUp/run") { .workflowRun } else if words[2].contains("SignUp/") {
                        .workflowShared
                    } else { .service }
                conversations.append(Conversation(sdk: words[0], version: version, kind: kind))
            } else if words.count == 3, let type = UInt16(words[0], radix: 16), let flags = UInt16(words[1], radix: 16),
                let payload = Bytes(hex: words[2] == "-" ? "" : words[2]), !conversations.isEmpty
            {
                let sent = Sent(MessageType(rawValue: type), payload, flags: flags)
                conversations[conversations.count - 1].messages.append(sent)
            } else {
                throw FixtureError(line: String(line))
            }
        }
        return conversations
    }

    struct FixtureError: Error {
        var line: String
    }
}

/// A message as an SDK sends it.
struct Sent {
    var type: MessageType
    var payload: Bytes
    var flags: UInt16

    init(_ type: MessageType, _ payload: Bytes, flags: UInt16 = 0) {
        self.type = type
        self.payload = payload
        self.flags = flags
    }

    init(_ type: MessageType, hex: String) { self.init(type, Bytes(hex: hex) ?? []) }

    init(_ message: some Message, flags: UInt16 = 0) { self.init(message.type, message.payload, flags: flags) }
}

/// An intake with what it has heard.
final class IntakeProbe {
    private(set) var intake: MessageIntake
    private(set) var messages: [AttemptMessage] = []
    private let surroundings: MessageIntake.Surroundings
    private var random = FastRandom(seed: 1)

    /// - Parameter isLenient: The registry knows every callee of the recorded conversations.
    init(
        _ registry: Registry, kind: TargetKind = .service, version: ProtocolVersion = .v6,
        messageSizeLimit: Int = 1 << 20, futureDepthLimit: Int = 1000, isLenient: Bool = false
    ) {
        intake = MessageIntake(
            kind: kind, version: version, commandCount: 1, messageSizeLimit: messageSizeLimit)
        surroundings = MessageIntake.Surroundings(
            resolver: CalleeResolver(registry: isLenient ? Self.recordedServices : registry, scopes: .init()),
            now: Timestamp(millis: 1_760_000_000_000), entriesSent: 9, futureDepthLimit: futureDepthLimit)
    }

    private static let recordedServices: Registry = {
        let services = ["Ts", "Go", "Rust", "Java", "Python"].flatMap { sdk in
            [
                InvokerFixtures.service("\(sdk)Greeter", .service, ["greet": .service]),
                InvokerFixtures.service(
                    "\(sdk)Counter", .virtualObject,
                    ["add": .objectExclusive, "clear": .objectExclusive, "get": .objectShared]),
                InvokerFixtures.service(
                    "\(sdk)SignUp", .workflow, ["run": .workflowRun, "click": .workflowShared]),
                InvokerFixtures.service(
                    "\(sdk)Everything", .service,
                    ["all", "block", "reflect", "resolve", "reject", "signal"].reduce(into: [:]) {
                        $0[$1] = .service
                    }),
            ]
        }
        return InvokerFixtures.registry(of: InvokerFixtures.deployment(services: services))
    }()

    func read(_ sent: Sent) -> MessageIntake.Outcome { read([sent]) }

    func read(_ sent: [Sent]) -> MessageIntake.Outcome {
        var bytes: [UInt8] = []
        for message in sent {
            writeFrame(type: message.type, flags: message.flags, payload: message.payload, into: &bytes)
        }
        return read(bytes[...])
    }

    func read(_ chunk: Bytes) -> MessageIntake.Outcome {
        intake.read(chunk, surroundings, random: &random, into: &messages)
    }

    func takesAcknowledgement(_ step: UInt32) -> Bool { intake.takesAcknowledgement(ofStep: step) }

    var descriptions: [String] {
        messages.map { message in
            switch message {
            case .command(let command, _, _, _): "\(command.type) \(command.name)"
            case .proposal(let notification): "proposal \(notification.id)"
            case .suspended: "suspended"
            case .ended: "ended"
            case .failed(let failure, _): "failed \(failure.message)"
            }
        }
    }

    var references: [InvocationID] {
        messages.compactMap { message in
            if case .command(_, _, .invocation(let id), _) = message { id } else { nil }
        }
    }
}

/// The text of a file below Fixtures.
private func readFixture(_ name: String, file: String = #filePath) throws -> String {
    let folder = file.split(separator: "/", omittingEmptySubsequences: false).dropLast(2).joined(separator: "/")
    return try String(contentsOfFile: "\(folder)/Fixtures/\(name)", encoding: .utf8)
}
