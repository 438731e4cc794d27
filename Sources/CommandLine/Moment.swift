/// Moments as tables show them.
enum Moment {
    /// `2026-11-25T13:07:12.345Z` → `2026-11-25 13:07:12`; empty for nil.
    static func shown(_ text: String?) -> String {
        guard let text else { return "" }
        let seconds = text.prefix { $0 != "." && $0 != "Z" && $0 != "+" }
        return String(seconds).replacing("T", with: " ")
    }
}
