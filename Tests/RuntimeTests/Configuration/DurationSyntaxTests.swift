import Testing

@testable import HoldfastRuntime

struct DurationSyntaxTests {
    @Test(arguments: [
        ("10s", 10_000), ("60ms", 60), ("1m", 60_000), ("1min", 60_000), ("1hr", 3_600_000), ("1hrs", 3_600_000),
        ("1d", 86_400_000), ("1w", 604_800_000), ("1week", 604_800_000), ("2 days", 172_800_000),
        ("60 sec", 60_000), ("10secs", 10_000), ("500millis", 500), ("1h 30m", 5_400_000), ("1.5h", 5_400_000),
        ("1h30m", 5_400_000), ("1h, 30min", 5_400_000), ("10 hours", 36_000_000), ("01:30:00", 5_400_000),
        ("2 days 01:00:00.5", 176_400_500), ("+10s", 10_000), ("10s  ", 10_000), ("0", 0), ("0s", 0), ("-0s", 0),
        ("PT10S", 10_000), ("P1DT2H", 93_600_000), ("P1W", 604_800_000), ("PT0.5S", 500), ("pt10s", 10_000),
        ("P30D", 2_592_000_000), ("365days", 31_536_000_000),
    ])
    func `a length of time is read as it is written`(text: String, millis: Int64) throws {
        #expect(try parseDuration(text) == .milliseconds(millis))
    }

    @Test(arguments: [("1us", 1000), ("1µs", 1000), ("1ns", 1), ("3 microseconds 4 nanos", 3004)])
    func `units below the millisecond count`(text: String, nanos: Int64) throws {
        #expect(try parseDuration(text) == .nanoseconds(nanos))
    }

    @Test(arguments: [
        "5000", "0.0", "-5s", "-PT5S", "5s ago", "1month", "P1M", "1y", "P1Y", "", "abc", "10S", "10 Seconds", "1e3s",
        " 10s", "1h,30m", "30m1h", "1s1s", "100000000d", "9999999999999999999999s", "P", "PT", "P1H", "PT1D", "1.5d",
        "1.5h 3s", "1h,", "1:30", "10s x", "s", ".5h", "1.h", "1.1234567890s", "PT0.1234567890S", "PT1.5H3S",
        "+10s ago", "01:30:00 1s",
    ])
    func `anything else is refused`(text: String) {
        #expect(throws: DurationSyntaxError.self) { try parseDuration(text) }
    }

    @Test func `refusals say why`() {
        #expect(throws: DurationSyntaxError.calendarUnits) { try parseDuration("1month") }
        #expect(throws: DurationSyntaxError.negative) { try parseDuration("-5s") }
        #expect(DurationSyntaxError.calendarUnits.description == "please use units of days or smaller")
    }

    @Test(arguments: [
        ("0", "0s"), ("86400s", "1d"), ("604800s", "7d"), ("1d 12h 4m 2s", "1d 12h 4m 2s"), ("600s", "10m"),
        ("500ms", "500ms"), ("1500ms", "1s 500ms"), ("22ns", "22ns"), ("500us", "500µs"), ("90m", "1h 30m"),
    ])
    func `a length of time is printed in units up to the day`(text: String, printed: String) throws {
        #expect(formatDuration(try parseDuration(text)) == printed)
    }

    @Test func `every printed length of time is read back as itself`() throws {
        var state: UInt64 = 17
        for _ in 0..<2000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let duration = Duration.nanoseconds(Int64((state >> (state & 63)) >> 1))
            #expect(try parseDuration(formatDuration(duration)) == duration)
        }
    }

    @Test func `milliseconds never trap`() {
        #expect(Duration.seconds(Int64.max).wholeMilliseconds == .max)
        #expect(Duration.seconds(-1).wholeMilliseconds == 0)
        #expect(Duration.milliseconds(1234).wholeMilliseconds == 1234)
    }
}

struct ByteCountSyntaxTests {
    @Test(arguments: [
        ("1024", 1024), ("1k", 1000), ("1KB", 1000), ("32 MB", 32_000_000), ("64MiB", 64 << 20), ("3Gi", 3 << 30),
        ("1.5 GiB", 3 << 29), ("50 KiB", 51_200), ("0", 0),
    ])
    func `a number of bytes is read as it is written`(text: String, bytes: Int) {
        #expect(parseByteCount(text) == bytes)
    }

    @Test(arguments: ["", "MiB", "-1", "1.", ".5k", "1 parsec", "99999999999 PiB", "1..5k", "NaN"])
    func `what is no number of bytes is refused`(text: String) {
        #expect(parseByteCount(text) == nil)
    }

    @Test(arguments: [(32 << 20, "32.0 MiB"), (1_000_000, "976.6 KiB"), (1000, "1000 B"), (0, "0 B")])
    func `a number of bytes is printed in binary units`(bytes: Int, text: String) {
        #expect(formatByteCount(bytes) == text)
    }
}

struct NetworkAddressTests {
    @Test(arguments: [
        ("127.0.0.1:80", "127.0.0.1:80"), ("10.0.0.1", "10.0.0.1:8080"), ("[::1]:9", "[::1]:9"), ("::", "[::]:8080"),
        ("[::]", "[::]:8080"), ("localhost:1", "127.0.0.1:1"), ("0.0.0.0:0", "0.0.0.0:0"),
    ])
    func `an address is read with its port or the usual one`(text: String, address: String) {
        #expect(NetworkAddress(text, defaultPort: 8080)?.description == address)
    }

    @Test(arguments: [
        "", "example.com:80", "127.0.0.1:", "127.0.0.1:65536", "127.0.0:1", "[::1", "[::1]9", ":80", "1.2.3.256",
    ])
    func `what is no address is refused`(text: String) {
        #expect(NetworkAddress(text, defaultPort: 8080) == nil)
    }
}
