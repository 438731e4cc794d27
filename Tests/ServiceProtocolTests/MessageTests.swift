import HoldfastServiceProtocol
import HoldfastWire
import Testing

/// Payloads that SDKs were seen to send and accept.
struct MessageTests {
    private func bytes(_ hex: String) throws -> Bytes { try #require(Bytes(hex: hex)) }

    @Test func `commands have the payloads that SDKs send`() throws {
        let samples: [(String, MessageType, JournalCommand)] = [
            (
                "08e8075802" + "62036e6170", .sleep,
                .sleep(SleepCommand(wakeUpTime: Timestamp(millis: 1000), resultCompletionID: 2, name: "nap"))
            ),
            (
                "0a0162" + "1a030a0131", .setState,
                .setState(SetStateCommand(key: Bytes(utf8: "b"), value: Bytes(utf8: "1")))
            ),
            ("5806620473746570", .run, .run(RunCommand(resultCompletionID: 6, name: "step"))),
            (
                "0a0161" + "72030a0141", .getEagerState,
                .getEagerState(GetEagerStateCommand(key: Bytes(utf8: "a"), value: Bytes(utf8: "A")))
            ),
            (
                "0a027a7a" + "6a00", .getEagerState,
                .getEagerState(GetEagerStateCommand(key: Bytes(utf8: "zz"), value: nil))
            ),
            (
                "0a0178" + "1001" + "2200", .sendSignal,
                .sendSignal(SendSignalCommand(targetInvocationID: "x", signal: .signal(1), result: .void))
            ),
            ("7200", .output, .output(OutputCommand(result: .value([])))),
            ("7200", .getEagerStateKeys, .getEagerStateKeys(GetEagerStateKeysCommand(keys: []))),
            ("7a00", .output, .output(OutputCommand(result: .failure(Failure(code: 0, message: ""))))),
        ]
        for (hex, type, command) in samples {
            let read = try JournalCommand(type: type, payload: bytes(hex))
            #expect(read == command)
            #expect(read.type == type)
            #expect(command.payload.hex == hex)
        }
    }

    @Test func `a step's result is plain bytes, and may be missing`() throws {
        let message = ProposeRunCompletionMessage(resultCompletionID: 6, result: .value(Bytes(utf8: "res")))
        #expect(message.payload.hex == "0806" + "7203726573")
        #expect(try ProposeRunCompletionMessage(decoding: message.payload) == message)
        #expect(try ProposeRunCompletionMessage(decoding: bytes("08067200")).result == .value([]))
        #expect(try ProposeRunCompletionMessage(decoding: bytes("0806")).result == nil)
    }

    @Test func `suspensions are lists up to version 6`() throws {
        let payload = try bytes("0a020602" + "12020111" + "1a056d79736967")
        for version in [ProtocolVersion.v5, .v6] {
            let message = try SuspensionMessage(decoding: payload, version: version)
            #expect(
                message.awaitingOn == Future(completions: [6, 2], signals: [1, 17], namedSignals: ["mysig"]))
        }
        let unpacked = try SuspensionMessage(decoding: bytes("08060802" + "10011011" + "1a056d79736967"), version: .v5)
        #expect(unpacked.awaitingOn == Future(completions: [6, 2], signals: [1, 17], namedSignals: ["mysig"]))
        var encoded: [UInt8] = []
        unpacked.encode(version: .v6, into: &encoded)
        #expect(encoded.hex == "0a020206" + "12020111" + "1a056d79736967", "the order of a list has no meaning")
    }

    @Test func `suspensions are trees since version 7`() throws {
        let hex =
            "221d" + "120101" + "2216" + "0a0106" + "220f" + "0a0102" + "120111" + "1a056d79736967" + "280128022801"
        let message = try SuspensionMessage(decoding: bytes(hex), version: .v7)
        let inner = Future.node(
            .firstCompleted, [.leaf(.completion(2)), .leaf(.signal(17)), .leaf(.namedSignal("mysig"))])
        #expect(
            message.awaitingOn
                == .node(.firstCompleted, [.leaf(.signal(1)), .node(.allCompleted, [.leaf(.completion(6)), inner])]))
        var encoded: [UInt8] = []
        message.encode(version: .v7, into: &encoded)
        #expect(encoded.hex == hex)
        encoded = []
        message.encode(version: .v6, into: &encoded)
        #expect(encoded.hex == "0a020206" + "12020111" + "1a056d79736967", "older versions get all leaves")
    }

    @Test(arguments: [ProtocolVersion.v5, .v6, .v7]) func `a suspension that waits for nothing is refused`(
        version: ProtocolVersion
    ) {
        for payload: Bytes in [[], [0x22, 0x00], [0x22, 0x02, 0x28, 0x01]] {
            let error = #expect(throws: ProtocolError.self) {
                _ = try SuspensionMessage(decoding: payload, version: version)
            }
            #expect(error?.code == .protocolViolation)
        }
    }

    @Test func `a tree is not read where lists are spoken, nor lists where a tree is`() throws {
        #expect(throws: ProtocolError.self) {
            _ = try SuspensionMessage(decoding: bytes("2203" + "0a0106"), version: .v6)
        }
        #expect(throws: ProtocolError.self) { _ = try SuspensionMessage(decoding: bytes("0a0106"), version: .v7) }
    }

    @Test func `what is awaited while connected needs a future`() throws {
        let message = AwaitingOnMessage(
            awaitingOn: .node(.firstCompleted, [.leaf(.signal(17)), .leaf(.signal(1))]), isExecutingSteps: true)
        var encoded: [UInt8] = []
        message.encode(into: &encoded)
        #expect(encoded.hex == "0a06" + "12021101" + "2801" + "1001")
        #expect(try AwaitingOnMessage(decoding: encoded[...]) == message)
        #expect(throws: ProtocolError(.protocolViolation, "message AwaitingOn names nothing to wait for")) {
            _ = try AwaitingOnMessage(decoding: [0x10, 0x01])
        }
    }

    @Test func `empty results of notifications are explicit`() throws {
        let samples: [(Notification, String)] = [
            (.completion(.runCompletion, 3, .value([])), "08032a00"),
            (.completion(.sleepCompletion, 300, .void), "08ac022200"),
            (.signal(.signal(1), .void), "10012200"),
            (.signal(.namedSignal(""), .void), "1a002200"),
            (.completion(.getLazyStateKeysCompletion, 0, .stateKeys([])), "08008a0100"),
            (.completion(.getLazyStateKeysCompletion, 1, .stateKeys([[], [1]])), "08018a01050a000a0101"),
            (.completion(.callInvocationIDCompletion, 1, .invocationID("x")), "0801820101" + "78"),
            (
                .completion(.callCompletion, 2, .failure(Failure(code: 5, message: "m"))),
                "0802" + "3205" + "0805" + "12016d"
            ),
        ]
        for (notification, hex) in samples {
            #expect(notification.payload.hex == hex)
            #expect(try Notification(type: notification.type, payload: bytes(hex)) == notification)
        }
    }

    @Test(arguments: [
        ("2200", "completion id, signal index or signal name"), ("0801", "result"),
        ("", "completion id, signal index or signal name"),
    ])
    func `a notification without identifier or result is refused`(hex: String, missing: String) throws {
        let payload = try bytes(hex)
        let error = #expect(throws: ProtocolError.self) { _ = try Notification(type: .signal, payload: payload) }
        #expect(error?.message == "cannot decode message SignalNotification: it has no \(missing)")
    }

    @Test func `commands without what they need are refused`() throws {
        let samples: [(MessageType, String, String)] = [
            (.output, "", "it carries neither a value nor a failure"),
            (.setState, "0a0161", "it has no value"),
            (.getEagerState, "0a0161", "it has no result"),
            (.getEagerStateKeys, "", "it has no list of keys"),
            (.completePromise, "0a0161", "it carries neither a value nor a failure"),
            (.completeAwakeable, "0a0161", "it carries neither a value nor a failure"),
            (.sendSignal, "0a0161" + "2200", "it has no signal index or signal name"),
            (.sendSignal, "0a0161" + "1001", "it has no result"),
            (.attachInvocation, "5801", "it has no target"),
            (.getInvocationOutput, "5801", "it has no target"),
            (.run, "6201ff", "field 12 is not valid UTF-8"),
            (.call, "0a01ff", "field 1 is not valid UTF-8"),
        ]
        for (type, hex, what) in samples {
            let error = #expect(throws: ProtocolError.self) { _ = try JournalCommand(type: type, payload: bytes(hex)) }
            #expect(error == ProtocolError(.protocolViolation, "cannot decode message \(type): \(what)"))
        }
    }

    @Test func `what is no command is not read as one`() {
        for type in [
            MessageType.start, .end, .sleepCompletion, MessageType(rawValue: 0x040F), MessageType(rawValue: 0xFC01),
        ] {
            #expect(throws: ProtocolError(.protocolViolation, "received unexpected message: \(type)")) {
                _ = try JournalCommand(type: type, payload: [])
            }
        }
        #expect(throws: ProtocolError(.protocolViolation, "received unexpected message: Run")) {
            _ = try Notification(type: .run, payload: [])
        }
    }

    @Test func `commands tell the identifiers that they take`() {
        let target = AttachTarget.workflow(WorkflowTarget(workflowName: "W", workflowKey: "k"))
        let commands: [(JournalCommand, [UInt32])] = [
            (
                .call(
                    CallCommand(
                        serviceName: "S", handlerName: "h", parameter: [], invocationIDCompletionID: 4,
                        resultCompletionID: 5, name: "n")),
                [4, 5]
            ),
            (
                .oneWayCall(
                    OneWayCallCommand(serviceName: "S", handlerName: "h", parameter: [], invocationIDCompletionID: 6)),
                [6]
            ),
            (.sleep(SleepCommand(wakeUpTime: .distantFuture, resultCompletionID: 7)), [7]),
            (.attachInvocation(AttachInvocationCommand(target: target, resultCompletionID: 8)), [8]),
            (.setState(SetStateCommand(key: [], value: [])), []),
            (.input(InputCommand(value: [])), []),
        ]
        for (command, ids) in commands { #expect(command.completionIDs == ids) }
        #expect(commands[0].0.name == "n")
        // A command takes as many identifiers as notifications answer it.
        for row in MessageType.all where row.type.isCommand && row.type.completion != nil {
            #expect(commands.filter { $0.0.type == row.type }.allSatisfy { !$0.1.isEmpty })
        }
    }

    @Test func `a start message has the fields of its version`() throws {
        let id = InvocationID(partitionKey: 0x43c5_171a_2ba4_02b3, uuid: 0x0191d0f0_a1b2c3d4_e5f60718_293a4b5c)
        let message = StartMessage(
            id: id, knownEntries: 3,
            stateMap: [.init(key: [1], value: []), .init(key: [], value: Bytes(repeating: 1, count: 200))],
            isStatePartial: true, key: "k", retryCount: 2, millisSinceLastEntry: 5, randomSeed: 9, scope: "s",
            limitKey: "l",
            idempotencyKey: "")
        var encoded: [UInt8] = []
        message.encode(version: .v7, into: &encoded)
        #expect(try StartMessage(decoding: encoded[...]) == message)
        encoded = []
        message.encode(version: .v6, into: &encoded)
        let old = try StartMessage(decoding: encoded[...])
        #expect(old.scope == nil && old.limitKey == nil && old.idempotencyKey == nil)
        #expect(old.randomSeed == 9 && old.stateMap == message.stateMap)
        #expect(old.debugID == "inv_1fmRNvSNVxNp2O9FJ1OlOzP5ytGEhn0IsV")
        let error = #expect(throws: ProtocolError.self) { _ = try StartMessage(decoding: [0x0a, 0x01, 0x01]) }
        #expect(error?.message == "cannot decode message Start: the invocation id has 1 bytes instead of 24")
    }

    @Test func `unknown fields are ignored`() throws {
        let command = RunCommand(resultCompletionID: 6, name: "step")
        let payload = try bytes("9a06027879" + "e80701" + command.payload.hex + "f50701020304" + "f9070102030405060708")
        #expect(try RunCommand(decoding: payload) == command)
    }
}
