/// The `delay` parameter of sends.
enum Delay {
    /// Reads ISO 8601 (`PT10S`), the forms for people (`1h 30m`), and bare milliseconds, which is what the Python client
    /// sends.
    static func milliseconds(_ text: String) throws(IngressError) -> UInt64 {
        if !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) {
            guard let milliseconds = UInt64(text) else { throw .badDelay("the number has too many digits") }
            return milliseconds
        }
        do throws(DurationSyntaxError) {
            return try parseDuration(text).wholeMilliseconds
        } catch {
            throw .badDelay(error.description)
        }
    }
}
