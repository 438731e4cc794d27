import Testing

@testable import HoldfastRuntime

@Suite struct DelayTests {
    @Test(arguments: [
        ("10s", 10_000), ("60ms", 60), ("1us", 0), ("1ns", 0), ("1m", 60_000), ("1min", 60_000), ("1hr", 3_600_000),
        ("1hrs", 3_600_000), ("1d", 86_400_000), ("1w", 604_800_000), ("1week", 604_800_000),
        ("2 days", 172_800_000), ("60 sec", 60_000), ("10secs", 10_000), ("500millis", 500), ("1h 30m", 5_400_000),
        ("1.5h", 5_400_000), ("01:30:00", 5_400_000), ("+10s", 10_000), ("10s  ", 10_000), ("0", 0), ("0s", 0),
        ("PT10S", 10_000), ("P1DT2H", 93_600_000), ("P1W", 604_800_000), ("PT0.5S", 500), ("pt10s", 10_000),
        ("PT0S", 0), ("PT1.5S", 1500), ("1h30m", 5_400_000), ("5000µsecs", 5), ("5000 μsec", 5),
        ("00:60:61", 3_661_000), ("1h,\t1m", 3_660_000),
        ("1.123456789s", 1123), ("1 day 2 hours", 93_600_000),
        ("5000", 5000), ("00", 0), ("18446744073709551615", UInt64.max),
    ])
    func `a delay is read`(text: String, milliseconds: UInt64) throws {
        #expect(try Delay.milliseconds(text) == milliseconds)
    }

    @Test(arguments: [
        "0.0", "-5s", "-PT5S", "5s ago", "1month", "P1M", "1y", "", "abc", "10S", "10 Seconds", "1e3s", " 10s",
        "1h,30m", "30m1h", "1s1s", "100000000d", "PT", "P1Y", "1mo", "1h ago", "18446744073709551616", "5 000", "-5",
    ])
    func `anything else is refused`(text: String) {
        let error = #expect(throws: IngressError.self) { try Delay.milliseconds(text) }
        #expect(error?.status == 400)
        #expect(error?.message.hasPrefix("bad delay query parameter, must be a ISO8601 duration: ") == true)
    }
}
