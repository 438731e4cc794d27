/// Reads a length of time as people, files and clients write it: `10s`, `1h 30m`, `1.5h`, `01:30:00`, `PT10S`, `0`.
///
/// A day has 24 hours, a week 7 days. Not accepted: months and years, anything negative, a number without a unit
/// (but `0`), upper-case units. Specification: ingress §4 (Delay), admin §1.3, defaults §1.2.
///
/// - Throws: `DurationSyntaxError`, whose text is the reason that clients get to read.
public func parseDuration(_ text: some StringProtocol) throws(DurationSyntaxError) -> Duration {
    let bytes = Array(text.utf8)
    if bytes == [UInt8(ascii: "0")] { return .zero }
    guard let first = bytes.first else { throw .friendly("an empty string is not a duration") }
    var reader = DurationReader(bytes: bytes)
    let sign = first == UInt8(ascii: "-") || first == UInt8(ascii: "+") ? first : nil
    if sign != nil { reader.skip(1) }
    let duration = reader.peek(lowercased: "p") ? try reader.iso8601() : try reader.friendly(isSigned: sign != nil)
    guard duration == .zero || !(sign == UInt8(ascii: "-") || reader.isAgo) else { throw .negative }
    return duration
}

/// A length of time in the form that the admin API prints: `1d 12h 4m 2s`, `500ms`, `0s`.
///
/// The largest unit is the day. Specification: admin §1.3.
public func formatDuration(_ duration: Duration) -> String {
    var (seconds, attoseconds) = duration.components
    guard seconds >= 0, attoseconds >= 0 else { return "0s" }
    var parts: [String] = []
    for (unit, length) in [("d", Int64(86_400)), ("h", 3_600), ("m", 60), ("s", 1)] where seconds >= length {
        parts.append("\(seconds / length)\(unit)")
        seconds %= length
    }
    for (unit, length) in [("ms", Int64(1_000_000_000_000_000)), ("µs", 1_000_000_000_000), ("ns", 1_000_000_000)]
    where attoseconds >= length {
        parts.append("\(attoseconds / length)\(unit)")
        attoseconds %= length
    }
    return parts.isEmpty ? "0s" : parts.joined(separator: " ")
}

extension Duration {
    /// Whole milliseconds, cut; 0 for what is negative. Never traps.
    public var wholeMilliseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (millis, isTooLong) = UInt64(seconds).multipliedReportingOverflow(by: 1000)
        return isTooLong ? .max : millis &+ UInt64(attoseconds / 1_000_000_000_000_000)
    }
}

/// Why a text is no length of time.
public struct DurationSyntaxError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The reason, as clients read it.
    public let description: String

    static let negative = Self(
        description: "negative signed durations cannot be converted to an unsigned duration")
    static let calendarUnits = Self(description: "please use units of days or smaller")

    static func friendly(_ reason: String) -> Self {
        Self(description: "failed to parse input in the \"friendly\" duration format: \(reason)")
    }

    static func iso8601(_ reason: String) -> Self {
        Self(description: "failed to parse input as an ISO 8601 duration: \(reason)")
    }
}

/// One unit of time, and how much of it a duration may have (so that no sum overflows).
private struct DurationUnit {
    let names: [String]
    /// Nil: a unit of the calendar, which has no fixed length.
    let nanoseconds: Int64?
    let limit: Int64
    /// Fractions of days and weeks are refused, as upstream does.
    let mayHaveFraction: Bool

    /// Largest first: the order in which they must follow each other.
    static let all = [
        DurationUnit(
            names: ["years", "year", "yrs", "yr", "y"], nanoseconds: nil, limit: 19_998, mayHaveFraction: false),
        DurationUnit(
            names: ["months", "month", "mos", "mo"], nanoseconds: nil, limit: 239_976, mayHaveFraction: false),
        DurationUnit(
            names: ["weeks", "week", "wks", "wk", "w"], nanoseconds: 604_800_000_000_000, limit: 1_043_497,
            mayHaveFraction: false),
        DurationUnit(
            names: ["days", "day", "d"], nanoseconds: 86_400_000_000_000, limit: 7_304_484, mayHaveFraction: false),
        DurationUnit(
            names: ["hours", "hour", "hrs", "hr", "h"], nanoseconds: 3_600_000_000_000, limit: 175_307_616,
            mayHaveFraction: true),
        DurationUnit(
            names: ["minutes", "minute", "mins", "min", "m"], nanoseconds: 60_000_000_000, limit: 10_518_456_960,
            mayHaveFraction: true),
        DurationUnit(
            names: ["seconds", "second", "secs", "sec", "s"], nanoseconds: 1_000_000_000, limit: 631_107_417_600,
            mayHaveFraction: true),
        DurationUnit(
            names: ["milliseconds", "millisecond", "millis", "milli", "msecs", "msec", "ms"], nanoseconds: 1_000_000,
            limit: 631_107_417_600_000, mayHaveFraction: true),
        DurationUnit(
            // The micro sign, and the Greek letter that looks like it.
            names: ["microseconds", "microsecond", "micros", "micro", "usecs", "usec", "us"]
                + ["\u{B5}", "\u{3BC}"].flatMap { ["\($0)secs", "\($0)sec", "\($0)s"] },
            nanoseconds: 1000, limit: 631_107_417_600_000_000, mayHaveFraction: true),
        DurationUnit(
            names: ["nanoseconds", "nanosecond", "nanos", "nano", "nsecs", "nsec", "ns"], nanoseconds: 1,
            limit: .max, mayHaveFraction: false),
    ]

    static func index(named name: String) -> Int? { all.firstIndex { $0.names.contains(name) } }
}

/// Walks once over the bytes of a duration.
private struct DurationReader {
    let bytes: [UInt8]
    private var position = 0
    /// True once the text ended in `ago`, which makes it negative.
    private(set) var isAgo = false

    init(bytes: [UInt8]) { self.bytes = bytes }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func skip(_ count: Int) { position += count }

    func peek(lowercased letter: Character) -> Bool { next.map { $0 | 0x20 } == letter.asciiValue }

    /// `2 days`, `1h 30m`, `1h, 30min`, `01:30:00`, `5s ago`; blanks may follow, never lead.
    mutating func friendly(isSigned: Bool) throws(DurationSyntaxError) -> Duration {
        var total = Duration.zero
        var lastUnit = -1
        while next != nil {
            let number = try digits()
            if next == UInt8(ascii: ":") {
                total += try clock(hours: number, isAllowed: lastUnit < 4)
                try end(isSigned: isSigned)
                return total
            }
            let fraction = try fractionNanos()
            skipBlanks()
            let name = word()
            guard let index = DurationUnit.index(named: name) else {
                throw .friendly(name.isEmpty ? "a number needs a unit, such as '10s'" : "'\(name)' is no unit of time")
            }
            guard index > lastUnit else { throw .friendly("units must be written from the largest to the smallest") }
            lastUnit = index
            total += try amount(DurationUnit.all[index], number, fraction, DurationSyntaxError.friendly)
            if try isAtEnd(afterFraction: fraction != nil, isSigned: isSigned) { return total }
        }
        throw .friendly("a duration ends in a unit, such as '10s'")
    }

    /// `PT10S`, `P1DT2H`, `P1W`, `PT0.5S`, in either case of letters.
    mutating func iso8601() throws(DurationSyntaxError) -> Duration {
        skip(1)
        var total = Duration.zero
        var lastUnit = -1
        var isTime = false
        while let byte = next {
            if byte | 0x20 == UInt8(ascii: "t"), !isTime {
                isTime = true
                skip(1)
                guard next != nil else { throw .iso8601("nothing follows 'T'") }
                continue
            }
            let number = try digits()
            let fraction = try fractionNanos()
            guard let letter = next else { throw .iso8601("a number needs a unit") }
            skip(1)
            guard let index = Self.unit(of: letter | 0x20, isTime: isTime), index > lastUnit else {
                throw .iso8601("'\(Character(UnicodeScalar(letter)))' cannot stand here")
            }
            lastUnit = index
            total += try amount(DurationUnit.all[index], number, fraction, DurationSyntaxError.iso8601)
            if fraction != nil, next != nil { throw .iso8601("only the last unit may have a fraction") }
        }
        guard lastUnit >= 0 else { throw .iso8601("'P' is followed by no unit") }
        return total
    }

    private static func unit(of letter: UInt8, isTime: Bool) -> Int? {
        let name = String(UnicodeScalar(letter))
        guard !isTime else { return ["h", "m", "s"].contains(name) ? DurationUnit.index(named: name) : nil }
        return name == "m" ? 1 : ["y", "w", "d"].contains(name) ? DurationUnit.index(named: name) : nil
    }

    private func amount(
        _ unit: DurationUnit, _ number: Int64, _ fraction: Int64?, _ fault: (String) -> DurationSyntaxError
    ) throws(DurationSyntaxError) -> Duration {
        guard number <= unit.limit else { throw fault("\(number) \(unit.names[0]) is out of range") }
        guard let nanoseconds = unit.nanoseconds else {
            if number == 0, fraction == nil { return .zero }
            throw .calendarUnits
        }
        var duration =
            nanoseconds >= 1_000_000_000
            ? Duration.seconds(number * (nanoseconds / 1_000_000_000))
            : Duration.nanoseconds(number % 1_000_000_000 * nanoseconds)
                + Duration.seconds(number / 1_000_000_000 * nanoseconds)
        if let fraction {
            guard unit.mayHaveFraction else { throw fault("\(unit.names[0]) cannot have a fraction") }
            duration += .nanoseconds(Int64(Double(nanoseconds) * (Double(fraction) / 1_000_000_000)))
        }
        return duration
    }

    /// `:30:00` or `:30:00.5` behind the hours; more than 59 minutes or seconds just add up.
    private mutating func clock(hours: Int64, isAllowed: Bool) throws(DurationSyntaxError) -> Duration {
        guard isAllowed, hours <= DurationUnit.all[4].limit else {
            throw .friendly("hours, minutes and seconds stand here twice, or are out of range")
        }
        skip(1)
        let minutes = try digits()
        guard next == UInt8(ascii: ":") else { throw .friendly("a clock time is written hh:mm:ss") }
        skip(1)
        let seconds = try digits()
        guard minutes <= DurationUnit.all[5].limit, seconds <= DurationUnit.all[6].limit else {
            throw .friendly("the minutes or seconds of hh:mm:ss are out of range")
        }
        let fraction = try fractionNanos() ?? 0
        return .seconds(hours * 3600 + minutes * 60 + seconds) + .nanoseconds(fraction)
    }

    /// What may stand between two units: blanks, or a comma with blanks behind it.
    private mutating func isAtEnd(afterFraction: Bool, isSigned: Bool) throws(DurationSyntaxError) -> Bool {
        if next == UInt8(ascii: ",") {
            skip(1)
            guard isBlank else { throw .friendly("a comma needs a blank behind it") }
            skipBlanks()
            guard next != nil else { throw .friendly("nothing follows the comma") }
        } else {
            skipBlanks()
        }
        guard let byte = next else { return true }
        if byte == UInt8(ascii: "a") {
            try end(isSigned: isSigned)
            return true
        }
        if afterFraction { throw .friendly("only the last unit may have a fraction") }
        return false
    }

    private mutating func end(isSigned: Bool) throws(DurationSyntaxError) {
        skipBlanks()
        if !isSigned, bytes[position...].starts(with: "ago".utf8) {
            isAgo = true
            skip(3)
            skipBlanks()
        }
        guard next == nil else { throw .friendly("something follows the duration") }
    }

    private mutating func digits() throws(DurationSyntaxError) -> Int64 {
        var value: Int64 = 0
        let start = position
        while let byte = next, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
            let (tens, isTooBig) = value.multipliedReportingOverflow(by: 10)
            let (sum, isTooBigToo) = tens.addingReportingOverflow(Int64(byte &- UInt8(ascii: "0")))
            guard !isTooBig, !isTooBigToo else { throw .friendly("the number has too many digits") }
            value = sum
            position += 1
        }
        guard position > start else { throw .friendly("a duration begins with a number, such as '10s'") }
        return value
    }

    /// `.5` or `,5`, as billionths. Of more than nine digits the tenth stands where a unit should.
    private mutating func fractionNanos() throws(DurationSyntaxError) -> Int64? {
        guard next == UInt8(ascii: ".") || next == UInt8(ascii: ","), position + 1 < bytes.count,
            bytes[position + 1] >= UInt8(ascii: "0"), bytes[position + 1] <= UInt8(ascii: "9")
        else { return nil }
        skip(1)
        var value: Int64 = 0
        var scale: Int64 = 100_000_000
        while scale > 0, let byte = next, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
            value += Int64(byte &- UInt8(ascii: "0")) * scale
            scale /= 10
            position += 1
        }
        return value
    }

    private mutating func word() -> String {
        let start = position
        while let byte = next, byte >= 0x80 || (byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z")) {
            position += 1
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private var isBlank: Bool { next.map { $0 == UInt8(ascii: " ") || (9...13).contains($0) } ?? false }

    private mutating func skipBlanks() { while isBlank { position += 1 } }
}
