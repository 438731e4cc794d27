/// A version of the service protocol that this program speaks.
public enum ProtocolVersion: UInt8, Sendable, Hashable, Comparable, CaseIterable {
    /// The journal is immutable: commands and notifications, cancellation by signal.
    case v5 = 5
    /// Adds the random seed, and metadata of failures.
    case v6
    /// Adds trees of awaited futures, scopes, acknowledged steps, and what an error asks the engine to do.
    case v7

    /// The newest version.
    public static let newest = ProtocolVersion.v7

    /// The media type of an invocation's request and response.
    public var contentType: String { "application/vnd.restate.invocation.v\(rawValue)" }

    /// The version of a media type, which has to be written exactly so.
    public init?(contentType: String) {
        guard let version = Self.allCases.first(where: { $0.contentType == contentType }) else { return nil }
        self = version
    }

    /// In order of appearance.
    public static func < (left: ProtocolVersion, right: ProtocolVersion) -> Bool { left.rawValue < right.rawValue }
}
