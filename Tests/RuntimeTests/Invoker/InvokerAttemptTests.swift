import HoldfastEngine
import HoldfastServiceProtocol
import HoldfastWire
import Testing

@testable import HoldfastRuntime

@Suite struct InvokerAttemptTests {
    private let world = InvokerWorld()
    private let id = InvokerFixtures.id

    private func started(_ start: AttemptStart = InvokerFixtures.start()) -> Invoker {
        let invoker = world.invoker()
        invoker.startAttempt(start, in: 3)
        return invoker
    }

    // MARK: - What is sent

    @Test func `a plain call is one buffer there and one report back`() {
        let invoker = started(InvokerFixtures.start(input: InputCommand(value: Bytes(utf8: "hi")).payload))
        let stream = world.stream
        let frames = stream.takeFrames()
        #expect(frames.map(\.type) == [.start, .input])
        #expect(frames.last?.payload == InputCommand(value: Bytes(utf8: "hi")).payload)
        stream.accept()
        stream.say(Sent(OutputCommand(result: .value(Bytes(utf8: "done")))), Sent(EndMessage()))
        #expect(world.commands.count == 1)
        #expect(world.takeLines() == ["1: Output", "1: ended"])
        #expect(stream.isFinished && !stream.isCancelled)
        invoker.release(id)
        stream.attempt.ended()
        #expect(world.takeLines() == [])
        #expect(invoker.liveInvocations.isEmpty)
    }

    @Test func `the request names path, version, invocation and cluster in the order of the layers`() throws {
        var deployment = InvokerFixtures.deployment()
        deployment.additionalHeaders = [("authorization", "x"), ("accept", "overwritten")]
        let world = InvokerWorld(registry: InvokerFixtures.registry(of: deployment))
        let invoker = world.invoker { $0.additionalHeaders = [("x-restate-cluster-name", "localcluster")] }
        let target = InvocationTarget(service: "Counter", key: "a/b ä~", handler: "add", kind: .objectExclusive)
        invoker.startAttempt(InvokerFixtures.start(target: target), in: 0)
        #expect(world.stream.head.path == "/base/invoke/Counter/add?a=b")
        let headers = world.stream.head.headers.map { "\($0.name): \($0.value)" }
        #expect(
            headers == [
                "content-type: application/vnd.restate.invocation.v6", "accept: overwritten",
                "x-restate-invocation-id: inv_1fmRNvSNVxNp2O9FJ1OlOzP5ytGEhn0IsV",
                "x-restate-service-key: a%2Fb%20%C3%A4~", "authorization: x", "x-restate-cluster-name: localcluster",
            ])
    }

    @Test(arguments: [TargetKind.objectShared, .workflowRun, .workflowShared])
    func `state that others write leaves when it is durable`(_ kind: TargetKind) throws {
        let (service, handler) =
            kind.isWorkflow ? ("SignUp", kind == .workflowRun ? "run" : "click") : ("Counter", "get")
        let target = InvocationTarget(service: service, key: "k", handler: handler, kind: kind)
        world.states[target.object] = [(Bytes(utf8: "a"), Bytes(utf8: "1"))]
        world.waitingForDisk = []
        let invoker = started(InvokerFixtures.start(target: target))
        #expect(world.streams.isEmpty)
        // What comes meanwhile is sent when the rest is.
        world.journals[id] = [(.input, []), (.signal, Notification.signal(.signal(17), .void).payload)]
        invoker.forward(id, epoch: 1, index: 1, type: .signal, payload: [])
        world.pass(100_000)
        // What is written meanwhile is not seen: it is younger than what became durable.
        world.states[target.object] = [(Bytes(utf8: "a"), Bytes(utf8: "2"))]
        world.sync()
        let frames = world.stream.takeFrames()
        #expect(frames.map(\.type) == [.start, .input, .signal])
        let message = try StartMessage(decoding: try #require(frames.first).payload)
        #expect(message.stateMap.map(\.value) == [Bytes(utf8: "1")])
        world.stream.accept()
        world.stream.say(Sent(OutputCommand(result: .value([]))), Sent(EndMessage()))
        #expect(world.takeLines() == ["1: Output", "1: ended"])
    }

    @Test func `attempts share the memory for what their deployments have not taken`() {
        let invoker = world.invoker { $0.memoryLimit = 100_000 }
        let large = InputCommand(value: Bytes(repeating: 7, count: 90_000)).payload
        world.roomOfNewStreams = 10
        for number in 1...2 {
            invoker.startAttempt(InvokerFixtures.start(InvokerFixtures.id(number), input: large), in: 0)
        }
        #expect(world.streams.count == 1)
        let limit =
            "memory budget exhausted: all attempts together have more than 100000 bytes of messages that are under "
            + "way; consider increasing 'worker.invoker.memory-limit'"
        #expect(world.takeLines() == ["1: failed [500 RT0001] \(limit), retry"])
        // Small ones are served all the same.
        invoker.startAttempt(InvokerFixtures.start(InvokerFixtures.id(3)), in: 0)
        #expect(world.streams.count == 2)
        // The first one's deployment has read on.
        world.streams[0].room = .max
        world.streams[0].attempt.becameWritable()
        invoker.startAttempt(InvokerFixtures.start(InvokerFixtures.id(4), input: large), in: 0)
        #expect(world.streams.count == 3)
        #expect(invoker.memory.used > 0)
        for number in 1...4 { invoker.abortAttempt(InvokerFixtures.id(number)) }
        #expect(invoker.memory.used == 0)
    }

    @Test func `attempts share the memory for messages that have not arrived completely`() {
        let invoker = world.invoker { $0.memoryLimit = 100_000 }
        for number in 1...2 { invoker.startAttempt(InvokerFixtures.start(InvokerFixtures.id(number)), in: 0) }
        let output = OutputCommand(result: .value(Bytes(repeating: 7, count: 120_000)))
        var frame: [UInt8] = []
        writeFrame(output, into: &frame)
        for stream in world.streams { stream.accept() }
        world.streams[0].attempt.arrived(frame[..<100_000])
        #expect(world.takeLines() == [])
        world.streams[1].attempt.arrived(frame[..<100_000])
        #expect(world.streams[1].isCancelled)
        #expect(world.takeLines().map { $0.prefix(24) } == ["1: failed [500 RT0001] m"])
        world.streams[0].attempt.arrived(frame[100_000...])
        #expect(world.takeLines() == ["1: Output"])
        #expect(invoker.memory.used == 0)
    }

    @Test func `an exclusive handler waits for no disk, nor does one that is sent no state`() {
        let exclusive = InvocationTarget(service: "Counter", key: "k", handler: "add", kind: .objectExclusive)
        world.waitingForDisk = []
        _ = started(InvokerFixtures.start(target: exclusive))
        _ = started(InvokerFixtures.start(InvokerFixtures.id(2)))
        let shared = InvocationTarget(service: "Counter", key: "k", handler: "get", kind: .objectShared)
        let invoker = world.invoker { $0.eagerStateSizeLimit = 0 }
        invoker.startAttempt(InvokerFixtures.start(InvokerFixtures.id(3), target: shared), in: 0)
        #expect(world.streams.count == 3)
    }

    @Test func `an attempt that is aborted while it waits for the disk is never opened`() {
        let shared = InvocationTarget(service: "Counter", key: "k", handler: "get", kind: .objectShared)
        world.waitingForDisk = []
        let invoker = started(InvokerFixtures.start(target: shared))
        invoker.abortAttempt(id)
        world.sync()
        #expect(world.streams.isEmpty)
        #expect(invoker.liveInvocations.isEmpty)
    }

    @Test func `Start says who runs, and what the SDK has to know`() throws {
        let target = InvocationTarget(service: "Counter", key: "k", handler: "add", kind: .objectExclusive)
        world.states[target.object] = [(Bytes(utf8: "a"), Bytes(utf8: "1")), (Bytes(utf8: "b"), [])]
        let invoker = started(InvokerFixtures.start(target: target))
        let message = try StartMessage(decoding: try #require(world.stream.takeFrames().first).payload)
        #expect(message.id == id && message.debugID == "inv_1fmRNvSNVxNp2O9FJ1OlOzP5ytGEhn0IsV")
        #expect(message.knownEntries == 1 && message.key == "k" && !message.isStatePartial)
        #expect(message.stateMap.map(\.key) == [Bytes(utf8: "a"), Bytes(utf8: "b")])
        #expect(message.randomSeed == 0x1e80_db8f_3e55_bcf9)
        #expect(message.retryCount == 0 && message.millisSinceLastEntry == 100)
        _ = invoker
    }

    @Test func `state beyond the limit is left to lazy reads`() throws {
        let target = InvocationTarget(service: "Counter", key: "k", handler: "add", kind: .objectExclusive)
        world.states[target.object] = (0..<5).map { (Bytes(utf8: "k\($0)"), Bytes(repeating: 1, count: 2)) }
        for (limit, count, isPartial) in [(20, 5, false), (19, 4, true), (3, 0, true), (0, 0, true)] {
            let invoker = world.invoker { $0.eagerStateSizeLimit = limit }
            invoker.startAttempt(InvokerFixtures.start(target: target), in: 0)
            let message = try StartMessage(decoding: try #require(world.stream.takeFrames().first).payload)
            #expect(message.stateMap.count == count && message.isStatePartial == isPartial)
        }
    }

    @Test func `a plain service's state is partial, since it has none`() throws {
        let invoker = started()
        let message = try StartMessage(decoding: try #require(world.stream.takeFrames().first).payload)
        #expect(message.isStatePartial && message.stateMap.isEmpty && message.key.isEmpty)
        _ = invoker
    }

    @Test func `a long journal is written piece by piece, as the connection takes it`() {
        world.journals[id] = journal(entries: 20, size: 50_000)
        world.roomOfNewStreams = 100_000
        let invoker = started(InvokerFixtures.start(journalLength: 20, commandCount: 20, input: nil))
        let stream = world.stream
        var types = stream.takeTypes()
        #expect(types.count < 6)
        for _ in 0..<20 {
            stream.room = 100_000
            stream.attempt.becameWritable()
            types += stream.takeTypes()
        }
        #expect(types == [.start] + world.journals[id, default: []].map(\.type))
        _ = invoker
    }

    @Test func `what comes during the replay follows it, and the attempt's own commands are left out`() {
        world.journals[id] = journal(entries: 3, size: 10)
        world.roomOfNewStreams = 1
        let invoker = started(InvokerFixtures.start(journalLength: 3, commandCount: 3, input: nil))
        let stream = world.stream
        #expect(stream.takeTypes() == [.start, .input, .run, .run])
        world.journals[id]?.append((.run, RunCommand(resultCompletionID: 9).payload))
        for index in 4...5 as ClosedRange<UInt32> {
            let signal = Notification.signal(.signal(index), .void)
            world.journals[id]?.append((.signal, signal.payload))
            invoker.forward(id, epoch: 1, index: index, type: .signal, payload: signal.payload)
        }
        #expect(stream.takeTypes() == [])
        stream.room = .max
        stream.attempt.becameWritable()
        #expect(stream.takeTypes() == [.signal, .signal])
        invoker.forward(id, epoch: 1, index: 5, type: .signal, payload: [])
        #expect(stream.takeTypes() == [])
    }

    @Test func `notifications reach the attempt of their epoch`() {
        let invoker = started()
        let stream = world.stream
        _ = stream.takeFrames()
        let completion = Notification.completion(.sleepCompletion, 1, .void)
        invoker.forward(id, epoch: 0, index: 1, type: .sleepCompletion, payload: completion.payload)
        #expect(stream.takeTypes() == [])
        invoker.forward(id, epoch: 1, index: 2, type: .sleepCompletion, payload: completion.payload)
        #expect(stream.takeFrames() == [Frame(type: .sleepCompletion, payload: completion.payload)])
    }

    @Test func `a suspension tells up to where the journal was sent`() {
        let invoker = started()
        world.stream.accept()
        invoker.forward(id, epoch: 1, index: 4, type: .signal, payload: Notification.signal(.signal(17), .void).payload)
        world.stream.say(Sent(.suspension, hex: "0a0106"))
        #expect(world.takeLines() == ["1: suspended, 5 sent"])
        #expect(world.stream.isFinished)
    }

    @Test func `a durable step is acknowledged in version 7 and told in version 6`() {
        let completion = Notification.completion(.runCompletion, 4, .value(Bytes(utf8: "x")))
        for version in [ProtocolVersion.v6, .v7] {
            let world = InvokerWorld()
            let invoker = world.invoker { $0.newestVersion = version }
            invoker.startAttempt(InvokerFixtures.start(), in: 0)
            _ = world.stream.takeFrames()
            world.stream.accept(version)
            world.stream.say(
                Sent(RunCommand(resultCompletionID: 4)),
                Sent(
                    ProposeRunCompletionMessage(resultCompletionID: 4, result: .value(Bytes(utf8: "x"))),
                    flags: FrameHeader.requestAck))
            invoker.forward(id, epoch: 1, index: 2, type: .runCompletion, payload: completion.payload)
            let expected =
                version == .v7
                ? Frame(
                    type: .proposeRunCompletionAck, payload: ProposeRunCompletionAckMessage(completionID: 4).payload)
                : Frame(type: .runCompletion, payload: completion.payload)
            #expect(world.stream.takeFrames() == [expected])
        }
    }

    @Test func `a command is acknowledged when it is durable`() {
        let invoker = started()
        _ = world.stream.takeFrames()
        invoker.acknowledgeCommand(id, epoch: 1, commandIndex: 5)
        #expect(world.stream.takeFrames() == [Frame(type: .commandAck, payload: [0x08, 5])])
    }

    @Test func `request and response follow each other where the deployment or a timeout of zero wants it`() {
        var deployment = InvokerFixtures.deployment()
        deployment.protocolMode = .requestResponse
        var defaults = InvocationDefaults()
        defaults.inactivityTimeout = 0
        let registries = [
            InvokerFixtures.registry(of: deployment),
            Registry(deployments: [InvokerFixtures.deployment()], rules: RuleBook(), defaults: defaults),
        ]
        for registry in registries {
            let world = InvokerWorld(registry: registry)
            let invoker = world.invoker()
            invoker.startAttempt(InvokerFixtures.start(), in: 0)
            #expect(world.stream.takeTypes() == [.start, .input])
            #expect(world.stream.isFinished)
            invoker.forward(id, epoch: 1, index: 1, type: .signal, payload: [])
            #expect(world.stream.takeTypes() == [])
            world.pass(599_000)
            #expect(world.takeLines() == [])
        }
    }

    // MARK: - What fails

    @Test func `the head of the response is checked before any message`() {
        let v6 = ProtocolVersion.v6.contentType
        let cases: [(Int, String?, String?, String)] = [
            (502, v6, nil, "[500 RT0010] service is temporary unavailable '502 Bad Gateway'"),
            (504, v6, nil, "[500 RT0010] service is temporary unavailable '504 Gateway Timeout'"),
            (503, v6, nil, "[500 RT0023] service is rate limited due to '503 Service Unavailable'"),
            (429, v6, nil, "[500 RT0023] service is rate limited due to '429 Too Many Requests'"),
            (
                415, nil, nil,
                "[415 RT0015] cannot start the invocation because the SDK doesn't support the protocol version '6' "
                    + "negotiated at discovery time"
            ),
            (413, nil, nil, "[500 RT0019] service replied with content too large"),
            (404, v6, nil, "[500 RT0012] unexpected http status code: 404 Not Found"),
            (571, v6, nil, "[500 RT0012] unexpected http status code: 571 <unknown status code>"),
            (
                200, "text/plain", nil,
                #"[500 RT0012] unexpected content type 'Some("text/plain")'; expected content type '"\#(v6)"'"#
            ),
            (200, nil, nil, #"[500 RT0012] unexpected content type 'None'; expected content type '"\#(v6)"'"#),
        ]
        for (status, contentType, retryAfter, text) in cases {
            let world = InvokerWorld()
            let invoker = world.invoker()
            invoker.startAttempt(InvokerFixtures.start(), in: 0)
            world.stream.attempt.headArrived(
                status: status, contentType: contentType, retryAfter: retryAfter, server: nil)
            #expect(world.takeLines() == ["1: failed \(text), retry"])
            world.stream.say(Sent(EndMessage()))
            #expect(world.takeLines() == [])
        }
    }

    @Test func `a broken connection, a broken stream and a mute one are told apart`() {
        let refused = InvokerWorld()
        let invokers = [refused.invoker()]
        invokers[0].startAttempt(InvokerFixtures.start(), in: 0)
        refused.stream.attempt.broke("connection refused")
        #expect(
            refused.takeLines() == [
                "1: failed [500 RT0010] error when calling 'http://127.0.0.1:9080/base?a=b': connection refused, retry"
            ])

        _ = started()
        // `started` has gone: its attempts are not answered any more.
        let invoker = world.invoker()
        invoker.startAttempt(InvokerFixtures.start(), in: 0)
        world.stream.accept()
        world.stream.attempt.broke("reset by peer")
        #expect(
            world.takeLines() == [
                "1: failed [500 RT0010] unexpected error while reading the response body: reset by peer, retry"
            ])

        let mute = InvokerWorld()
        let patient = mute.invoker()
        patient.startAttempt(InvokerFixtures.start(), in: 0)
        mute.stream.accept()
        mute.stream.attempt.ended()
        #expect(mute.takeLines() == ["1: failed [500 RT0007] unknown, retry"])
    }

    @Test func `the SDK's error ends the request, and what came before it counts`() {
        let invoker = started()
        world.stream.accept()
        world.stream.say(
            Sent(RunCommand(resultCompletionID: 1)), Sent(ErrorMessage(code: 500, message: "boom")))
        #expect(world.takeLines() == ["1: Run", "1: failed [500 RT0007] boom, retry"])
        #expect(world.stream.isFinished && !world.stream.isCancelled)
        _ = invoker
    }

    @Test func `an SDK that breaks a rule is cut off`() {
        let invoker = started()
        world.stream.accept()
        world.stream.say(Sent(RunCommand(resultCompletionID: 1)), Sent(.input, hex: ""))
        #expect(
            world.takeLines() == ["1: Run", "1: failed [500 RT0012] received unexpected message: InputCommand, retry"])
        #expect(world.stream.isCancelled)
        _ = invoker
    }

    @Test func `a journal entry above the limit fails the attempt`() {
        let invoker = world.invoker { $0.messageSizeLimit = 1000 }
        invoker.startAttempt(
            InvokerFixtures.start(input: InputCommand(value: Bytes(repeating: 1, count: 1000)).payload), in: 0)
        #expect(world.takeLines().allSatisfy { $0.contains("RT0003") })
        #expect(world.streams.isEmpty)
    }

    @Test func `a journal that is gone fails the attempt`() {
        let invoker = world.invoker()
        invoker.startAttempt(InvokerFixtures.start(journalLength: 4, input: nil), in: 0)
        #expect(world.takeLines().allSatisfy { $0.contains("RT0006") })
        #expect(world.streams.isEmpty)
    }

    @Test func `without a deployment or a common version there is no exchange`() {
        let missing = PinnedDeployment(deployment: DeploymentID(5), version: .v6)
        var future = InvokerFixtures.deployment()
        future.protocolVersions = 7...7
        let cases: [(Registry, AttemptStart, String)] = [
            (Registry(), InvokerFixtures.start(), "RT0011] no deployment was found to process the invocation"),
            (
                InvokerFixtures.registry, InvokerFixtures.start(pinned: missing),
                "RT0011] the invocation has a deployment id associated, but it was not found in the registry."
            ),
            (
                InvokerFixtures.registry(of: future), InvokerFixtures.start(),
                "RT0013] cannot talk to service endpoint '\(InvokerFixtures.deploymentID)' because its service "
                    + "protocol versions [7, 7] are incompatible with the server's service protocol versions [1, 7]."
            ),
        ]
        for (registry, start, text) in cases {
            let world = InvokerWorld(registry: registry)
            let invoker = world.invoker()
            invoker.startAttempt(start, in: 0)
            let lines = world.takeLines()
            #expect(lines.count == 1 && lines[0].contains(text))
            #expect(world.streams.isEmpty)
        }
    }

    // MARK: - Time

    @Test func `an idle attempt is asked to suspend, and cut off if it does not`() {
        let invoker = started()
        world.stream.accept()
        world.pass(59_999)
        #expect(!world.stream.isFinished)
        invoker.forward(id, epoch: 1, index: 1, type: .signal, payload: [])
        world.pass(59_999)
        #expect(!world.stream.isFinished)
        world.pass(1)
        #expect(world.stream.isFinished && !world.stream.isCancelled)
        world.pass(600_000)
        world.stream.say(
            Sent(SleepCommand(wakeUpTime: Timestamp(millis: 1), resultCompletionID: 1)), Sent(EndMessage()))
        world.pass(4999)
        #expect(world.takeLines() == [])
        #expect(!world.stream.isCancelled)
        world.pass(1)
        #expect(world.takeLines() == [Self.overdue])
        #expect(world.stream.isCancelled)
    }

    private static let overdue =
        "1: failed [500 RT0001] the invocation stream was closed after the 'abort timeout' (10m) fired., retry"

    @Test func `an attempt that is overdue has failed when its response ends, and then only`() {
        let invoker = started()
        world.stream.accept()
        world.pass(660_000)
        #expect(world.takeLines() == [])
        world.stream.attempt.ended()
        #expect(world.takeLines() == [Self.overdue])
        world.pass(10_000)
        #expect(!world.stream.isCancelled)
        invoker.release(id)
        #expect(world.takeLines() == [])
    }

    @Test func `an attempt that is overdue and not wanted any more leaves without a word`() {
        for isKilled in [true, false] {
            let invoker = started()
            world.stream.accept()
            world.pass(660_000)
            if isKilled { invoker.abortAttempt(id) } else { invoker.release(id) }
            #expect(world.stream.isCancelled == isKilled)
            world.pass(5000)
            #expect(world.stream.isCancelled)
            #expect(world.takeLines() == [])
        }
    }

    @Test func `the handler of a paused invocation sees its request end, and may finish the step that it is in`() {
        let invoker = started()
        world.stream.accept()
        invoker.pauseAttempt(id)
        #expect(world.stream.isFinished && !world.stream.isCancelled)
        // As long as after any request's end.
        world.pass(599_999)
        world.stream.say(Sent(ProposeRunCompletionMessage(resultCompletionID: 1, result: .value([]))))
        #expect(world.takeLines() == ["1: proposal of completion 1"])
        world.stream.say(Sent(EndMessage()))
        #expect(world.takeLines() == ["1: ended"])
        world.pass(5000)
        #expect(world.stream.isCancelled)
        #expect(world.takeLines() == [])
    }

    @Test func `the handler of a paused invocation is cut off when its time is over, and its failures are nobody's`() {
        for failure in ["none", "error", "reset", "end", "rubbish"] {
            let invoker = started()
            world.stream.accept()
            invoker.pauseAttempt(id)
            switch failure {
            case "error": world.stream.say(Sent(ErrorMessage(code: 500, message: "boom")))
            case "reset": world.stream.attempt.broke("reset")
            case "end": world.stream.attempt.ended()
            case "rubbish": world.stream.say(Sent(MessageType(rawValue: 0x7777), []))
            default: world.pass(600_000)
            }
            world.pass(5000)
            #expect(world.stream.isCancelled == !["reset", "end"].contains(failure), "\(failure)")
            #expect(world.takeLines() == [])
            #expect(invoker.liveInvocations.isEmpty)
        }
    }

    @Test func `a resume, a kill and the end of the process cut the handler of a paused invocation off`() {
        for operation in ["resume", "kill", "stop"] {
            let invoker = started()
            world.stream.accept()
            invoker.pauseAttempt(id)
            let former = world.stream
            switch operation {
            case "resume": invoker.startAttempt(InvokerFixtures.start(epoch: 3), in: 0)
            case "kill": invoker.abortAttempt(id)
            default: invoker.shutDown()
            }
            #expect(former.isCancelled, "\(operation)")
            #expect(world.takeLines() == [])
        }
    }

    @Test func `an SDK that keeps its response open after its last word is cut off without harm`() {
        let invoker = started()
        world.stream.accept()
        world.stream.say(Sent(EndMessage()))
        _ = world.takeLines()
        invoker.release(id)
        #expect(!world.stream.isCancelled)
        world.pass(5000)
        #expect(world.stream.isCancelled)
        #expect(world.takeLines() == [])
    }

    @Test func `thousands of messages set the alarm a handful of times`() {
        let invoker = started()
        world.stream.accept()
        for index in 1...5000 as ClosedRange<UInt32> {
            invoker.forward(id, epoch: 1, index: index, type: .signal, payload: [])
            world.pass(10)
        }
        #expect(world.alarmCount < 5)
    }

    private func journal(entries: Int, size: Int) -> [(type: MessageType, payload: Bytes)] {
        (0..<entries).map { index in
            let name = String(repeating: "x", count: size)
            return index == 0
                ? (.input, InputCommand(value: Bytes(utf8: name)).payload)
                : (.run, RunCommand(resultCompletionID: UInt32(index), name: name).payload)
        }
    }
}
