/// Reads a number of bytes as people write it: `1024`, `1k`, `32 MB`, `64MiB`, `1.5 GiB`.
///
/// `k`, `kB` and so on are powers of 1000, `Ki`, `KiB` and so on powers of 1024; case and blanks do not matter.
/// Specification: defaults §1.2.
///
/// - Returns: Nil when the text is nothing of the kind, or above 2^63 bytes.
public func parseByteCount(_ text: some StringProtocol) -> Int? {
    let letters = text.lowercased().filter { $0 != " " }
    let number = letters.prefix { $0.isNumber || $0 == "." }
    guard let scale = byteUnits[String(letters.dropFirst(number.count))] else { return nil }
    if let whole = Int(number) {
        let (bytes, isTooBig) = whole.multipliedReportingOverflow(by: scale)
        return isTooBig ? nil : bytes
    }
    guard number.first != ".", number.last != ".", let fraction = Double(number) else { return nil }
    return Int(exactly: (fraction * Double(scale)).rounded(.down))
}

/// A number of bytes for people: `32.0 MiB`, `976.6 KiB`, `1000 B`.
public func formatByteCount(_ bytes: Int) -> String {
    var value = Double(bytes)
    for unit in ["B", "KiB", "MiB", "GiB", "TiB"] {
        if value < 1024 || unit == "TiB" { return unit == "B" ? "\(bytes) B" : "\(oneDecimal(value)) \(unit)" }
        value /= 1024
    }
    return "\(bytes) B"
}

private func oneDecimal(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
}

private let byteUnits: [String: Int] = [
    "": 1, "b": 1,
    "k": 1000, "kb": 1000, "ki": 1024, "kib": 1024,
    "m": 1_000_000, "mb": 1_000_000, "mi": 1 << 20, "mib": 1 << 20,
    "g": 1_000_000_000, "gb": 1_000_000_000, "gi": 1 << 30, "gib": 1 << 30,
    "t": 1_000_000_000_000, "tb": 1_000_000_000_000, "ti": 1 << 40, "tib": 1 << 40,
    "p": 1_000_000_000_000_000, "pb": 1_000_000_000_000_000, "pi": 1 << 50, "pib": 1 << 50,
]
