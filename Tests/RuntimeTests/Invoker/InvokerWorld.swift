@testable import HoldfastEngine
import HoldfastServiceProtocol
import HoldfastTransport
import HoldfastWire

@testable import HoldfastRuntime

/// A world for one invoker: partitions that remember what they are told, streams that remember what is written, and a
/// clock that stands still until it is moved.
final class InvokerWorld: InvokerDoor, AttemptTransport {
    var registry: Registry
    /// By invocation: what the partition has durable.
    var journals: [InvocationID: [(type: MessageType, payload: Bytes)]] = [:]
    var states: [ObjectID: [(key: Bytes, value: Bytes)]] = [:]
    /// What waits for the disk; nil: everything is durable at once.
    var waitingForDisk: [() -> Void]?
    private(set) var commands: [Command] = []
    private(set) var streams: [Stream] = []
    private(set) var now = Timestamp(millis: 1000)
    private var alarm: (due: Timestamp, ring: () -> Void)?
    private(set) var alarmCount = 0

    var wallClock: Timestamp { Timestamp(millis: 1_760_000_000_000 + now.millis) }

    init(registry: Registry = InvokerFixtures.registry) { self.registry = registry }

    func invoker(_ configure: (inout InvokerSettings) -> Void = { _ in }) -> Invoker {
        var settings = InvokerSettings()
        configure(&settings)
        return Invoker(transport: self, settings: settings, identity: nil, door: self)
    }

    // MARK: - Partitions

    func submit(_ command: Command, to partition: PartitionIndex) { commands.append(command) }

    func journal(
        of id: InvocationID, in partition: PartitionIndex, range: Range<UInt32>, visit: (MessageType, Bytes) -> Bool
    ) throws(StorageError) {
        let journal = journals[id] ?? []
        for index in range where index < journal.count {
            let entry = journal[Int(index)]
            guard visit(entry.type, entry.payload) else { return }
        }
    }

    func state(
        of object: ObjectID, in partition: PartitionIndex, visit: (Bytes, Bytes) -> Bool
    ) throws(StorageError) {
        for entry in states[object] ?? [] {
            guard visit(entry.key, entry.value) else { return }
        }
    }

    func isDurable(_ partition: PartitionIndex) -> Bool { waitingForDisk == nil }

    func whenDurable(_ partition: PartitionIndex, _ leave: @escaping () -> Void) { waitingForDisk?.append(leave) }

    /// All that was visible becomes durable.
    func sync() {
        let waiting = waitingForDisk ?? []
        waitingForDisk = nil
        for leave in waiting { leave() }
    }

    /// The commands since the last time, as lines.
    func takeLines() -> [String] {
        defer { commands.removeAll() }
        return commands.flatMap { command in
            switch command {
            case .attempt(let report):
                report.messages.map { message in
                    switch message {
                    case .command(let command, _, _, _): "\(report.epoch): \(command.type)"
                    case .proposal(let notification): "\(report.epoch): proposal of \(notification.id)"
                    case .suspended(_, let sent): "\(report.epoch): suspended, \(sent) sent"
                    case .ended: "\(report.epoch): ended"
                    case .failed(let failure, let next):
                        "\(report.epoch): failed [\(failure.code) \(failure.documentedCode ?? "")] "
                            + "\(failure.message), \(Self.text(next))"
                    }
                }
            case .startAttempt(_, let epoch): ["start \(epoch)"]
            default: ["\(command)"]
            }
        }
    }

    private static func text(_ next: AfterFailure) -> String {
        guard case .retryStored(let backOff) = next else { return "\(next)" }
        return "stored after \(backOff.attempts)"
    }

    func takeCommands() -> [Command] {
        defer { commands.removeAll() }
        return commands
    }

    // MARK: - Transport

    /// What one attempt was sent, and how to answer it.
    final class Stream: AttemptStream {
        let head: HTTPRequestHead
        let attempt: Attempt
        /// Bytes that are taken before it says that it is full.
        var room = Int.max
        private(set) var isFinished = false
        private(set) var isCancelled = false
        private var reader = FrameReader(limit: 1 << 30)

        init(_ head: HTTPRequestHead, _ attempt: Attempt) {
            self.head = head
            self.attempt = attempt
        }

        func write(_ bytes: [UInt8]) -> Bool {
            reader.append(bytes[...])
            room -= bytes.count
            return room > 0
        }

        func finish() { isFinished = true }
        func cancel() { isCancelled = true }

        /// What was sent since the last time.
        func takeFrames() -> [Frame] {
            var frames: [Frame] = []
            while let frame = try? reader.next() { frames.append(frame) }
            return frames
        }

        func takeTypes() -> [MessageType] { takeFrames().map(\.type) }

        func accept(_ version: ProtocolVersion = .v6) {
            attempt.headArrived(
                status: 200, contentType: version.contentType, retryAfter: nil, server: "restate-sdk-x/1")
        }

        func say(_ sent: Sent...) {
            var bytes: [UInt8] = []
            for message in sent {
                writeFrame(type: message.type, flags: message.flags, payload: message.payload, into: &bytes)
            }
            attempt.arrived(bytes[...])
        }
    }

    var stream: Stream {
        guard let last = streams.last else { preconditionFailure("an attempt was opened") }
        return last
    }

    func open(_ head: HTTPRequestHead, to deployment: Deployment, for attempt: Attempt) -> any AttemptStream {
        let stream = Stream(head, attempt)
        stream.room = roomOfNewStreams
        streams.append(stream)
        return stream
    }

    var roomOfNewStreams = Int.max

    // MARK: - Time

    func setAlarm(after milliseconds: UInt64, _ ring: @escaping () -> Void) {
        alarmCount += 1
        alarm = (now.advanced(by: milliseconds), ring)
    }

    func cancelAlarm() { alarm = nil }

    func pass(_ milliseconds: UInt64) {
        let end = now.advanced(by: milliseconds)
        while let next = alarm, next.due <= end {
            now = max(now, next.due)
            alarm = nil
            next.ring()
        }
        now = end
    }
}

extension InvokerFixtures {
    static func start(
        _ id: InvocationID = id, epoch: UInt32 = 1, target: InvocationTarget? = nil, pinned: PinnedDeployment? = nil,
        journalLength: UInt32 = 1, commandCount: UInt32 = 1, input: Bytes? = InputCommand(value: []).payload,
        isNewSeries: Bool = true, behind backOff: BackOff? = nil
    ) -> AttemptStart {
        AttemptStart(
            id: id, epoch: epoch,
            target: target ?? InvocationTarget(service: "Greeter", handler: "greet", kind: .service),
            pinned: pinned, journalLength: journalLength, commandCount: commandCount, input: input,
            modified: Timestamp(millis: 1_760_000_000_900), idempotencyKey: nil, limitKey: nil,
            isNewSeries: isNewSeries, backOff: backOff)
    }

    static func id(_ number: Int) -> InvocationID { InvocationID(partitionKey: 7, uuid: UInt128(number)) }
}
