import HoldfastEngine
import HoldfastServiceProtocol
import HoldfastTransport
import HoldfastWire

/// One execution of an invocation on a deployment: one HTTP exchange.
///
///     held ──▶ open ─────▶ halfClosed, finishing ──▶ draining, overdue ──▶ closed
///      the journal, then    the request has           the SDK has said its last word, has
///      what is new; the     ended: the SDK is to      failed or is not wanted any more:
///      SDK's messages       suspend or to end         nothing that comes counts
///
/// It lives on one event loop. What the SDK says in one chunk reaches the partition as one report.
final class Attempt {
    private enum Phase: Equatable {
        /// The first bytes wait until the state in them is durable. Next: `open`, `closed`.
        case held
        case open
        case halfClosed
        /// The invocation is paused: of what the SDK says only the results of steps count.
        case finishing
        case draining
        /// The abort timeout has passed. That counts when the response has ended: the next attempt does not begin
        /// while the handler of this one finishes what it is in.
        case overdue(AttemptError)
        case closed
    }

    /// How long an SDK may take to end its response when nothing that it says counts any more, in milliseconds.
    private static let drainTimeout: UInt64 = 5000
    /// How much of the journal is read before it is handed to the connection, in bytes.
    private static let pieceSize = 64 << 10

    let series: AttemptSeries
    let start: AttemptStart
    let pin: PinnedDeployment
    let retryPolicy: RetryPolicy
    /// `x-restate-server` of the answer.
    private(set) var server: String?
    /// Where the invoker keeps it.
    var place = 0

    private unowned let invoker: Invoker
    private let uri: String
    private let inactivityTimeout: UInt64
    private let abortTimeout: UInt64
    private var phase = Phase.open
    private var stream: (any AttemptStream)?
    private var hasHead = false
    /// Whether the connection takes more; false until it says so.
    private var isWritable = true
    private var replay: Replay
    private var intake: MessageIntake
    /// Commands whose acknowledgement did not find room.
    private var waitingAcks: [UInt32] = []
    /// When something was last sent or received, by the loop's clock.
    private var lastActivity: Timestamp
    /// When something was last received, or the request ended.
    private var lastReceived: Timestamp
    private var warnedSize: Int
    /// Bytes that the deployment has not taken yet, and bytes of messages that have not arrived completely.
    private var memory = (outgoing: 0, incoming: 0)

    init(_ series: AttemptSeries, _ start: AttemptStart, on route: AttemptRoute, by invoker: Invoker) {
        self.series = series
        self.start = start
        self.invoker = invoker
        pin = route.pin
        let defaults = invoker.door.registry.defaults
        retryPolicy = route.handler?.retryPolicy ?? defaults.retryPolicy
        uri = route.deployment.address.description
        inactivityTimeout = route.inactivityTimeout(defaults)
        abortTimeout = route.abortTimeout(defaults)
        replay = Replay(length: start.journalLength)
        intake = MessageIntake(
            kind: start.target.kind, version: route.version, commandCount: start.commandCount,
            messageSizeLimit: invoker.settings.messageSizeLimit)
        lastActivity = invoker.now
        lastReceived = lastActivity
        warnedSize = invoker.settings.messageSizeWarning
    }

    /// Whether the invocation goes on by what the attempt says.
    var isLive: Bool { phase == .open || phase == .halfClosed }

    /// Whether anything counts that the attempt says.
    private var isHeard: Bool { isLive || phase == .finishing }

    /// What the SDK last said that it waits for.
    var awaitingOn: Future? { intake.awaitingOn }

    // MARK: - Begin

    /// Opens the exchange, and sends Start and as much of the journal as there is room for.
    func begin(on route: AttemptRoute) throws(AttemptError) {
        let message = try startMessage(on: route)
        let head: HTTPRequestHead
        do {
            head = try HTTPRequestHead(
                attempt: start, id: message.debugID, to: route.deployment, version: route.version,
                identity: invoker.identity, additionalHeaders: invoker.settings.additionalHeaders,
                now: invoker.wallClock)
        } catch {
            throw .unsigned(error)
        }
        var buffer: [UInt8] = []
        buffer.reserveCapacity(256 + (start.input?.count ?? 0) + start.target.key.utf8.count)
        writeFrame(message, into: &buffer)
        try checkSize(buffer.count - FrameHeader.size)
        if let input = start.input, start.journalLength == 1 {
            try write(.input, input, to: &buffer)
            replay.wrote(0)
        } else {
            try fill(&buffer)
        }
        guard recount(outgoing: buffer.count, incoming: 0) else {
            throw .memoryExhausted(limit: invoker.settings.memoryLimit).beforeSDK
        }
        // A shared handler may see what an exclusive one has just written: it may not act on what a crash takes back.
        let hasState = !message.isStatePartial || !message.stateMap.isEmpty
        guard !hasState || !start.target.kind.isStateShared || invoker.door.isDurable(series.partition) else {
            phase = .held
            let deployment = route.deployment
            return invoker.door.whenDurable(series.partition) { [self] in
                guard phase == .held else { return }
                phase = .open
                open(head, to: deployment, sending: buffer)
                invoker.watch(self)
            }
        }
        open(head, to: route.deployment, sending: buffer)
    }

    private func open(_ head: HTTPRequestHead, to deployment: Deployment, sending buffer: [UInt8]) {
        stream = invoker.transport.open(head, to: deployment, for: self)
        send(buffer)
        pump()
    }

    private func startMessage(on route: AttemptRoute) throws(AttemptError) -> StartMessage {
        let state = try eagerState(isLazy: route.handler?.isLazyState ?? false)
        let isVersion7 = route.version >= .v7
        return StartMessage(
            id: start.id, knownEntries: start.journalLength, stateMap: state.entries,
            isStatePartial: state.isPartial, key: start.target.key,
            retryCount: series.machine.failuresSinceLastEntry,
            millisSinceLastEntry: invoker.wallClock.milliseconds(since: start.modified),
            randomSeed: start.randomSeed ?? randomSeed(of: start.id), scope: isVersion7 ? start.target.scope : nil,
            limitKey: isVersion7 ? start.limitKey : nil, idempotencyKey: isVersion7 ? start.idempotencyKey : nil)
    }

    private func eagerState(isLazy: Bool) throws(AttemptError) -> EagerState {
        // The message around the state has to fit as well.
        let limit = min(invoker.settings.eagerStateSizeLimit, invoker.settings.messageSizeLimit / 8 * 7)
        guard start.target.kind.isKeyed, !isLazy, limit > 0 else { return EagerState() }
        return try EagerState(of: start.target.object, in: series.partition, limit: limit, from: invoker.door)
    }

    // MARK: - To the SDK

    /// A journal entry is durable that the attempt has to hear of.
    func forward(index: UInt32, type: MessageType, payload: Bytes) {
        guard phase == .open || phase == .held, replay.learned(of: index), phase == .open, isWritable else { return }
        var buffer: [UInt8] = []
        buffer.reserveCapacity(payload.count + FrameHeader.size)
        do {
            try writeEntry(type, payload, isReplayed: false, to: &buffer)
            replay.wrote(index)
            send(buffer)
        } catch {
            cutOff(error)
        }
    }

    /// A command is durable whose SDK asked to be told.
    func acknowledge(commandIndex: UInt32) {
        guard phase == .open else { return }
        waitingAcks.append(commandIndex)
        pump()
    }

    /// There is room again.
    func becameWritable() {
        isWritable = true
        _ = recount(outgoing: 0, incoming: memory.incoming)
        pump()
    }

    /// Writes what is left of the journal while there is room; ends a request that has nothing more to say.
    private func pump() {
        guard phase == .open else { return }
        do throws(AttemptError) {
            while isWritable, !replay.isComplete {
                var buffer: [UInt8] = []
                try fill(&buffer)
                send(buffer)
            }
        } catch {
            cutOff(error)
            return
        }
        guard isWritable else { return }
        if !waitingAcks.isEmpty {
            var buffer: [UInt8] = []
            for index in waitingAcks { writeFrame(CommandAckMessage(commandIndex: index), into: &buffer) }
            waitingAcks.removeAll()
            send(buffer)
        }
        if inactivityTimeout == 0 { endRequest() }
    }

    private func fill(_ buffer: inout [UInt8]) throws(AttemptError) {
        let source = Replay.Source(door: invoker.door, id: start.id, partition: series.partition)
        try replay.fill(&buffer, to: Self.pieceSize, from: source) {
            (type, payload, isReplayed, buffer) throws(AttemptError) in
            try writeEntry(type, payload, isReplayed: isReplayed, to: &buffer)
        }
    }

    /// The SDK of version 7 asks to hear of its own step's result only that it is durable.
    private func writeEntry(
        _ type: MessageType, _ payload: Bytes, isReplayed: Bool, to buffer: inout [UInt8]
    ) throws(AttemptError) {
        if type == .runCompletion, pin.version >= .v7, !isReplayed,
            case .completion(let step)? = (try? Notification(type: type, payload: payload))?.id,
            intake.takesAcknowledgement(ofStep: step)
        {
            writeFrame(ProposeRunCompletionAckMessage(completionID: step), into: &buffer)
        } else {
            try write(type, payload, to: &buffer)
        }
    }

    private func write(_ type: MessageType, _ payload: Bytes, to buffer: inout [UInt8]) throws(AttemptError) {
        try checkSize(payload.count)
        writeFrame(type: type, payload: payload, into: &buffer)
    }

    private func checkSize(_ size: Int) throws(AttemptError) {
        let limit = invoker.settings.messageSizeLimit
        guard size <= limit else { throw .messageTooLarge(size, limit: limit) }
    }

    private func send(_ buffer: [UInt8]) {
        guard !buffer.isEmpty, let stream else { return }
        isWritable = stream.write(buffer)
        lastActivity = invoker.now
        // No more is written until there is room again: that much is always taken.
        _ = recount(outgoing: isWritable ? 0 : buffer.count, incoming: memory.incoming)
    }

    /// Half-closes the request: the SDK is to suspend, or may end.
    private func endRequest() {
        guard phase == .open else { return }
        phase = .halfClosed
        lastReceived = invoker.now
        stream?.finish()
        invoker.watch(self)
    }

    /// - Returns: False if there is no room for it.
    private func recount(outgoing: Int, incoming: Int) -> Bool {
        let old = memory.outgoing + memory.incoming
        memory = (outgoing, incoming)
        return old == outgoing + incoming || invoker.memory.changed(from: old, to: outgoing + incoming)
    }

    // MARK: - From the SDK

    /// The head of the response has come: it is checked before any message is read (protocol §2).
    func headArrived(status: Int, contentType: String?, retryAfter: String?, server: String?) {
        guard isHeard, !hasHead else { return }
        hasHead = true
        self.server = server
        lastReceived = invoker.now
        if let error = fault(status: status, contentType: contentType, retryAfter: retryAfter) { fail(error) }
    }

    private func fault(status: Int, contentType: String?, retryAfter: String?) -> AttemptError? {
        switch status {
        case 200...299:
            let expected = pin.version.contentType
            return contentType == expected ? nil : .contentType(contentType, expected: expected)
        case 502, 504: return .unavailable(status: status)
        case 429, 503:
            let delay = retryAfter.flatMap { RetryAfter.milliseconds($0, now: invoker.wallClock) }
            return .rateLimited(status: status, retryAfter: delay)
        case 415: return .versionRefused(Int(pin.version.rawValue))
        case 413: return .contentTooLarge
        default: return .status(status)
        }
    }

    /// Bytes of the response have come.
    func arrived(_ chunk: Bytes) {
        guard isHeard, hasHead else { return }
        lastReceived = invoker.now
        lastActivity = lastReceived
        let commandCount = intake.commandIndex
        var messages: [AttemptMessage] = []
        let surroundings = MessageIntake.Surroundings(
            resolver: CalleeResolver(registry: invoker.door.registry, scopes: invoker.settings.scopes),
            now: invoker.wallClock, entriesSent: replay.next, futureDepthLimit: invoker.settings.futureDepthLimit)
        let outcome = intake.read(chunk, surroundings, random: &invoker.random, into: &messages)
        if intake.commandIndex != commandCount { series.machine.gotCommand() }
        warnOfLargeMessages()
        let hasRoom = recount(outgoing: memory.outgoing, incoming: intake.bufferedCount)
        switch outcome {
        case .open where !hasRoom: cutOff(.memoryExhausted(limit: invoker.settings.memoryLimit), after: messages)
        case .open:
            if !messages.isEmpty { invoker.report(messages, of: self) }
        case .ended, .suspended:
            series.machine.finished()
            finish(saying: messages)
        case .failed(let error): fail(error, after: messages)
        case .violated(let error): cutOff(error, after: messages)
        }
    }

    private func warnOfLargeMessages() {
        guard intake.largest.size >= warnedSize else { return }
        warnedSize = intake.largest.size + 1
        Log.warn(
            "An SDK sent a large message.",
            [
                "invocation": start.id, "deployment": pin.deployment, "message": intake.largest.type,
                "bytes": intake.largest.size,
            ])
    }

    // MARK: - End

    /// The attempt failed by the word of the SDK or its server, whose response may run out.
    private func fail(_ error: AttemptError, after messages: [AttemptMessage] = []) {
        guard isLive else { return finish(saying: messages) }
        drain()
        invoker.attemptFailed(self, error, after: messages)
    }

    /// The attempt failed, and the SDK does not know it: its handler is stopped by cutting it off.
    private func cutOff(_ error: AttemptError, after messages: [AttemptMessage] = []) {
        guard isHeard else { return }
        if isLive {
            invoker.attemptFailed(self, error, after: messages)
        } else {
            finish(saying: messages)
        }
        abort()
    }

    /// The attempt has said its last word, or the last one that counts.
    private func finish(saying messages: [AttemptMessage]) {
        guard isHeard else { return }
        drain()
        if !messages.isEmpty { invoker.report(messages, of: self) }
        invoker.attemptIsOver(self)
    }

    /// Ends the request, which most SDKs wait for, and drops what still comes.
    private func drain(_ ending: Phase = .draining) {
        let wasOpen = phase == .open
        phase = ending
        lastReceived = invoker.now
        if wasOpen { stream?.finish() }
        invoker.watch(self)
    }

    /// Nothing that it says counts any more, but its handler did no wrong: the SDK sees a request that ends, as when it
    /// is to suspend.
    func dismiss() {
        switch phase {
        case .open, .halfClosed, .finishing: finish(saying: [])
        case .overdue:
            phase = .draining
            invoker.attemptIsOver(self)
        case .held: abort()
        case .draining, .closed: break
        }
    }

    /// The invocation is paused: the request ends, as when the SDK is to suspend, and it may finish the steps that it is in.
    func finishSteps() {
        if isLive { drain(.finishing) } else { dismiss() }
    }

    /// Cuts the attempt off. Nothing that it says counts any more.
    func abort() {
        guard phase != .closed else { return }
        // Whoever cuts it off does not ask what became of it.
        if case .overdue = phase { phase = .draining }
        cancel()
    }

    private func cancel() {
        stream?.cancel()
        close()
    }

    /// The response has ended.
    func ended() {
        guard phase != .closed else { return }
        if isLive { invoker.attemptFailed(self, .endedWithoutMessage) }
        close()
    }

    /// The exchange could not begin, or broke.
    func broke(_ reason: String) {
        guard phase != .closed else { return }
        if isLive { invoker.attemptFailed(self, hasHead ? .reset(reason) : .connection(uri: uri, reason)) }
        close()
    }

    /// The endpoint did not take the request: it drains, has all the streams that it wants, or had closed the connection.
    func refused(_ reason: String, retryAfter: UInt64 = 250) {
        guard phase != .closed else { return }
        if isLive { invoker.attemptFailed(self, .refused(uri: uri, reason, retryAfter: retryAfter)) }
        close()
    }

    private func close() {
        let former = phase
        phase = .closed
        if case .overdue(let error) = former { invoker.attemptFailed(self, error) }
        _ = recount(outgoing: 0, incoming: 0)
        stream = nil
        invoker.exchangeIsOver(self)
    }

    // MARK: - Time

    /// When something has to be done if nothing happens before, by the loop's clock.
    var deadline: Timestamp {
        switch phase {
        case .open where replay.isComplete: lastActivity.advanced(by: inactivityTimeout)
        // Nothing can be asked of an SDK that does not even read the journal.
        case .open: lastActivity.advanced(by: inactivityTimeout).advanced(by: abortTimeout)
        case .halfClosed, .finishing: lastReceived.advanced(by: abortTimeout)
        case .draining, .overdue: lastReceived.advanced(by: Self.drainTimeout)
        case .held, .closed: .distantFuture
        }
    }

    /// The deadline has passed.
    func deadlinePassed() {
        switch phase {
        case .open where replay.isComplete: endRequest()
        case .open, .halfClosed: drain(.overdue(.abortTimeout(abortTimeout)))
        case .finishing: dismiss()
        case .draining, .overdue: cancel()
        case .held, .closed: break
        }
    }
}
