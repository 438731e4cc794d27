/// A query as it is written.
struct Query: Sendable {
    var named: [NamedQuery] = []
    var body: Body
    var order: [OrderTerm] = []
    var limit: Expression?
    var offset: Expression?

    indirect enum Body: Sendable {
        case select(Select)
        case combined(SetOperator, Body, Body)
        case nested(Query)
        case values([[Expression]])
    }

    enum SetOperator: String, Sendable {
        case union = "UNION"
        case unionAll = "UNION ALL"
        case except = "EXCEPT"
        case intersect = "INTERSECT"
    }
}

/// A query that has a name: `WITH name AS (…)`.
struct NamedQuery: Sendable {
    let name: String
    let columns: [String]
    let query: Query
}

/// A single SELECT.
struct Select: Sendable {
    var isDistinct = false
    var items: [Item] = []
    var source: Source?
    var condition: Expression?
    var groups: [Expression] = []
    var groupCondition: Expression?

    enum Item: Sendable {
        case all
        case allOf(table: String)
        case expression(Expression, alias: String?)
    }

    /// What stands behind FROM.
    indirect enum Source: Sendable {
        case table(name: String, alias: String?)
        case query(Query, alias: String?, columns: [String])
        case join(Join, Source, Source, JoinCondition)
    }

    enum Join: String, Sendable {
        case inner = "JOIN"
        case left = "LEFT JOIN"
        case right = "RIGHT JOIN"
        case full = "FULL JOIN"
        case cross = "CROSS JOIN"

        /// Whether it puts nulls in the place of columns of that side.
        func fills(isLeft: Bool) -> Bool {
            switch self {
            case .inner, .cross: false
            case .left: !isLeft
            case .right: isLeft
            case .full: true
            }
        }
    }

    enum JoinCondition: Sendable {
        case none
        case on(Expression)
        case using([String])
        /// Equality of all columns that have the same name.
        case natural
    }
}
