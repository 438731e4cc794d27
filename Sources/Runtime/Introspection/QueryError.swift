/// Why a query has no answer.
public struct QueryError: Error, Sendable, CustomStringConvertible {
    /// Who has to do something about it.
    public enum Kind: Sendable, Equatable {
        /// The query: it is answered with 400.
        case query
        /// Time, rows or bytes of one query are used up, or too many queries wait: it is answered with 429.
        case limit
        /// The store, or this program: it is answered with 500.
        case failure
    }

    /// Who has to do something about it.
    public let kind: Kind
    /// What happened, why, and what to do.
    public let message: String

    /// Makes an error.
    public init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    /// The message.
    public var description: String { message }

    /// The HTTP status of the answer.
    public var status: Int {
        switch kind {
        case .query: 400
        case .limit: 429
        case .failure: 500
        }
    }
}

extension QueryError {
    static func syntax(_ expected: String, found token: Token) -> QueryError {
        let found = token.kind == .end ? "the end of the query" : "'\(token.text)'"
        return QueryError(
            .query, "The query cannot be read: expected \(expected), found \(found) at \(token.position).")
    }

    static func unreadable(_ what: String, at position: Token.Position) -> QueryError {
        QueryError(.query, "The query cannot be read: \(what) at \(position).")
    }

    static func tooDeep(_ limit: Int) -> QueryError {
        QueryError(.query, "The query is nested more than \(limit) levels deep. Write it with fewer levels.")
    }

    static func unsupported(_ what: String) -> QueryError {
        QueryError(.query, "This server's SQL has no \(what).")
    }

    static func readOnly(_ statement: String) -> QueryError {
        QueryError(
            .query, "\(statement.uppercased()) is not supported: queries only read. Use the admin API to change things."
        )
    }

    static func unknownTable(_ name: String) -> QueryError {
        QueryError(.query, "There is no table '\(name)'. SHOW TABLES lists those that exist.")
    }

    static func unknownColumn(_ name: String, valid: [String]) -> QueryError {
        let list = valid.isEmpty ? "" : " Columns here are \(valid.prefix(80).joined(separator: ", "))."
        return QueryError(.query, "There is no column '\(name)'.\(list)")
    }

    static func ambiguousColumn(_ name: String) -> QueryError {
        QueryError(.query, "Several tables have a column '\(name)'. Write it with its table, as in 'table.\(name)'.")
    }

    static func notGrouped(_ name: String) -> QueryError {
        QueryError(
            .query,
            "'\(name)' has several values in a group. Name it in GROUP BY, or choose with a function such as first_value."
        )
    }

    static func unknownFunction(_ name: String) -> QueryError {
        QueryError(.query, "There is no function '\(name)'.")
    }

    static func argumentCount(_ name: String, _ expected: String) -> QueryError {
        QueryError(.query, "The function '\(name)' takes \(expected).")
    }

    static func unreadableTimestamp(_ text: String) -> QueryError {
        QueryError(.query, "'\(text)' is not a timestamp. Write it like '2026-11-25T13:00:00.000Z'.")
    }

    static func unreadableInterval(_ text: String) -> QueryError {
        QueryError(.query, "'\(text)' is not an interval. Write it like '1 hour' or '2 days 30 minutes'.")
    }

    static func unreadableInvocationID(_ text: String) -> QueryError {
        QueryError(.query, "'\(text)' is not an invocation id: those begin with 'inv_1' and have 38 characters.")
    }

    static let noAnswerInTime = QueryError(
        .limit, "The query took too long and was stopped. Ask for less: name an id or a service, or a smaller LIMIT.")

    static func answerTooLarge(_ bytes: Int) -> QueryError {
        QueryError(
            .limit, "The answer has more than \(bytes >> 20) MiB. Ask for less: name the columns, or a smaller LIMIT.")
    }

    static let tooManyQueries = QueryError(.limit, "Too many queries wait already. Try again in a second.")
}
