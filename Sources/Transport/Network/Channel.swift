import HoldfastWire

/// What a connection's protocol does with its bytes.
protocol ChannelHandler: AnyObject {
    /// The TLS handshake is complete. Not called on cleartext connections.
    func channelSecured(applicationProtocol: String?)
    /// Bytes that are valid only during the call.
    func received(_ bytes: RawSpan)
    /// The output has been written: append more to the channel's output, if there is more.
    func fillOutput()
    /// The output has been written, and `notifyWhenDrained` was set.
    func outputDrained()
    /// The connection is gone. Called once, and not after `Channel.close()`.
    /// - Parameter error: nil when the peer ended its output in an orderly way.
    func channelClosed(_ error: TransportError?)
}

/// A connected socket of a loop, with or without TLS.
///
/// Output is gathered in `output` and written once per turn, at its end. When the socket takes no more, nothing is asked
/// of the handler until it does, so the handler's own limits bound what is buffered.
final class Channel: Flushable {
    let loop: EventLoop
    /// What is to be written. `scheduleFlush` after appending.
    var output = OutputBuffer()
    var handler: (any ChannelHandler)?
    /// Set to have `outputDrained` called once.
    var notifyWhenDrained = false
    /// When bytes last moved in either direction, in the loop's milliseconds.
    private(set) var lastActivity: UInt64

    private let poll: UVPoll
    private var tls: TLSSession?
    private var state = State.open
    private var isReadingPaused = false
    private var isBlocked = false
    private var isFlushScheduled = false
    private var lingerPause = Channel.lingerPauseMilliseconds

    private enum State {
        /// Next: `closing`, `closed`.
        case open
        /// What is buffered is still written. Next: `lingering`, `closed`.
        case closing
        /// Output has ended; input is thrown away until the peer ends it too, so that the peer can read the last answer
        /// before a reset destroys it. Next: `closed`.
        case lingering(LoopTimer, since: UInt64)
        case closed
    }

    /// Bounds of `lingering`: without input, and altogether. Not in bytes: many clients write a whole request before they
    /// read, and a body that is above its limit must pass, or its 413 is lost.
    private static let lingerPauseMilliseconds: UInt64 = 2000
    private static let lingerMilliseconds: UInt64 = 30_000
    /// Instead of `lingerPauseMilliseconds`, for a connection without requests: its peer has read the last answer, and
    /// many clients notice the end of an idle connection only when they use it again.
    private static let idleLingerPauseMilliseconds: UInt64 = 200

    /// Takes over `descriptor`, also when it throws.
    init(loop: EventLoop, descriptor: Int32, tls: TLSSession? = nil) throws(TransportError) {
        self.loop = loop
        self.tls = tls
        SystemSocket.setNoDelay(descriptor)
        poll = try UVPoll(loop.uv, descriptor: descriptor)
        lastActivity = loop.now
    }

    /// Begins to read, and the TLS handshake if there is one.
    func start(_ handler: any ChannelHandler) {
        self.handler = handler
        poll.onEvents = { [unowned self] in handle($0) }
        updateInterest()
        if let tls {
            tls.advanceHandshake()
            scheduleFlush()
        }
    }

    var isOpen: Bool { if case .open = state { true } else { false } }
    var isSecure: Bool { tls != nil }
    /// Whether the socket has taken no more bytes for now.
    var isOutputBlocked: Bool { isBlocked }

    /// The peer's address in numbers.
    var peerAddress: String? { SocketAddress(of: poll.descriptor, peer: true)?.host }

    func pauseReading() {
        isReadingPaused = true
        updateInterest()
    }

    func resumeReading() {
        isReadingPaused = false
        updateInterest()
        // TLS may hold bytes that were read from the socket already.
        if let tls, tls.hasInput {
            let later = LoopBound(self)
            loop.post { later.value.readSecure() }
        }
    }

    /// Writes the output at the end of this turn.
    func scheduleFlush() {
        guard !isFlushScheduled else { return }
        isFlushScheduled = true
        loop.flushAtTurnEnd(self)
    }

    /// Writes what is buffered, ends the output, and closes once the peer has ended its own or some time has passed.
    func closeAfterOutput(isIdle: Bool = false) {
        guard case .open = state else { return }
        state = .closing
        if isIdle { lingerPause = Channel.idleLingerPauseMilliseconds }
        scheduleFlush()
    }

    /// Closes at once. The handler is not called any more.
    func close() {
        if case .closed = state { return }
        if case .lingering(let timer, _) = state { timer.cancel() }
        state = .closed
        poll.close()
        handler = nil
        tls = nil
    }

    // MARK: - Input

    private func handle(_ events: UVPoll.Events) {
        // The socket's events may end the last other reference to this object.
        withExtendedLifetime(self) {
            if events.contains(.readable) { read() }
            if events.contains(.writable), isBlocked {
                isBlocked = false
                flush()
            }
            updateInterest()
        }
    }

    private func read() {
        switch SystemSocket.receive(poll.descriptor, into: loop.uv.readBuffer) {
        case .bytes(0): ended(tls == nil ? nil : .truncated)
        case .bytes(let count):
            lastActivity = loop.now
            deliver(UnsafeRawBufferPointer(rebasing: loop.uv.readBuffer[..<count]).bytes)
        case .wouldBlock: break
        case .failed(let number): ended(.connectionLost(reason: systemText(number)))
        }
    }

    private func deliver(_ bytes: RawSpan) {
        if case .lingering(let timer, let since) = state {
            if loop.now &- since > Channel.lingerMilliseconds { return ended(.inputWhileClosing) }
            return timer.reschedule(after: lingerPause)
        }
        guard let tls else {
            handler?.received(bytes)
            return
        }
        tls.receive(bytes)
        readSecure(tls)
    }

    /// Passes on what TLS has decrypted.
    private func readSecure() { if let tls, !isReadingPaused { readSecure(tls) } }

    private func readSecure(_ tls: TLSSession) {
        if case .handshaking = tls.state {
            tls.advanceHandshake()
            scheduleFlush()
            if case .established(let applicationProtocol) = tls.state {
                handler?.channelSecured(applicationProtocol: applicationProtocol)
            }
        }
        while poll.isOpen, !isReadingPaused, tls.decrypt({ handler?.received($0) }) {}
        // Reading can produce output: session tickets, key updates, alerts.
        if tls.hasOutput { scheduleFlush() }
        switch tls.state {
        case .failed(let reason):
            flush()
            ended(.tls(reason))
        case .ended: ended(nil)
        case .handshaking, .established: break
        }
    }

    private func ended(_ error: TransportError?) {
        guard poll.isOpen else { return }
        let handler = self.handler
        close()
        handler?.channelClosed(error)
    }

    private func updateInterest() {
        guard poll.isOpen else { return }
        var events: UVPoll.Events = []
        if !isReadingPaused { events.insert(.readable) }
        if isBlocked { events.insert(.writable) }
        poll.wait(for: events)
    }

    // MARK: - Output

    func flush() {
        isFlushScheduled = false
        // Bounded, so that one connection with a fast reader does not keep the others waiting.
        for _ in 0..<16 {
            guard poll.isOpen, !isBlocked else { return }
            if case .lingering = state { return }
            if output.isEmpty, tls.map({ $0.isEstablished }) ?? true { handler?.fillOutput() }
            guard poll.isOpen else { return }
            guard let result = writeOnce() else {
                if case .closing = state, output.isEmpty, tls?.shutDown() == true { continue }
                return flushed()
            }
            switch result {
            case .bytes: lastActivity = loop.now
            case .wouldBlock:
                isBlocked = true
                updateInterest()
            case .failed(let number): return outputFailed(.connectionLost(reason: systemText(number)))
            }
        }
        guard poll.isOpen, !isBlocked else { return }
        scheduleFlush()
        loop.requestTurn()
    }

    /// The peer takes no more. It may have sent an answer before, which is read, since it tells more than the error.
    private func outputFailed(_ error: TransportError) {
        loop.requestTurn()
        while poll.isOpen, !isReadingPaused {
            guard case .bytes(let count) = SystemSocket.receive(poll.descriptor, into: loop.uv.readBuffer), count > 0
            else { break }
            deliver(UnsafeRawBufferPointer(rebasing: loop.uv.readBuffer[..<count]).bytes)
        }
        ended(error)
    }

    /// One system call; nil when there is nothing to write.
    private func writeOnce() -> Transfer? {
        if let tls {
            tls.encrypt(&output)
            return tls.output.isEmpty ? nil : transmit(&tls.output)
        }
        return output.isEmpty ? nil : transmit(&output)
    }

    private func transmit(_ buffer: inout OutputBuffer) -> Transfer {
        let result = buffer.withSpan { SystemSocket.transmit(poll.descriptor, $0) }
        guard case .bytes(let count) = result else { return result }
        let isPartial = count < buffer.count
        buffer.removeFirst(count)
        return isPartial ? .wouldBlock : result
    }

    private func flushed() {
        if notifyWhenDrained {
            notifyWhenDrained = false
            handler?.outputDrained()
            loop.requestTurn()
        }
        guard case .closing = state, output.isEmpty, poll.isOpen else { return }
        SystemSocket.shutDownOutput(poll.descriptor)
        let timer = loop.schedule(after: lingerPause) { [weak self] in self?.ended(nil) }
        state = .lingering(timer, since: loop.now)
        isReadingPaused = false
        updateInterest()
    }
}
