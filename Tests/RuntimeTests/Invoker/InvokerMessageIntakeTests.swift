import HoldfastEngine
import HoldfastServiceProtocol
import HoldfastWire
import Testing

@testable import HoldfastRuntime

@Suite struct InvokerMessageIntakeTests {
    private let registry = InvokerFixtures.registry

    // MARK: - What the partition hears

    @Test func `one chunk's messages become one list, in order`() {
        let probe = IntakeProbe(registry)
        let outcome = probe.read([
            Sent(RunCommand(resultCompletionID: 1, name: "step")),
            Sent(ProposeRunCompletionMessage(resultCompletionID: 1, result: .value(Bytes(utf8: "x")))),
            Sent(OutputCommand(result: .value(Bytes(utf8: "done")))), Sent(EndMessage()),
        ])
        #expect(outcome == .ended)
        #expect(probe.descriptions == ["Run step", "proposal completion 1", "Output ", "ended"])
        #expect(probe.intake.commandIndex == 3)
    }

    @Test func `a message in two chunks is heard when it is complete`() {
        let probe = IntakeProbe(registry)
        var bytes: [UInt8] = []
        writeFrame(RunCommand(resultCompletionID: 1, name: "step"), into: &bytes)
        for count in 1..<bytes.count {
            let probe = IntakeProbe(registry)
            #expect(probe.read(bytes[..<count]) == .open)
            #expect(probe.messages.isEmpty)
            #expect(probe.read(bytes[count...]) == .open)
            #expect(probe.descriptions == ["Run step"])
        }
        #expect(probe.read(bytes[...]) == .open)
    }

    @Test func `nothing counts behind a message that ends the attempt`() {
        let probe = IntakeProbe(registry)
        #expect(probe.read([Sent(EndMessage()), Sent(RunCommand(resultCompletionID: 1, name: "late"))]) == .ended)
        #expect(probe.descriptions == ["ended"])
    }

    @Test func `what came before a broken rule counts`() {
        let probe = IntakeProbe(registry)
        let outcome = probe.read([
            Sent(SleepCommand(wakeUpTime: Timestamp(millis: 5), resultCompletionID: 1)),
            Sent(SetStateCommand(key: Bytes(utf8: "k"), value: [])), Sent(EndMessage()),
        ])
        #expect(probe.descriptions == ["Sleep "])
        #expect(
            outcome
                == .violated(
                    AttemptError(
                        "cannot process command Command: SetState (command index 2) because of a failed precondition: "
                            + "unsupported entry type, this service type doesn't have state access", "RT0017")))
    }

    @Test func `a suspension up to version 6 is a flat list, from version 7 on a tree`() {
        let flat = IntakeProbe(registry, version: .v6)
        #expect(flat.read(Sent(.suspension, hex: "0a020602120201111a056d79736967")) == .suspended)
        guard case .suspended(let future, let sent)? = flat.messages.first else {
            Issue.record("no suspension")
            return
        }
        #expect(future == Future(completions: [6, 2], signals: [1, 17], namedSignals: ["mysig"]))
        #expect(sent == 9)

        let tree = IntakeProbe(registry, version: .v7)
        let payload = "221d12010122160a0106220f0a01021201111a056d79736967280128022801"
        #expect(tree.read(Sent(.suspension, hex: payload)) == .suspended)
        #expect(tree.descriptions == ["suspended"])
    }

    @Test func `waiting for nothing is a failure, and for too much a pause`() {
        let empty = IntakeProbe(registry).read(Sent(.suspension, hex: ""))
        guard case .violated(let error) = empty else {
            Issue.record("accepted")
            return
        }
        #expect(error.failure.documentedCode == "RT0012")
        #expect(error.behavior == .byPolicy)

        var nested = Future.leaf(.completion(1))
        for _ in 0..<6 { nested = .node(.firstCompleted, [nested]) }
        var payload: [UInt8] = []
        SuspensionMessage(awaitingOn: nested).encode(version: .v7, into: &payload)
        let probe = IntakeProbe(registry, version: .v7, futureDepthLimit: 5)
        guard case .violated(let deep) = probe.read(Sent(.suspension, payload[...])) else {
            Issue.record("accepted")
            return
        }
        #expect(deep.failure.documentedCode == "RT0025")
        #expect(deep.behavior == .pause)
    }

    @Test func `what the SDK reports is kept, with the code that documents it`() {
        let codes: [(UInt32, String)] = [(500, "RT0007"), (570, "RT0016"), (571, "RT0012"), (573, "RT0007")]
        for (code, documented) in codes {
            let message = ErrorMessage(
                code: code, message: "boom", stackTrace: "at x", relatedCommandIndex: 3, relatedCommandName: "step",
                relatedCommandType: .run, nextRetryDelayMillis: 300, behavior: .pause)
            guard case .failed(let error) = IntakeProbe(registry).read(Sent(message)) else {
                Issue.record("accepted")
                return
            }
            #expect(
                error.failure
                    == AttemptFailure(
                        code: code, message: "boom", stacktrace: "at x", documentedCode: documented, commandIndex: 3,
                        commandName: "step", commandType: "Run"))
            #expect(error.retryAfter == 300)
            #expect(error.behavior == .pause)
        }
    }

    @Test func `only version 7 gets acknowledgements for steps, and each once`() {
        let proposal = ProposeRunCompletionMessage(resultCompletionID: 4, result: .value([]))
        let new = IntakeProbe(registry, version: .v7)
        _ = new.read(Sent(proposal, flags: FrameHeader.requestAck))
        #expect(new.takesAcknowledgement(4) && !new.takesAcknowledgement(4))
        #expect(!new.takesAcknowledgement(5))
        let old = IntakeProbe(registry, version: .v6)
        _ = old.read(Sent(proposal, flags: FrameHeader.requestAck))
        #expect(!old.takesAcknowledgement(4))
        let unasked = IntakeProbe(registry, version: .v7)
        _ = unasked.read(Sent(proposal))
        #expect(!unasked.takesAcknowledgement(4))
    }

    @Test func `what the handler waits for is remembered and not passed on`() {
        let probe = IntakeProbe(registry, version: .v7)
        #expect(probe.read(Sent(.awaitingOn, hex: "0a080a0101120101 2801".filter { $0 != " " })) == .open)
        #expect(probe.messages.isEmpty)
        #expect(probe.intake.awaitingOn == .node(.firstCompleted, [.leaf(.completion(1)), .leaf(.signal(1))]))
        guard case .violated(let error) = probe.read(Sent(.awaitingOn, hex: "1001")) else {
            Issue.record("accepted")
            return
        }
        #expect(error.failure.documentedCode == "RT0012")
    }

    @Test func `the acknowledgement flag of a command is passed on`() {
        let probe = IntakeProbe(registry)
        _ = probe.read(Sent(RunCommand(resultCompletionID: 1), flags: FrameHeader.requestAck))
        guard case .command(_, _, _, acknowledge: true)? = probe.messages.first else {
            Issue.record("the flag is lost")
            return
        }
    }

    // MARK: - What is refused

    @Test func `what only the engine may send is a protocol violation`() {
        let refused: [(MessageType, String)] = [
            (.start, "Start"), (.commandAck, "CommandAck"), (.proposeRunCompletionAck, "ProposeRunCompletionAck"),
            (.input, "InputCommand"), (.sleepCompletion, "SleepCompletionNotification"),
            (.signal, "SignalNotification"), (.callInvocationIDCompletion, "CallInvocationIdCompletionNotification"),
        ]
        for (type, name) in refused {
            let outcome = IntakeProbe(registry).read(Sent(type, hex: ""))
            #expect(outcome == .violated(AttemptError("received unexpected message: \(name)", "RT0012")))
        }
    }

    @Test func `unknown and custom types are protocol violations`() {
        for code in [0x0999, 0x8099, 0xFC01, 0xFFFF, 0x040F, 0x0008] as [UInt16] {
            let outcome = IntakeProbe(registry).read(Sent(MessageType(rawValue: code), hex: ""))
            guard case .violated(let error) = outcome else {
                Issue.record("accepted \(code)")
                continue
            }
            #expect(error.failure.documentedCode == "RT0012")
        }
    }

    @Test func `a message above the limit is refused by its header`() {
        let probe = IntakeProbe(registry, messageSizeLimit: 10)
        guard case .violated(let error) = probe.read(Sent(.output, Bytes(repeating: 0, count: 11))) else {
            Issue.record("accepted")
            return
        }
        #expect(error.failure.documentedCode == "RT0003")
    }

    @Test func `a proposal needs a result, and a state key must be a text`() {
        let proposal = IntakeProbe(registry).read(Sent(.proposeRunCompletion, hex: "0806"))
        #expect(proposal == .violated(.proposalWithoutResult))
        let state = IntakeProbe(registry, kind: .objectExclusive)
            .read(Sent(SetStateCommand(key: [0xFF], value: [])))
        guard case .violated(let error) = state else {
            Issue.record("accepted")
            return
        }
        #expect(error.failure.documentedCode == "RT0012")
        #expect(error.failure.message.contains("ff"))
    }

    @Test func `identifiers in commands are read, and their faults are named`() {
        let id = InvokerFixtures.id.description
        let probe = IntakeProbe(registry)
        _ = probe.read([
            Sent(SendSignalCommand(targetInvocationID: id, signal: .signal(1), result: .void)),
            Sent(
                CompleteAwakeableCommand(
                    awakeableID: AwakeableID.signal(InvokerFixtures.id, index: 17).description, completion: .value([]))),
            Sent(AttachInvocationCommand(target: .invocationID(id), resultCompletionID: 1)),
        ])
        #expect(probe.references == Array(repeating: InvokerFixtures.id, count: 3))

        let signal = SendSignalCommand(targetInvocationID: "foo", signal: .signal(1), result: .void)
        #expect(
            IntakeProbe(registry).read(Sent(signal))
                == .violated(
                    AttemptError(
                        #"cannot decode entry: decoding error: BadFieldError("target_invocation_id", Format)"#,
                        "RT0012")))
        let awakeable = CompleteAwakeableCommand(awakeableID: "foo", completion: .value([]))
        #expect(
            IntakeProbe(registry).read(Sent(awakeable))
                == .violated(
                    AttemptError(
                        #"cannot decode entry: decoding error: InvalidAwakeableId("foo", Format)"#, "RT0012")))
        let attach = AttachInvocationCommand(target: .invocationID("foo"), resultCompletionID: 1)
        #expect(
            IntakeProbe(registry).read(Sent(attach))
                == .violated(
                    AttemptError(
                        "cannot process command Command: AttachInvocation (command index 1) because of a failed "
                            + "precondition: invalid invocation id foo: bad format", "RT0017")))
    }

    @Test func `state and promises are open to the handlers that have them`() {
        let read = Sent(GetLazyStateCommand(key: Bytes(utf8: "k"), resultCompletionID: 1))
        let write = Sent(ClearAllStateCommand())
        let promise = Sent(PeekPromiseCommand(key: "p", resultCompletionID: 1))
        let allowed: [TargetKind: [Bool]] = [
            .service: [false, false, false], .objectExclusive: [true, true, false],
            .objectShared: [true, false, false], .workflowRun: [true, true, true],
            .workflowShared: [true, false, true],
        ]
        for kind in TargetKind.allCases {
            let outcomes = [read, write, promise].map { IntakeProbe(registry, kind: kind).read($0) == .open }
            #expect(outcomes == allowed[kind])
        }
    }

    // MARK: - Recorded conversations

    @Test func `every message that five SDKs were seen to send is understood`() throws {
        let conversations = try InvokerFixtures.conversations()
        #expect(Set(conversations.map(\.sdk)) == ["ts", "go", "rust", "java", "python"])
        for conversation in conversations {
            let probe = IntakeProbe(
                registry, kind: conversation.kind, version: conversation.version, isLenient: true)
            let outcome = probe.read(conversation.messages)
            let last = conversation.messages.last?.type
            switch outcome {
            case .open: #expect(last != .end && last != .suspension && last != .error)
            case .ended: #expect(last == .end)
            case .suspended: #expect(last == .suspension)
            case .failed(let error):
                #expect(last == .error)
                #expect(error.failure.documentedCode == "RT0007" && error.failure.code == 500)
            case .violated(let error): Issue.record("\(error.failure.message)")
            }
            let commands = conversation.messages.count { $0.type.isCommand }
            #expect(Int(probe.intake.commandIndex) == commands + 1)
            let proposals = conversation.messages.count { $0.type == .proposeRunCompletion }
            #expect(probe.descriptions.count { $0.hasPrefix("proposal") } == proposals)
        }
    }

    @Test func `damaged conversations are refused or understood, in chunks of any size, and trap nothing`() throws {
        var random = FastRandom(seed: 7)
        for conversation in try InvokerFixtures.conversations() {
            var bytes: [UInt8] = []
            for message in conversation.messages.prefix(20) {
                writeFrame(type: message.type, flags: message.flags, payload: message.payload, into: &bytes)
            }
            for _ in 0..<40 {
                var damaged = bytes
                for _ in 0..<Int.random(in: 1...4, using: &random) where !damaged.isEmpty {
                    let place = Int.random(in: damaged.indices, using: &random)
                    switch Int.random(in: 0..<3, using: &random) {
                    case 0: damaged[place] = UInt8.random(in: .min ... .max, using: &random)
                    case 1: damaged.remove(at: place)
                    default: damaged.insert(damaged[place], at: place)
                    }
                }
                let probe = IntakeProbe(registry, kind: .workflowRun, version: conversation.version, isLenient: true)
                var rest = damaged[...]
                var outcome = MessageIntake.Outcome.open
                while outcome == .open, !rest.isEmpty {
                    let size = Int.random(in: 1...rest.count, using: &random)
                    outcome = probe.read(rest.prefix(size))
                    rest = rest.dropFirst(size)
                }
                let commands = probe.messages.count { if case .command = $0 { true } else { false } }
                #expect(Int(probe.intake.commandIndex) == commands + 1)
            }
        }
    }
}
