extension Interval {
    /// Reads `1 hour`, `2 days 30 minutes`, `-1.5 h`; nil for anything else.
    init?(parsing text: String) {
        let words = text.lowercased().split(whereSeparator: { $0 == " " || $0 == "," })
        guard !words.isEmpty, words.count % 2 == 0 else { return nil }
        var (months, milliseconds) = (0.0, 0.0)
        for index in stride(from: 0, to: words.count, by: 2) {
            guard let amount = Double(words[index]), amount.isFinite, let unit = Self.unit(words[index + 1]) else {
                return nil
            }
            months += amount * unit.months
            milliseconds += amount * unit.milliseconds
        }
        guard abs(months) < 1e6, abs(milliseconds) < 1e15 else { return nil }
        self.init(months: Int64(months), milliseconds: Int64(milliseconds.rounded()))
    }

    /// A unit of time, which may be in the plural.
    static func unit(_ word: some StringProtocol) -> (months: Double, milliseconds: Double)? {
        let singular = word.count > 2 && word.hasSuffix("s") ? String(word.dropLast()) : String(word)
        return units[singular]
    }

    private static let units: [String: (months: Double, milliseconds: Double)] = [
        "year": (12, 0), "yr": (12, 0), "y": (12, 0), "quarter": (3, 0), "month": (1, 0), "mon": (1, 0),
        "week": (0, 604_800_000), "w": (0, 604_800_000), "day": (0, 86_400_000), "d": (0, 86_400_000),
        "hour": (0, 3_600_000), "hr": (0, 3_600_000), "h": (0, 3_600_000), "minute": (0, 60_000),
        "min": (0, 60_000), "m": (0, 60_000), "second": (0, 1000), "sec": (0, 1000), "s": (0, 1000),
        "millisecond": (0, 1), "ms": (0, 1), "microsecond": (0, 0.001), "nanosecond": (0, 0.000_001),
    ]

    /// As upstream writes it: `1 hours`.
    var text: String {
        var parts: [String] = []
        func add(_ amount: Int64, _ unit: String) {
            if amount != 0 { parts.append("\(amount) \(unit)") }
        }
        add(months, "mons")
        add(milliseconds / 86_400_000, "days")
        add(milliseconds / 3_600_000 % 24, "hours")
        add(milliseconds / 60_000 % 60, "mins")
        let (seconds, fraction) = (milliseconds / 1000 % 60, abs(milliseconds % 1000))
        if fraction != 0 {
            let digits = String(fraction + 1000).dropFirst()
            parts.append("\(seconds == 0 && milliseconds < 0 ? "-" : "")\(seconds).\(digits)000000 secs")
        } else {
            add(seconds, "secs")
        }
        return parts.isEmpty ? "0 secs" : parts.joined(separator: " ")
    }
}
