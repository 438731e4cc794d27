import Foundation
import HoldfastServiceProtocol
import HoldfastWire
import Testing

struct MessageTypeTests {
    @Test func `numbers and names are unique`() {
        #expect(Set(MessageType.all.map(\.type)).count == MessageType.all.count)
        #expect(Set(MessageType.all.map(\.name)).count == MessageType.all.count)
        #expect(MessageType.all.map(\.type.rawValue) == MessageType.all.map(\.type.rawValue).sorted())
        #expect(MessageType.all.count == 40)
    }

    @Test func `the protocol's page lists the same messages`() throws {
        let root = Fixtures.folder.deletingLastPathComponent().deletingLastPathComponent()
        let page = try String(contentsOf: root.appending(path: "docs/protocol.md"), encoding: .utf8)
        let rows = MessageType.all.map { row in
            let digits = String(row.type.rawValue, radix: 16, uppercase: true)
            let number = "0x" + String(repeating: "0", count: 4 - digits.count) + digits
            let sender = ["engine": "engine", "sdk": "SDK", "either": "either"]["\(row.sender)"] ?? ""
            var completions: [String] = [.call, .oneWayCall].contains(row.type) ? ["CallInvocationIdCompletion"] : []
            if let completion = row.type.completion { completions.append("\(completion)") }
            let answers = completions.joined(separator: ", ")
            return "| \(number) | \(row.name) | \(sender) | \(row.since.rawValue) | \(answers) |"
        }
        #expect(page.split(separator: "\n").filter { $0.hasPrefix("| 0x") }.map(String.init) == rows)
    }

    @Test func `every type is a command, a notification, or neither`() {
        let commands = MessageType.all.filter(\.type.isCommand)
        let notifications = MessageType.all.filter(\.type.isNotification)
        #expect(commands.count == 20)
        #expect(notifications.count == 12)
        #expect(commands.allSatisfy { (0x0400...0x0414).contains($0.type.rawValue) })
        #expect(notifications.allSatisfy { $0.sender == .engine })
        #expect(!MessageType(rawValue: 0x040F).isCommand, "the number is not used")
        #expect(!MessageType(rawValue: 0xFC00).isNotification)
    }

    @Test func `a command is completed by the notification with its number`() {
        let completions = MessageType.all.compactMap { $0.type.completion }
        #expect(
            completions == [
                .getLazyStateCompletion, .getLazyStateKeysCompletion, .getPromiseCompletion, .peekPromiseCompletion,
                .completePromiseCompletion, .sleepCompletion, .callCompletion, .runCompletion,
                .attachInvocationCompletion, .getInvocationOutputCompletion,
            ])
        #expect(MessageType.call.completion?.rawValue == 0x800D)
        #expect(MessageType.oneWayCall.completion == nil)
        #expect(MessageType.start.completion == nil)
    }

    @Test func `a type prints its name or its number`() {
        #expect("\(MessageType.callInvocationIDCompletion)" == "CallInvocationIdCompletion")
        #expect("\(MessageType(rawValue: 0xFC01))" == "0xFC01")
        #expect("\(MessageType(rawValue: 0x99))" == "0x0099")
    }

    @Test func `a version has one media type`() {
        #expect(ProtocolVersion.v6.contentType == "application/vnd.restate.invocation.v6")
        for version in ProtocolVersion.allCases {
            #expect(ProtocolVersion(contentType: version.contentType) == version)
        }
        #expect(ProtocolVersion(contentType: "application/vnd.restate.invocation.v8") == nil)
        #expect(ProtocolVersion(contentType: "application/vnd.restate.invocation.v6; x=1") == nil)
        #expect(ProtocolVersion.v5 < .v7)
    }
}
