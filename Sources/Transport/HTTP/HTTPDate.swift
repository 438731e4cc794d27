#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The text of the `date` header, made at most once per second of a loop's time.
struct HTTPDate {
    private var madeAt: UInt64?
    private var current = ""

    /// - Parameter now: The loop's monotonic milliseconds, which only tell whether the text is still fresh.
    mutating func text(now: UInt64) -> String {
        if let madeAt, now &- madeAt < 1000 { return current }
        madeAt = now
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        current = HTTPDate.text(unixSeconds: Int(time.tv_sec))
        return current
    }

    /// The moment as RFC 9110 §5.6.7 writes it: `Wed, 25 Nov 2026 13:16:21 GMT`.
    static func text(unixSeconds: Int) -> String {
        let (days, seconds) = unixSeconds.quotientAndRemainder(dividingBy: 86_400)
        // Days since 0000-03-01, in 400-year cycles: the leap day is then the last day of a year.
        let shifted = days + 719_468
        let cycle = shifted / 146_097
        let dayOfCycle = shifted % 146_097
        let yearOfCycle = (dayOfCycle - dayOfCycle / 1460 + dayOfCycle / 36_524 - dayOfCycle / 146_096) / 365
        let dayOfYear = dayOfCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfCycle + cycle * 400 + (month <= 2 ? 1 : 0)
        let weekday = weekdays[(days + 4) % 7]
        let clock = [seconds / 3600, seconds / 60 % 60, seconds % 60].map(twoDigits).joined(separator: ":")
        return "\(weekday), \(twoDigits(day)) \(months[month - 1]) \(year) \(clock) GMT"
    }

    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    private static func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
