import Glibc
import HoldfastWire
import Synchronization

/// The log: one line per event, a constant sentence and fields named from the vocabulary.
///
///     Log.info("Registered a deployment.", ["deployment": id, "services": names.count])
///     2026-11-25T13:07:12.345Z INFO  Registered a deployment. deployment=dp_1x… services=2
///
/// A line that is not written costs one load of an atomic: fields are made only for lines that are. Warnings and errors go
/// to standard error, everything else to standard output (defaults §11). Safe from every thread; a line is one `write`,
/// so lines of several threads never mix.
public enum Log {
    /// How much a line matters.
    public enum Level: UInt8, Sendable, CaseIterable, Comparable {
        /// Each message and frame.
        case trace
        /// Each request and attempt.
        case debug
        /// A change of state.
        case info
        /// A person will have to act.
        case warn
        /// A person must act.
        case error
        /// Nothing is written.
        case off

        /// By severity.
        public static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }
    }

    /// What a line looks like.
    public enum Format: String, Sendable, CaseIterable {
        /// For people.
        case text
        /// One JSON object per line.
        case json
    }

    /// Names and values, in the order in which they were written.
    public struct Fields: ExpressibleByDictionaryLiteral, Sendable {
        fileprivate let pairs: [(name: String, value: String)]

        /// Names and values; a nil value leaves the field out.
        public init(dictionaryLiteral elements: (String, (any CustomStringConvertible)?)...) {
            pairs = elements.compactMap { name, value in value.map { (name, $0.description) } }
        }
    }

    /// Says what is written from here on, and how. Until then: `info` and above, as text.
    public static func configure(_ settings: Configuration.LogSettings) {
        threshold.store(settings.level.rawValue, ordering: .relaxed)
        isJSON.store(settings.format == .json, ordering: .relaxed)
    }

    /// True when a line of this level is written.
    public static func isEnabled(_ level: Level) -> Bool { level.rawValue >= threshold.load(ordering: .relaxed) }

    /// Each message and frame.
    public static func trace(_ sentence: StaticString, _ fields: @autoclosure () -> Fields = [:]) {
        if isEnabled(.trace) { write(.trace, sentence, fields()) }
    }

    /// Each request and attempt.
    public static func debug(_ sentence: StaticString, _ fields: @autoclosure () -> Fields = [:]) {
        if isEnabled(.debug) { write(.debug, sentence, fields()) }
    }

    /// A change of state.
    public static func info(_ sentence: StaticString, _ fields: @autoclosure () -> Fields = [:]) {
        if isEnabled(.info) { write(.info, sentence, fields()) }
    }

    /// A person will have to act.
    public static func warn(_ sentence: StaticString, _ fields: @autoclosure () -> Fields = [:]) {
        if isEnabled(.warn) { write(.warn, sentence, fields()) }
    }

    /// A person must act.
    public static func error(_ sentence: StaticString, _ fields: @autoclosure () -> Fields = [:]) {
        if isEnabled(.error) { write(.error, sentence, fields()) }
    }

    private static let threshold = Atomic<UInt8>(Level.info.rawValue)
    private static let isJSON = Atomic<Bool>(false)

    private static func write(_ level: Level, _ sentence: StaticString, _ fields: Fields) {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        let millis = UInt64(clamping: time.tv_sec) &* 1000 &+ UInt64(clamping: time.tv_nsec / 1_000_000)
        let line = line(
            level, "\(sentence)", fields, at: Timestamp(millis: millis),
            format: isJSON.load(ordering: .relaxed) ? .json : .text)
        writeAll(line, to: level >= .warn ? STDERR_FILENO : STDOUT_FILENO)
    }

    /// One line with its end.
    static func line(_ level: Level, _ sentence: String, _ fields: Fields, at time: Timestamp, format: Format)
        -> [UInt8]
    {
        let stamp = utcText(time)
        switch format {
        case .text:
            var text = "\(stamp) \(level.label) \(sentence)"
            for (name, value) in fields.pairs { text += " \(name)=\(quotedIfNeeded(value))" }
            return Array((text + "\n").utf8)
        case .json:
            var members: [JSON.Member] = [
                .init("timestamp", .string(stamp)), .init("level", .string("\(level)".uppercased())),
                .init("message", .string(sentence)),
            ]
            members += fields.pairs.map { .init($0.name, .string($0.value)) }
            return JSON.object(members).bytes + [UInt8(ascii: "\n")]
        }
    }

    /// Values with blanks, quotes or control characters stand in quotes, so that no value can fake another field or line.
    private static func quotedIfNeeded(_ value: String) -> String {
        let isPlain =
            !value.isEmpty
            && value.utf8.allSatisfy { $0 > 0x20 && $0 != 0x22 && $0 != 0x5C && $0 != 0x3D && $0 != 0x7F }
        if isPlain { return value }
        var bytes: [UInt8] = []
        JSON.append(string: value, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Writes all of it; what the other end no longer takes is lost, as it must be with a log.
    private static func writeAll(_ bytes: [UInt8], to file: Int32) {
        bytes.withUnsafeBytes { buffer in
            var start = 0
            while start < buffer.count {
                let written = Glibc.write(file, buffer.baseAddress?.advanced(by: start), buffer.count - start)
                if written > 0 {
                    start += written
                } else if errno != EINTR {
                    return
                }
            }
        }
    }
}

extension Log.Level {
    /// Five columns wide, so that sentences stand below each other.
    fileprivate var label: String {
        switch self {
        case .trace: "TRACE"
        case .debug: "DEBUG"
        case .info: "INFO "
        case .warn: "WARN "
        case .error: "ERROR"
        case .off: "OFF  "
        }
    }

    /// Reads `info`, or a filter in the style of Rust programs such as `warn,restate=info`.
    ///
    /// Of a filter counts what is said of `holdfast` or `restate`, else the bare level: there is one program here, not
    /// a tree of modules.
    public init?(filter: String) {
        var bare: Log.Level?
        var ours: Log.Level?
        for directive in filter.split(separator: ",") {
            let parts = directive.split(separator: "=", omittingEmptySubsequences: false).map {
                $0.filter { $0 != " " }.lowercased()
            }
            guard let level = Log.Level.allCases.first(where: { "\($0)" == parts.last }) else {
                if parts.count == 1, !parts[0].isEmpty, parts[0] != "warning" { return nil }
                if parts == ["warning"] { bare = .warn }
                continue
            }
            if parts.count == 1 { bare = level }
            if parts.count == 2, parts[0] == "holdfast" || parts[0] == "restate" { ours = level }
        }
        guard let level = ours ?? bare else { return nil }
        self = level
    }
}

/// `2026-11-25T13:07:12.345Z`
private func utcText(_ time: Timestamp) -> String {
    var seconds = time_t(clamping: time.millis / 1000)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    func digits(_ number: some BinaryInteger, _ count: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, count - text.count)) + text
    }
    let date = "\(digits(Int(parts.tm_year) + 1900, 4))-\(digits(parts.tm_mon + 1, 2))-\(digits(parts.tm_mday, 2))"
    let clock = "\(digits(parts.tm_hour, 2)):\(digits(parts.tm_min, 2)):\(digits(parts.tm_sec, 2))"
    return "\(date)T\(clock).\(digits(time.millis % 1000, 3))Z"
}
