import HoldfastServiceProtocol
import HoldfastWire

/// What a handler of the deployment does.
enum HandlerScript {
    case echo, writeState, threeSteps, sleep

    init?(path: String) {
        switch path {
        case "/invoke/Bench/echo": self = .echo
        case "/invoke/Account/add": self = .writeState
        case "/invoke/Steps/run": self = .threeSteps
        case "/invoke/Sleeper/sleep": self = .sleep
        default: return nil
        }
    }
}

/// One attempt: reads the journal, goes on where it ends, and answers.
final class HandlerAttempt {
    private static let stepCount = 3
    private static let wakeUpTime = Timestamp(millis: 4_102_444_800_000)

    private let script: HandlerScript
    private let version: ProtocolVersion
    private var reader = FrameReader(limit: 32 << 20)
    /// Entries of the journal that are still to be replayed; nil before the start.
    private var entriesToReplay: UInt32?
    private var input: Bytes = []
    private var stepsBegun = 0
    private var stepsDone = 0
    private var sleeps = false
    private var hasEnded = false

    init(script: HandlerScript, version: ProtocolVersion) {
        self.script = script
        self.version = version
    }

    /// Takes a chunk of the request; returns what to send.
    func read(_ chunk: Bytes) -> [UInt8] {
        reader.append(chunk)
        var output: [UInt8] = []
        while let frame = try? reader.next() {
            if case .start = frame.type {
                entriesToReplay = (try? StartMessage(decoding: frame.payload))?.knownEntries
                continue
            }
            take(frame)
            if let left = entriesToReplay, left > 0 { entriesToReplay = left - 1 }
            if entriesToReplay == 0, !hasEnded { goOn(&output) }
        }
        return output
    }

    private func take(_ frame: Frame) {
        switch frame.type {
        case .input: input = (try? InputCommand(decoding: frame.payload))?.value ?? []
        case .run: stepsBegun += 1
        case .runCompletion: stepsDone += 1
        case .sleep: sleeps = true
        default: break
        }
    }

    private func goOn(_ output: inout [UInt8]) {
        switch script {
        case .echo: end(with: input, &output)
        case .writeState:
            writeFrame(SetStateCommand(key: Bytes(utf8: "balance"), value: input), into: &output)
            end(with: input, &output)
        case .threeSteps:
            if stepsDone == Self.stepCount { return end(with: input, &output) }
            guard stepsBegun == stepsDone else { return }
            stepsBegun += 1
            let step = UInt32(stepsBegun)
            writeFrame(RunCommand(resultCompletionID: step, name: "step"), into: &output)
            let result = Completion.value(Bytes(utf8: "\"done\""))
            writeFrame(ProposeRunCompletionMessage(resultCompletionID: step, result: result), into: &output)
        case .sleep:
            if !sleeps {
                writeFrame(SleepCommand(wakeUpTime: Self.wakeUpTime, resultCompletionID: 1), into: &output)
            }
            suspend(&output)
        }
    }

    private func suspend(_ output: inout [UInt8]) {
        hasEnded = true
        var payload: [UInt8] = []
        SuspensionMessage(awaitingOn: .leaf(.completion(1))).encode(version: version, into: &payload)
        writeFrame(type: .suspension, payload: payload[...], into: &output)
        Deployment.suspensionCount.add(1, ordering: .relaxed)
    }

    private func end(with value: Bytes, _ output: inout [UInt8]) {
        hasEnded = true
        writeFrame(OutputCommand(result: .value(value)), into: &output)
        writeFrame(EndMessage(), into: &output)
    }
}
