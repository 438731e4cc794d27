/// Why a text is not an identifier.
///
/// The messages are what clients see behind `bad invocation id '…': `, so their words are fixed.
public struct IdentifierError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong with the text.
    public let message: String

    /// The text is too short or too long.
    public static let length = IdentifierError(message: "bad length")
    /// There is no `_` behind a prefix.
    public static let format = IdentifierError(message: "bad format")
    /// The prefix is that of another kind of identifier.
    public static let otherType = IdentifierError(message: "id doesn't match the expected type")
    /// The character behind the `_` is not `1`.
    public static let codecVersion = IdentifierError(message: "unrecognized codec version")
    /// A character is no digit, or a number is too large.
    public static let digits = IdentifierError(message: "base62 decode error")

    /// The prefix is that of no kind of identifier.
    public static func unknownType(_ prefix: String) -> IdentifierError {
        IdentifierError(message: "unrecognized resource type: \(prefix)")
    }

    /// The message.
    public var description: String { message }
}
