/// A word of a query.
struct Token: Sendable {
    enum Kind: Sendable, Equatable {
        /// A name or keyword, folded to lower case.
        case word
        /// A name in double quotes, as it was written.
        case quotedWord
        case number
        case string
        /// Bytes in hexadecimal, as in x'00ff'.
        case bytes
        case symbol
        case end
    }

    /// Where a token begins, both from 1.
    struct Position: Sendable, CustomStringConvertible {
        var line = 1
        var column = 1

        var description: String { "line \(line), column \(column)" }
    }

    let kind: Kind
    let text: String
    let position: Position
}
