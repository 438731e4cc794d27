import CHoldfastUV

/// The C event loop: one `uv_loop_t` with the handles that every loop has.
///
/// The memory of the handles belongs to this object. It is freed by `close()`, after libuv has let go of every handle,
/// so no callback can meet a freed object: `data` of each handle is this object, which outlives `close()`.
/// Everything but `wake()` is called on the thread that runs the loop, or before and after it runs.
final class UVLoop {
    /// Called on the loop's thread after `wake()`; several calls of `wake()` may be one call of this.
    var onWake: () -> Void = {}
    /// Called after timers, input and output of a turn were handled, before the loop blocks.
    var onTurnEnd: () -> Void = {}
    /// Called when the time that `armTimer` set has come.
    var onTimer: () -> Void = {}

    let raw: UnsafeMutablePointer<uv_loop_t>
    /// Where sockets read into. What was read is used up before the next read of the loop.
    let readBuffer: UnsafeMutableRawBufferPointer

    private let wakeHandle: UnsafeMutablePointer<uv_async_t>
    private let turnEndHandle: UnsafeMutablePointer<uv_prepare_t>
    private let timerHandle: UnsafeMutablePointer<uv_timer_t>
    private(set) var isClosed = false

    init() throws(TransportError) {
        raw = .allocate(capacity: 1)
        let status = uv_loop_init(raw)
        guard status == 0 else {
            raw.deallocate()
            throw .eventLoop(reason: UVLoop.text(status))
        }
        readBuffer = .allocate(byteCount: 65_536, alignment: 16)
        wakeHandle = .allocate(capacity: 1)
        turnEndHandle = .allocate(capacity: 1)
        timerHandle = .allocate(capacity: 1)
        let myself = Unmanaged.passUnretained(self).toOpaque()
        let wakeStatus = uv_async_init(raw, wakeHandle) { UVLoop.from($0?.pointee.data)?.onWake() }
        guard wakeStatus == 0 else {
            // `deinit` runs also now, and finds nothing left to do.
            isClosed = true
            uv_loop_close(raw)
            raw.deallocate()
            readBuffer.deallocate()
            wakeHandle.deallocate()
            turnEndHandle.deallocate()
            timerHandle.deallocate()
            throw .eventLoop(reason: UVLoop.text(wakeStatus))
        }
        wakeHandle.pointee.data = myself
        // Initialising and starting these two cannot fail: they only link the handle into the loop's lists.
        uv_prepare_init(raw, turnEndHandle)
        turnEndHandle.pointee.data = myself
        uv_prepare_start(turnEndHandle) { UVLoop.from($0?.pointee.data)?.onTurnEnd() }
        uv_timer_init(raw, timerHandle)
        timerHandle.pointee.data = myself
    }

    deinit { close() }

    /// Monotonic milliseconds, as of the beginning of the turn.
    var now: UInt64 { isClosed ? 0 : uv_now(raw) }

    /// Handles events until `stop()`.
    func run() { uv_run(raw, UV_RUN_DEFAULT) }

    /// Lets `run()` return at the end of this turn.
    func stop() { uv_stop(raw) }

    /// Makes the loop call `onWake`. From any thread; the caller makes sure that the loop is not closed.
    func wake() { uv_async_send(wakeHandle) }

    /// Calls `onTimer` once, `milliseconds` from the beginning of this turn; replaces an earlier time.
    func armTimer(after milliseconds: UInt64) {
        guard !isClosed else { return }
        uv_timer_start(timerHandle, { UVLoop.from($0?.pointee.data)?.onTimer() }, milliseconds, 0)
    }

    func disarmTimer() { if !isClosed { uv_timer_stop(timerHandle) } }

    /// Closes every handle, also those of sockets that are still open, and frees the loop.
    func close() {
        guard !isClosed else { return }
        isClosed = true
        onWake = {}
        onTurnEnd = {}
        onTimer = {}
        uv_walk(
            raw,
            { handle, _ in
                guard let handle, uv_is_closing(handle) == 0 else { return }
                if handle.pointee.type == UV_POLL {
                    UVPoll.from(handle.pointee.data)?.close()
                } else {
                    uv_close(handle, nil)
                }
            }, nil)
        // Runs the close callbacks, which free the memory of polls, and waits for look-ups of names that are under way.
        while uv_run(raw, UV_RUN_DEFAULT) != 0 {}
        uv_loop_close(raw)
        wakeHandle.deallocate()
        turnEndHandle.deallocate()
        timerHandle.deallocate()
        raw.deallocate()
        readBuffer.deallocate()
    }

    /// The system's words for a negative libuv status.
    static func text(_ status: Int32) -> String { String(cString: uv_strerror(status)) }

    private static func from(_ data: UnsafeMutableRawPointer?) -> UVLoop? {
        data.map { Unmanaged<UVLoop>.fromOpaque($0).takeUnretainedValue() }
    }
}
