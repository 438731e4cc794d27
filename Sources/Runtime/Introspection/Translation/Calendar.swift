/// Moments as people and RFC 3339 write them, in the calendar that goes on without end in both directions.
enum Calendar {
    static let millisecondsPerDay: Int64 = 86_400_000

    /// The moment, or the end of what the calendar's arithmetic can bear: 140,000 years from now. No such moment is stored.
    static func bounded(_ milliseconds: Int64) -> Int64 { min(max(milliseconds, -1 << 52), 1 << 52) }

    /// The days from 1 January 1970 to a date; months and days beyond their range count on.
    static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        // Years begin in March here, so that the leap day is the last of its year.
        let shifted = month <= 2 ? year - 1 : year
        let era = floorDivide(shifted, 400)
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    /// The date that is so many days after 1 January 1970.
    static func date(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = floorDivide(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (
            yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        )
    }

    /// How many days a day is behind Monday; day 0 was a Thursday.
    static func daysSinceMonday(_ day: Int64) -> Int64 { day + 3 - floorDivide(day + 3, 7) * 7 }

    /// The place of a day in its year, from 1.
    static func dayOfYear(_ day: Int64) -> Int64 { day - days(year: date(days: day).year, month: 1, day: 1) + 1 }

    static func daysInMonth(year: Int64, month: Int64) -> Int64 {
        let next = month == 12 ? days(year: year + 1, month: 1, day: 1) : days(year: year, month: month + 1, day: 1)
        return next - days(year: year, month: month, day: 1)
    }

    /// The same day of another month, or the last one if that month is shorter.
    static func adding(months: Int64, to milliseconds: Int64) -> Int64 {
        let milliseconds = bounded(milliseconds)
        let day = floorDivide(milliseconds, millisecondsPerDay)
        let date = date(days: day)
        let month = date.year * 12 + date.month - 1 + min(max(months, -120_000), 120_000)
        let year = floorDivide(month, 12)
        let ofYear = month - year * 12 + 1
        let days = days(year: year, month: ofYear, day: min(date.day, daysInMonth(year: year, month: ofYear)))
        return days * millisecondsPerDay + (milliseconds - day * millisecondsPerDay)
    }

    /// The milliseconds since 1970 of `2026-11-25T13:00:00.5Z`, `2026-11-25 13:00+01:00` or `2026-11-25`.
    static func milliseconds(parsing text: String) -> Int64? {
        var reader = FieldReader(text)
        guard let year = reader.number(4), reader.take("-"), let month = reader.number(2), reader.take("-"),
            let day = reader.number(2), (1...12).contains(month), day >= 1,
            day <= daysInMonth(year: year, month: month)
        else { return nil }
        let midnight = days(year: year, month: month, day: day) * millisecondsPerDay
        if reader.isAtEnd { return midnight }
        guard reader.take("T") || reader.take("t") || reader.take(" "), let hour = reader.number(2), hour < 24,
            reader.take(":"), let minute = reader.number(2), minute < 60
        else { return nil }
        var ofDay = (hour * 60 + minute) * 60_000
        if reader.take(":") {
            guard let second = reader.number(2), second <= 60 else { return nil }
            ofDay += second * 1000
            if reader.take(".") {
                guard let fraction = reader.milliseconds() else { return nil }
                ofDay += fraction
            }
        }
        guard let offset = reader.offset(), reader.isAtEnd else { return nil }
        return midnight + ofDay - offset
    }

    /// As RFC 3339 writes it, with three digits of fraction if there is one.
    static func text(milliseconds: Int64, withZone: Bool) -> String {
        let milliseconds = bounded(milliseconds)
        let day = floorDivide(milliseconds, millisecondsPerDay)
        let ofDay = milliseconds - day * millisecondsPerDay
        let date = date(days: day)
        let time = [ofDay / 3_600_000, ofDay / 60_000 % 60, ofDay / 1000 % 60].map { digits($0, 2) }
        let fraction = ofDay % 1000 == 0 ? "" : ".\(digits(ofDay % 1000, 3))"
        let dateText = "\(digits(date.year, 4))-\(digits(date.month, 2))-\(digits(date.day, 2))"
        return "\(dateText)T\(time.joined(separator: ":"))\(fraction)\(withZone ? "Z" : "")"
    }

    /// ISO 8601 in seconds: `PT1.5S`; zero is `P0D`.
    static func durationText(milliseconds: Int64) -> String {
        if milliseconds == 0 { return "P0D" }
        let sign = milliseconds < 0 ? "-" : ""
        let (seconds, rest) = milliseconds.magnitude.quotientAndRemainder(dividingBy: 1000)
        guard rest > 0 else { return "\(sign)PT\(seconds)S" }
        var digits = Substring(String(rest + 1000).dropFirst())
        while digits.last == "0" { digits.removeLast() }
        return "\(sign)PT\(seconds).\(digits)S"
    }

    /// A number with zeros before it, so that it has so many digits at least.
    static func digits(_ number: Int64, _ count: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, count - text.utf8.count)) + text
    }

    /// The quotient, rounded towards the past.
    static func floorDivide(_ dividend: Int64, _ divisor: Int64) -> Int64 {
        let (quotient, remainder) = dividend.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}

/// Reads the parts of a timestamp.
private struct FieldReader {
    private var rest: Substring.UTF8View

    init(_ text: String) {
        rest = Substring(text).utf8
    }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: character) else { return false }
        rest.removeFirst()
        return true
    }

    mutating func number(_ digits: Int) -> Int64? {
        let text = rest.prefix(digits)
        guard text.count == digits, text.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
            return nil
        }
        rest = rest.dropFirst(digits)
        return text.reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
    }

    /// A fraction of a second; what is finer than a millisecond is cut.
    mutating func milliseconds() -> Int64? {
        var (value, scale) = (Int64(0), Int64(100))
        var count = 0
        while let digit = number(1) {
            value += digit * scale
            scale /= 10
            count += 1
        }
        return count > 0 ? value : nil
    }

    /// `Z`, `+01:00`, or nothing, which means UTC.
    mutating func offset() -> Int64? {
        if isAtEnd || take("Z") || take("z") { return 0 }
        let sign: Int64 = take("-") ? -1 : (take("+") ? 1 : 0)
        guard sign != 0, let hours = number(2) else { return nil }
        _ = take(":")
        let minutes = number(2) ?? 0
        return sign * (hours * 60 + minutes) * 60_000
    }
}
