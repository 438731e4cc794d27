import CHoldfastUV

/// Tells when a file descriptor can be read or written. The descriptor is owned, and closed with this object.
///
/// The handle's memory belongs to libuv from `uv_close` on, and is freed by its close callback. Until then `data` is
/// this object; `close()` clears it, and `deinit` calls `close()`, so no callback can meet an object that is gone.
final class UVPoll {
    /// What to wait for, or what has come.
    struct Events: OptionSet {
        let rawValue: Int32
        static let readable = Events(rawValue: Int32(UV_READABLE.rawValue))
        static let writable = Events(rawValue: Int32(UV_WRITABLE.rawValue))
    }

    /// Called on the loop's thread. Errors of the socket appear as both events: the next read or write tells which.
    var onEvents: (Events) -> Void = { _ in }
    private(set) var descriptor: Int32
    private(set) var events: Events = []
    private var handle: UnsafeMutablePointer<uv_poll_t>?

    /// Takes over `descriptor` also when it throws.
    init(_ loop: UVLoop, descriptor: Int32) throws(TransportError) {
        self.descriptor = descriptor
        let handle = UnsafeMutablePointer<uv_poll_t>.allocate(capacity: 1)
        let status = loop.isClosed ? Int32(UV_ECANCELED.rawValue) : uv_poll_init(loop.raw, handle, descriptor)
        guard status == 0 else {
            handle.deallocate()
            systemClose(descriptor)
            self.descriptor = -1
            throw .eventLoop(reason: UVLoop.text(status))
        }
        handle.pointee.data = Unmanaged.passUnretained(self).toOpaque()
        self.handle = handle
    }

    deinit { close() }

    var isOpen: Bool { handle != nil }

    /// Waits for exactly these events from now on.
    func wait(for wanted: Events) {
        guard let handle, wanted != events else { return }
        events = wanted
        if wanted.isEmpty {
            uv_poll_stop(handle)
        } else {
            uv_poll_start(handle, wanted.rawValue) { handle, status, events in
                guard let poll = UVPoll.from(handle?.pointee.data) else { return }
                if status < 0 {
                    // libuv stops a handle that reports an error; the owner reads, learns why, and waits again or not.
                    poll.events = []
                    poll.onEvents([.readable, .writable])
                } else {
                    poll.onEvents(Events(rawValue: events))
                }
            }
        }
    }

    func close() {
        guard let handle else { return }
        self.handle = nil
        handle.pointee.data = nil
        onEvents = { _ in }
        UnsafeMutableRawPointer(handle).withMemoryRebound(to: uv_handle_t.self, capacity: 1) {
            uv_close($0) { UnsafeMutableRawPointer($0)?.deallocate() }
        }
        // libuv forgets the descriptor in `uv_close`, so it may be closed at once.
        systemClose(descriptor)
        descriptor = -1
    }

    /// Gives the descriptor back to the caller, who owns it from now on, and closes only the handle.
    func release() -> Int32 {
        let released = descriptor
        descriptor = -1
        close()
        return released
    }

    static func from(_ data: UnsafeMutableRawPointer?) -> UVPoll? {
        data.map { Unmanaged<UVPoll>.fromOpaque($0).takeUnretainedValue() }
    }
}
