import CHoldfastNGHTTP2
import HoldfastWire

/// What a session tells its connection. Called while the session reads or writes; the session may be given work from
/// inside these calls, but neither `receive` nor `fill`.
protocol HTTP2SessionOwner: AnyObject {
    /// A head, or lines behind a body (trailers).
    func session(received block: HTTP2HeaderBlock, stream: Int32, endsStream: Bool)
    func session(received data: Bytes, stream: Int32)
    /// The peer sends no more on the stream.
    func sessionInputEnded(stream: Int32)
    /// The last frame that this side sends on the stream was written.
    func sessionOutputEnded(stream: Int32)
    /// The stream is gone. Everything that is known about it can be forgotten.
    func sessionClosed(stream: Int32, code: UInt32)
    /// A frame that costs its sender nothing: RST_STREAM, SETTINGS, PING, empty DATA.
    func sessionReceivedControlFrame()
    func sessionReceivedSettings()
    func sessionReceivedPingAnswer()
    func sessionReceivedGoAway(code: UInt32)
    /// The bytes to be sent on the stream; nil when there is no such stream.
    func sessionBody(stream: Int32) -> (count: Int, isEnded: Bool)?
    func sessionMoveBody(_ count: Int, stream: Int32, to output: inout OutputBuffer)
}

/// An HTTP/2 connection's state: one `nghttp2_session`, without a socket.
///
/// Its memory is owned here and freed in `deinit`. `user_data` is this object, which outlives the C session; pointers
/// that callbacks get are copied before they return. The owner is not owned.
final class HTTP2Session {
    /// What this side announces in its first SETTINGS.
    struct Settings {
        /// A client says that it wants no pushed streams.
        var refusesPush = false
        var maxConcurrentStreams: Int?
        var maxHeaderListBytes: Int?
        var streamWindowBytes: Int
        var connectionWindowBytes: Int
        var maxFrameBytes = 16_384
        /// Names and values of a head, counted with 32 bytes per line; above it, lines are dropped and the block is
        /// marked.
        var headerLimit: Int
    }

    enum Role { case server, client }

    unowned let owner: any HTTP2SessionOwner
    private let raw: OpaquePointer
    private let headerLimit: Int
    private var block = HTTP2HeaderBlock()
    private var output = OutputBuffer()

    /// What one `fill` gathers before it lets the socket have it.
    private static let fillBytes = 131_072

    init(_ role: Role, settings: Settings, owner: any HTTP2SessionOwner) throws(TransportError) {
        self.owner = owner
        headerLimit = settings.headerLimit
        raw = try HTTP2Session.make(role)
        nghttp2_session_set_user_data(raw, Unmanaged.passUnretained(self).toOpaque())
        announce(settings)
    }

    deinit { nghttp2_session_del(raw) }

    // MARK: - Input and output

    /// Takes bytes from the peer.
    /// - Returns: Why the connection cannot go on; nil when it can, or when a GOAWAY that says so waits to be sent.
    func receive(_ bytes: RawSpan) -> TransportError? {
        let status = bytes.withUnsafeBytes {
            nghttp2_session_mem_recv(raw, $0.baseAddress?.assumingMemoryBound(to: UInt8.self), $0.count)
        }
        return status < 0 ? .http2(reason: HTTP2Session.text(Int32(truncatingIfNeeded: status))) : nil
    }

    /// Moves frames that wait to an empty `target`.
    func fill(_ target: inout OutputBuffer) -> TransportError? {
        swap(&output, &target)
        defer { swap(&output, &target) }
        while output.count < HTTP2Session.fillBytes {
            var start: UnsafePointer<UInt8>?
            let count = nghttp2_session_mem_send(raw, &start)
            if count < 0 { return .http2(reason: HTTP2Session.text(Int32(truncatingIfNeeded: count))) }
            // DATA frames go to the output in a callback, and do not count here.
            guard count > 0 else { break }
            output.append(UnsafeRawBufferPointer(start: start, count: count).bytes)
        }
        return nil
    }

    var hasOutput: Bool { nghttp2_session_want_write(raw) != 0 }
    /// Nothing is to be read or written any more.
    var isOver: Bool { nghttp2_session_want_read(raw) == 0 && nghttp2_session_want_write(raw) == 0 }
    /// How many streams the peer allows; unlimited until its SETTINGS have arrived.
    var peerMaxStreams: Int {
        Int(nghttp2_session_get_remote_settings(raw, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS))
    }

    // MARK: - Streams

    /// Answers a request. With a body, its bytes are asked of the owner.
    func respond(_ head: HTTPResponseHead, date: String, length: Int?, hasBody: Bool, stream: Int32) -> Bool {
        var lines = HTTP2HeaderLines()
        lines.add(":status", String(min(max(head.status, 200), 999)))
        lines.add(head.headers)
        if let length, head.headers["content-length"] == nil { lines.add("content-length", String(length)) }
        if head.headers["date"] == nil { lines.add("date", date) }
        return lines.withVectors { vectors, count in
            withUnsafePointer(to: HTTP2Session.bodyProvider) {
                nghttp2_submit_response(raw, stream, vectors, count, hasBody ? $0 : nil)
            }
        } == 0
    }

    /// Asks a client that waits for that (`expect: 100-continue`) to send its body.
    func askForBody(stream: Int32) {
        var lines = HTTP2HeaderLines()
        lines.add(":status", "100")
        _ = lines.withVectors { vectors, count in
            nghttp2_submit_headers(raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream, nil, vectors, count, nil)
        }
    }

    /// Opens a stream; nil when this connection can open none any more.
    func request(_ head: HTTPRequestHead, scheme: String, authority: String, hasBody: Bool) -> Int32? {
        var lines = HTTP2HeaderLines()
        lines.add(":method", head.method)
        lines.add(":scheme", scheme)
        lines.add(":authority", authority)
        lines.add(":path", head.path)
        lines.add(head.headers)
        let id = lines.withVectors { vectors, count in
            withUnsafePointer(to: HTTP2Session.bodyProvider) {
                nghttp2_submit_request(raw, nil, vectors, count, hasBody ? $0 : nil, nil)
            }
        }
        return id > 0 ? id : nil
    }

    /// The owner has bytes for the stream, or its end.
    func bodyIsReady(stream: Int32) { nghttp2_session_resume_data(raw, stream) }

    func reset(stream: Int32, code: UInt32) {
        nghttp2_submit_rst_stream(raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream, code)
    }

    /// So many bytes of the stream are not buffered any more: the peer may send as many again.
    func consumed(_ count: Int, stream: Int32) { nghttp2_session_consume(raw, stream, count) }

    // MARK: - The connection

    func ping() { nghttp2_submit_ping(raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), nil) }

    /// Announces that GOAWAY follows, so that streams which are on their way are still accepted.
    func announceGoAway() { nghttp2_submit_shutdown_notice(raw) }

    /// No more streams than those that have been received.
    func goAway() {
        nghttp2_submit_goaway(
            raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), nghttp2_session_get_last_proc_stream_id(raw),
            HTTP2ErrorCode.noError, nil, 0)
    }

    /// Ends the connection as soon as GOAWAY has been sent.
    func terminate(code: UInt32) { nghttp2_session_terminate_session(raw, code) }

    /// Takes over an HTTP/1.1 request that asked for h2c, as stream 1.
    /// - Parameter settings: The decoded `http2-settings` header.
    func upgrade(settings: [UInt8], isHEAD: Bool) -> Bool {
        nghttp2_session_upgrade2(raw, settings, settings.count, isHEAD ? 1 : 0, nil) == 0
    }

    private func announce(_ settings: Settings) {
        var entries: [nghttp2_settings_entry] = []
        func add(_ id: nghttp2_settings_id, _ value: Int) {
            entries.append(.init(settings_id: Int32(id.rawValue), value: UInt32(clamping: value)))
        }
        if settings.refusesPush { add(NGHTTP2_SETTINGS_ENABLE_PUSH, 0) }
        if let streams = settings.maxConcurrentStreams { add(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, streams) }
        if let bytes = settings.maxHeaderListBytes { add(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, bytes) }
        let largest = Int(Int32.max)
        add(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, min(max(settings.streamWindowBytes, 65_535), largest))
        add(NGHTTP2_SETTINGS_MAX_FRAME_SIZE, min(max(settings.maxFrameBytes, 16_384), 16_777_215))
        nghttp2_submit_settings(raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), entries, entries.count)
        nghttp2_session_set_local_window_size(
            raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), 0,
            Int32(clamping: max(settings.connectionWindowBytes, 65_535)))
    }

    private static func make(_ role: Role) throws(TransportError) -> OpaquePointer {
        var session: OpaquePointer?
        let status =
            role == .server
            ? nghttp2_session_server_new2(&session, callbacks, nil, options)
            : nghttp2_session_client_new2(&session, callbacks, nil, options)
        guard status == 0, let session else { throw .eventLoop(reason: text(status)) }
        return session
    }

    static func text(_ status: Int32) -> String { String(cString: nghttp2_strerror(status)) }
}

extension HTTP2Session {
    private static let proceed: Int32 = 0

    private static func from(_ data: UnsafeMutableRawPointer?) -> HTTP2Session? {
        data.map { Unmanaged<HTTP2Session>.fromOpaque($0).takeUnretainedValue() }
    }

    private func blockBegan() -> Int32 {
        block = HTTP2HeaderBlock()
        return HTTP2Session.proceed
    }

    private func lineReceived(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) -> Int32 {
        block.size += name.count + value.count + 32
        if block.size > headerLimit { block.isTooLarge = true } else { block.add(name, value) }
        return HTTP2Session.proceed
    }

    private func frameReceived(_ frame: UnsafePointer<nghttp2_frame>) -> Int32 {
        let header = frame.pointee.hd
        let endsStream = header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
        let isAnswer = header.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0
        switch UInt32(header.type) {
        case NGHTTP2_HEADERS.rawValue:
            let received = Swift.exchange(&block, with: HTTP2HeaderBlock())
            owner.session(received: received, stream: header.stream_id, endsStream: endsStream)
        case NGHTTP2_DATA.rawValue:
            if endsStream {
                owner.sessionInputEnded(stream: header.stream_id)
            } else if header.length == 0 {
                owner.sessionReceivedControlFrame()
            }
        case NGHTTP2_RST_STREAM.rawValue: owner.sessionReceivedControlFrame()
        case NGHTTP2_SETTINGS.rawValue:
            guard !isAnswer else { break }
            owner.sessionReceivedControlFrame()
            owner.sessionReceivedSettings()
        case NGHTTP2_PING.rawValue:
            if isAnswer { owner.sessionReceivedPingAnswer() } else { owner.sessionReceivedControlFrame() }
        case NGHTTP2_GOAWAY.rawValue: owner.sessionReceivedGoAway(code: frame.pointee.goaway.error_code)
        default: break
        }
        return HTTP2Session.proceed
    }

    private func frameSent(_ header: nghttp2_frame_hd) -> Int32 {
        let carriesEnd = header.type == UInt8(NGHTTP2_DATA.rawValue) || header.type == UInt8(NGHTTP2_HEADERS.rawValue)
        if carriesEnd, header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0 {
            owner.sessionOutputEnded(stream: header.stream_id)
        }
        return HTTP2Session.proceed
    }

    /// A request that could not be sent because the connection is ending: as if the peer had refused it.
    private func frameNotSent(_ header: nghttp2_frame_hd) -> Int32 {
        if header.type == UInt8(NGHTTP2_HEADERS.rawValue) {
            owner.sessionClosed(stream: header.stream_id, code: HTTP2ErrorCode.refusedStream)
        }
        return HTTP2Session.proceed
    }

    /// How much of the owner's bytes the next DATA frame takes.
    private func bodyLength(_ stream: Int32, room: Int, flags: UnsafeMutablePointer<UInt32>) -> Int {
        guard let (count, isEnded) = owner.sessionBody(stream: stream) else {
            return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)
        }
        if count == 0, !isEnded { return Int(NGHTTP2_ERR_DEFERRED.rawValue) }
        let length = min(count, room)
        flags.pointee |= NGHTTP2_DATA_FLAG_NO_COPY.rawValue
        if isEnded, length == count { flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue }
        return length
    }

    private func writeData(_ stream: Int32, header: UnsafePointer<UInt8>, length: Int) -> Int32 {
        guard output.count < HTTP2Session.fillBytes else { return NGHTTP2_ERR_WOULDBLOCK.rawValue }
        output.append(UnsafeRawBufferPointer(start: header, count: 9).bytes)
        owner.sessionMoveBody(length, stream: stream, to: &output)
        return HTTP2Session.proceed
    }

    private static var bodyProvider: nghttp2_data_provider {
        nghttp2_data_provider(source: nghttp2_data_source()) { _, stream, _, room, flags, _, data in
            guard let session = HTTP2Session.from(data), let flags else {
                return Int(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue)
            }
            return session.bodyLength(stream, room: room, flags: flags)
        }
    }

    /// The callbacks of all sessions. Written once here, then only read, and never freed.
    private nonisolated(unsafe) static let callbacks: OpaquePointer? = {
        var callbacks: OpaquePointer?
        guard nghttp2_session_callbacks_new(&callbacks) == 0 else { return nil }
        nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { _, _, data in
            from(data)?.blockBegan() ?? NGHTTP2_ERR_CALLBACK_FAILURE.rawValue
        }
        nghttp2_session_callbacks_set_on_header_callback(callbacks) { _, _, name, nameSize, value, valueSize, _, data in
            from(data)?.lineReceived(
                UnsafeBufferPointer(start: name, count: nameSize), UnsafeBufferPointer(start: value, count: valueSize))
                ?? NGHTTP2_ERR_CALLBACK_FAILURE.rawValue
        }
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) { _, _, stream, bytes, count, data in
            guard let session = from(data) else { return NGHTTP2_ERR_CALLBACK_FAILURE.rawValue }
            if count > 0 {
                session.owner.session(
                    received: Array(UnsafeBufferPointer(start: bytes, count: count))[...], stream: stream)
            }
            return proceed
        }
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, data in
            guard let session = from(data), let frame else { return NGHTTP2_ERR_CALLBACK_FAILURE.rawValue }
            return session.frameReceived(frame)
        }
        nghttp2_session_callbacks_set_on_frame_send_callback(callbacks) { _, frame, data in
            guard let session = from(data), let frame else { return NGHTTP2_ERR_CALLBACK_FAILURE.rawValue }
            return session.frameSent(frame.pointee.hd)
        }
        nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks) { _, frame, _, data in
            guard let session = from(data), let frame else { return NGHTTP2_ERR_CALLBACK_FAILURE.rawValue }
            return session.frameNotSent(frame.pointee.hd)
        }
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { _, stream, code, data in
            from(data)?.owner.sessionClosed(stream: stream, code: code)
            return proceed
        }
        nghttp2_session_callbacks_set_send_data_callback(callbacks) { _, frame, header, length, _, data in
            guard let session = from(data), let frame, let header else {
                return NGHTTP2_ERR_CALLBACK_FAILURE.rawValue
            }
            return session.writeData(frame.pointee.hd.stream_id, header: header, length: length)
        }
        return callbacks
    }()

    /// The options of all sessions; see `callbacks`.
    private nonisolated(unsafe) static let options: OpaquePointer? = {
        var options: OpaquePointer?
        guard nghttp2_option_new(&options) == 0 else { return nil }
        // The peer may send more when the reader has taken what it sent, and not before.
        nghttp2_option_set_no_auto_window_update(options, 1)
        // Floods are counted by the connection, which answers ENHANCE_YOUR_CALM.
        nghttp2_option_set_stream_reset_rate_limit(options, 1 << 40, 1 << 40)
        nghttp2_option_set_no_closed_streams(options, 1)
        return options
    }()
}
