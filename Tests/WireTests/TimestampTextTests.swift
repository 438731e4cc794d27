import Testing

@testable import HoldfastWire

@Suite struct TimestampTextTests {
    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000"),
        (951_782_399_999, "2000-02-28T23:59:59.999"),
        (951_782_400_000, "2000-02-29T00:00:00.000"),
        (951_868_800_000, "2000-03-01T00:00:00.000"),
        (1_709_164_800_000, "2024-02-29T00:00:00.000"),
        (1_735_689_599_001, "2024-12-31T23:59:59.001"),
        (1_795_599_600_994, "2026-11-25T09:40:00.994"),
        (4_107_542_400_000, "2100-03-01T00:00:00.000"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999"),
        (UInt64.max, "9999-12-31T23:59:59.999"),
    ])
    func `a moment is written in UTC`(millis: UInt64, text: String) {
        #expect(Timestamp(millis: millis).text(fractionDigits: 3) == text)
    }

    @Test func `digits beyond milliseconds are zeros`() {
        #expect(Timestamp(millis: 461).text(fractionDigits: 9) == "1970-01-01T00:00:00.461000000")
    }

    @Test func `every day of four centuries follows the one before`() {
        var before = CivilDate(daysSince1970: 0)
        for day in 1...(146_097 as UInt64) {
            let date = CivilDate(daysSince1970: day)
            if date.day == 1 {
                #expect(date.month == before.month % 12 + 1)
                #expect(before.day >= 28)
            } else {
                #expect((date.day, date.month) == (before.day + 1, before.month))
            }
            #expect(date.year == before.year + (date.month == 1 && date.day == 1 ? 1 : 0))
            before = date
        }
        #expect((before.year, before.month, before.day) == (2370, 1, 1))
    }
}
