/// A moment, in milliseconds since 1 January 1970 UTC.
public struct Timestamp: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Milliseconds since 1 January 1970 UTC.
    public var millis: UInt64

    /// The moment `millis` milliseconds after the beginning of 1970 in UTC.
    public init(millis: UInt64) { self.millis = millis }

    /// The latest moment that there is; what lies further ahead is cut to it.
    public static let distantFuture = Timestamp(millis: .max)

    /// This moment and `milliseconds` more, at most `distantFuture`.
    public func advanced(by milliseconds: UInt64) -> Timestamp {
        let (sum, overflow) = millis.addingReportingOverflow(milliseconds)
        return Timestamp(millis: overflow ? .max : sum)
    }

    /// How many milliseconds have passed from `earlier` to this moment; 0 when it lies ahead.
    public func milliseconds(since earlier: Timestamp) -> UInt64 {
        millis > earlier.millis ? millis - earlier.millis : 0
    }

    /// In order of time.
    public static func < (left: Timestamp, right: Timestamp) -> Bool { left.millis < right.millis }

    /// The milliseconds as a decimal number.
    public var description: String { String(millis) }
}
