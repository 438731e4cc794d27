extension Timestamp {
    /// The last moment whose year has four digits.
    public static let lastOfYear9999 = Timestamp(millis: 253_402_300_799_999)

    /// The moment in UTC without a zone, as RFC 3339 writes it: `2026-11-25T09:40:11.461`.
    ///
    /// - Parameter fractionDigits: From 3, which is all that a moment has, to what others expect; more are zeros.
    ///
    /// What lies beyond the year 9999 is written as the last moment of that year.
    public func text(fractionDigits: Int) -> String {
        let (days, ofDay) = min(self, .lastOfYear9999).millis.quotientAndRemainder(dividingBy: 86_400_000)
        let date = CivilDate(daysSince1970: days)
        let (seconds, fraction) = ofDay.quotientAndRemainder(dividingBy: 1000)
        var text: [UInt8] = []
        text.reserveCapacity(21 + fractionDigits)
        func append(_ number: UInt64, digits: Int, then separator: Unicode.Scalar?) {
            var divisor: UInt64 = 1
            for _ in 1..<digits { divisor *= 10 }
            while divisor > 0 {
                text.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / divisor % 10))
                divisor /= 10
            }
            if let separator { text.append(UInt8(ascii: separator)) }
        }
        append(date.year, digits: 4, then: "-")
        append(date.month, digits: 2, then: "-")
        append(date.day, digits: 2, then: "T")
        append(seconds / 3600, digits: 2, then: ":")
        append(seconds / 60 % 60, digits: 2, then: ":")
        append(seconds % 60, digits: 2, then: ".")
        append(fraction, digits: 3, then: nil)
        text.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: max(0, fractionDigits - 3)))
        return String(decoding: text, as: UTF8.self)
    }
}

/// A day of the Gregorian calendar, from 1970 on.
struct CivilDate {
    let year: UInt64
    let month: UInt64
    let day: UInt64

    /// Counts in years that begin with March, so that the leap day is the last day of its year, and in eras of 400
    /// years, which all have the same number of days.
    init(daysSince1970: UInt64) {
        let daysPerEra: UInt64 = 146_097
        let (era, dayOfEra) = (daysSince1970 + 719_468).quotientAndRemainder(dividingBy: daysPerEra)
        let leapDays = dayOfEra / 1460 + dayOfEra / (daysPerEra - 1) - dayOfEra / 36_524
        let yearOfEra = (dayOfEra - leapDays) / 365
        let dayOfYear = dayOfEra + yearOfEra / 100 - (365 * yearOfEra + yearOfEra / 4)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }
}
