import HoldfastWire

/// Reads the header `retry-after`: whole seconds, or a date (`Wed, 25 Nov 2026 12:14:24 GMT`).
enum RetryAfter {
    /// Milliseconds to wait; nil for what is neither.
    static func milliseconds(_ text: String, now: Timestamp) -> UInt64? {
        let text = text.trimmed
        if let seconds = UInt64(text) {
            let (milliseconds, overflow) = seconds.multipliedReportingOverflow(by: 1000)
            return overflow ? .max : milliseconds
        }
        return date(text).map { $0.milliseconds(since: now) }
    }

    /// A date of RFC 2822, whose day of the week may be missing. Zones are GMT, UTC, Z, and offsets like `+0100`.
    private static func date(_ text: Substring) -> Timestamp? {
        let withoutWeekday = text.firstIndex(of: ",").map { text[text.index(after: $0)...] } ?? text
        let words = withoutWeekday.split(separator: " ")
        guard words.count >= 4, let day = Int(words[0]), (1...31).contains(day),
            let month = months.firstIndex(of: words[1].lowercased()), let year = Int(words[2]),
            (1970...9999).contains(year),
            let seconds = timeOfDay(words[3]), let offset = zone(words.count > 4 ? words[4] : "GMT")
        else { return nil }
        let total = days(year: year, month: month + 1, day: day) * 86_400 + seconds - offset
        return UInt64(exactly: total).map { Timestamp(millis: $0 * 1000) }
    }

    private static let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

    private static func timeOfDay(_ text: Substring) -> Int? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map { Int($0) }
        guard (2...3).contains(parts.count), let hours = parts[0], (0...23).contains(hours), let minutes = parts[1],
            (0...59).contains(minutes), let seconds = parts.count == 3 ? parts[2] : 0, (0...60).contains(seconds)
        else { return nil }
        return hours * 3600 + minutes * 60 + seconds
    }

    private static func zone(_ text: Substring) -> Int? {
        if ["GMT", "UTC", "UT", "Z"].contains(text.uppercased()) { return 0 }
        guard text.count == 5, let sign = text.first, sign == "+" || sign == "-", let number = Int(text.dropFirst()),
            number >= 0
        else { return nil }
        let seconds = number / 100 * 3600 + number % 100 * 60
        return sign == "+" ? seconds : -seconds
    }

    /// Days since 1 January 1970. Years begin in March, so that the leap day is their last.
    private static func days(year: Int, month: Int, day: Int) -> Int {
        let shifted = month > 2 ? (year, month - 3) : (year - 1, month + 9)
        let era = shifted.0 / 400
        let yearOfEra = shifted.0 % 400
        let dayOfYear = (153 * shifted.1 + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}

extension String {
    fileprivate var trimmed: Substring {
        let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        let front = drop(while: isBlank)
        return front.lastIndex { !isBlank($0) }.map { front[...$0] } ?? ""
    }
}
