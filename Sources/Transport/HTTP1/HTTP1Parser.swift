import CHoldfastLLHTTP
import HoldfastWire

/// Reads HTTP/1 messages from a connection's bytes: one `llhttp_t` and what it has found.
///
/// `parse` stops at the end of each message, so its caller decides when the next one is looked at. Nothing is called
/// back while the C parser is on the stack. `data` of the C parser is this object, which frees it in `deinit`; the spans
/// that its callbacks get are copied before they return.
final class HTTP1Parser {
    /// The bounds of a head. Beyond them, parsing ends with an error.
    struct Limits {
        var targetBytes = 65_534
        var headBytes = 1 << 20
        var lines = 100
    }

    enum Failure: Error, Equatable {
        case targetTooLong
        case headTooLarge
        case malformed(String)
    }

    /// What a call of `parse` found, in this order.
    struct Progress {
        /// How many bytes were used up. Fewer than given only at the end of a message, or on a failure.
        var consumed = 0
        var head: HTTP1Head?
        var chunks: [Bytes] = []
        /// The message is complete.
        var isComplete = false
        var failure: Failure?
    }

    private let raw: UnsafeMutablePointer<llhttp_t>
    private let limits: Limits
    /// Whether the response that is read next answers a HEAD request, hence has no body whatever its head says.
    var answersHEAD = false

    private var progress = Progress()
    private var phase = Phase.idle
    private var isPausedAtEnd = false
    /// The method of the request that is being read, if the C parser does not know it.
    private var unknownMethod: String?
    private var target: [UInt8] = []
    private var name: [UInt8] = []
    private var value: [UInt8] = []
    private var headers = HTTPHeaders()
    private var headSize = 0
    private var lineCount = 0

    private enum Phase { case idle, head, body }

    init(_ kind: HTTP1MessageKind, limits: Limits = Limits()) {
        self.limits = limits
        raw = .allocate(capacity: 1)
        llhttp_init(raw, kind == .request ? HTTP_REQUEST : HTTP_RESPONSE, HTTP1Parser.settings)
        raw.pointee.data = Unmanaged.passUnretained(self).toOpaque()
    }

    deinit { raw.deallocate() }

    /// Whether the next byte begins a message.
    var isBetweenMessages: Bool { phase == .idle }

    /// Reads until the end of the current message, or of `bytes`.
    func parse(_ bytes: RawSpan) -> Progress {
        if isPausedAtEnd {
            isPausedAtEnd = false
            llhttp_resume(raw)
        }
        let isBeginning = isBetweenMessages
        let consumed = bytes.withUnsafeBytes { buffer -> Int in
            let status = execute(buffer)
            if status == HPE_OK { return buffer.count }
            if status == HPE_INVALID_METHOD, isBeginning, let count = parse(unknownMethod: buffer) { return count }
            return stopped(status, in: buffer)
        }
        return take(consumed)
    }

    private func execute(_ bytes: UnsafeRawBufferPointer) -> llhttp_errno_t {
        guard let start = bytes.baseAddress else { return HPE_OK }
        return llhttp_execute(raw, start.assumingMemoryBound(to: CChar.self), bytes.count)
    }

    /// Reads a request whose method the C parser does not know, but HTTP allows: as if it were a PUT, so that the service
    /// can refuse it in its own words.
    ///
    /// - Returns: How many bytes were used up; nil when they don't begin with a method.
    private func parse(unknownMethod bytes: UnsafeRawBufferPointer) -> Int? {
        guard let end = bytes.prefix(64).firstIndex(of: UInt8(ascii: " ")), end > 0,
            bytes[..<end].allSatisfy({ $0.asciiLowercased &- UInt8(ascii: "a") < 26 || $0 == UInt8(ascii: "-") })
        else { return nil }
        llhttp_reset(raw)
        _ = Array("PUT ".utf8).withUnsafeBytes { execute($0) }
        unknownMethod = String(decoding: bytes[..<end], as: UTF8.self)
        let rest = UnsafeRawBufferPointer(rebasing: bytes[(end + 1)...])
        let status = execute(rest)
        return status == HPE_OK ? bytes.count : end + 1 + stopped(status, in: rest)
    }

    /// The peer has ended its output, which is the end of a message without a length.
    func finish() -> Progress {
        if phase != .idle, !isPausedAtEnd {
            let status = llhttp_finish(raw)
            if status != HPE_OK { stopped(status) }
        }
        return take(0)
    }

    private func take(_ consumed: Int) -> Progress {
        var result = Progress()
        swap(&result, &progress)
        result.consumed = consumed
        if result.isComplete { phase = .idle }
        return result
    }

    /// - Returns: How many bytes were used up.
    private func stopped(_ status: llhttp_errno_t, in bytes: UnsafeRawBufferPointer) -> Int {
        stopped(status)
        guard let start = bytes.baseAddress, let position = llhttp_get_error_pos(raw) else { return 0 }
        return max(0, min(UnsafeRawPointer(position) - start, bytes.count))
    }

    private func stopped(_ status: llhttp_errno_t) {
        if status == HPE_PAUSED, progress.isComplete {
            isPausedAtEnd = true
        } else if progress.failure == nil {
            let reason = llhttp_get_error_reason(raw).map { String(cString: $0) } ?? ""
            progress.failure = .malformed(reason.isEmpty ? String(cString: llhttp_errno_name(status)) : reason)
        }
    }

    // MARK: - Callbacks

    private static let proceed: Int32 = 0
    private static let skipBody: Int32 = 1
    private static let stop = Int32(HPE_USER.rawValue)
    private static let pause = Int32(HPE_PAUSED.rawValue)

    private func began() -> Int32 {
        phase = .head
        unknownMethod = nil
        target.removeAll(keepingCapacity: true)
        name.removeAll(keepingCapacity: true)
        value.removeAll(keepingCapacity: true)
        headers = HTTPHeaders()
        headSize = 0
        lineCount = 0
        return HTTP1Parser.proceed
    }

    private func fail(_ failure: Failure) -> Int32 {
        progress.failure = failure
        return HTTP1Parser.stop
    }

    private func gotTarget(_ span: UnsafeBufferPointer<UInt8>) -> Int32 {
        guard target.count + span.count <= limits.targetBytes else { return fail(.targetTooLong) }
        target.append(contentsOf: span)
        return HTTP1Parser.proceed
    }

    private func gotName(_ span: UnsafeBufferPointer<UInt8>) -> Int32 {
        headSize += span.count
        guard headSize <= limits.headBytes else { return fail(.headTooLarge) }
        // The C parser lets spaces pass, which others read as the end of the name.
        guard span.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return fail(.malformed("a name has a space in it")) }
        name.append(contentsOf: span.lazy.map(\.asciiLowercased))
        return HTTP1Parser.proceed
    }

    private func gotValue(_ span: UnsafeBufferPointer<UInt8>) -> Int32 {
        headSize += span.count
        guard headSize <= limits.headBytes else { return fail(.headTooLarge) }
        if phase == .head { value.append(contentsOf: span) }
        return HTTP1Parser.proceed
    }

    private func lineIsComplete() -> Int32 {
        lineCount += 1
        guard lineCount <= limits.lines else { return fail(.headTooLarge) }
        // Lines behind the body (trailers) are counted and dropped.
        if phase == .head {
            while let last = value.last, last == UInt8(ascii: " ") || last == UInt8(ascii: "\t") { value.removeLast() }
            headers.add(String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self))
        }
        name.removeAll(keepingCapacity: true)
        value.removeAll(keepingCapacity: true)
        return HTTP1Parser.proceed
    }

    private func headIsComplete() -> Int32 {
        // In a text these bytes would become others, and two paths one.
        guard let target = String(validating: target, as: UTF8.self) else {
            return fail(.malformed("the target is not UTF-8"))
        }
        phase = .body
        let isChunked = headers["transfer-encoding"] != nil
        let isRequest = raw.pointee.type == HTTP_REQUEST.rawValue
        let method = isRequest ? unknownMethod ?? HTTP1Parser.methodNames[Int(raw.pointee.method)] ?? "" : ""
        progress.head = HTTP1Head(
            method: method, target: target, status: Int(raw.pointee.status_code),
            headers: headers, minorVersion: Int(raw.pointee.http_minor), majorVersion: Int(raw.pointee.http_major),
            contentLength: isChunked ? nil : headers["content-length"].flatMap { Int($0) }, isChunked: isChunked)
        headers = HTTPHeaders()
        // What follows a request to upgrade is HTTP/1 like all else, unless the connection decides otherwise.
        if isRequest { raw.pointee.upgrade = 0 }
        return answersHEAD && !isRequest ? HTTP1Parser.skipBody : HTTP1Parser.proceed
    }

    private func gotBody(_ span: UnsafeBufferPointer<UInt8>) -> Int32 {
        progress.chunks.append(Array(span)[...])
        return HTTP1Parser.proceed
    }

    private func messageIsComplete() -> Int32 {
        progress.isComplete = true
        return HTTP1Parser.pause
    }

    private typealias SpanCallback =
        @convention(c) (UnsafeMutablePointer<llhttp_t>?, UnsafePointer<CChar>?, Int) -> Int32

    /// The callbacks, the same for each parser. Written once here, then only read, and never freed.
    private nonisolated(unsafe) static let settings: UnsafeMutablePointer<llhttp_settings_t> = {
        let settings = UnsafeMutablePointer<llhttp_settings_t>.allocate(capacity: 1)
        llhttp_settings_init(settings)
        settings.pointee.on_message_begin = { HTTP1Parser.from($0)?.began() ?? HTTP1Parser.stop }
        settings.pointee.on_url = { from($0)?.gotTarget(bytes($1, $2)) ?? stop }
        settings.pointee.on_header_field = { from($0)?.gotName(bytes($1, $2)) ?? stop }
        settings.pointee.on_header_value = { from($0)?.gotValue(bytes($1, $2)) ?? stop }
        settings.pointee.on_header_value_complete = { from($0)?.lineIsComplete() ?? stop }
        settings.pointee.on_headers_complete = { from($0)?.headIsComplete() ?? stop }
        settings.pointee.on_body = { from($0)?.gotBody(bytes($1, $2)) ?? stop }
        settings.pointee.on_message_complete = { from($0)?.messageIsComplete() ?? stop }
        return settings
    }()

    private static let methodNames: [Int: String] = Dictionary(
        uniqueKeysWithValues: (0..<UInt32(46)).map {
            (Int($0), llhttp_method_name(llhttp_method_t(rawValue: $0)).map { String(cString: $0) } ?? "")
        })

    private static func from(_ parser: UnsafeMutablePointer<llhttp_t>?) -> HTTP1Parser? {
        parser?.pointee.data.map { Unmanaged<HTTP1Parser>.fromOpaque($0).takeUnretainedValue() }
    }

    private static func bytes(_ start: UnsafePointer<CChar>?, _ count: Int) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(
            start: start.map { UnsafeRawPointer($0).assumingMemoryBound(to: UInt8.self) }, count: count)
    }
}
