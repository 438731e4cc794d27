/// An expression as it is written.
indirect enum Expression: Sendable {
    case literal(Literal)
    /// A column, with the names before it: none, or the table's.
    case column(table: String?, name: String)
    case unary(UnaryOperator, Expression)
    case binary(BinaryOperator, Expression, Expression)
    case isNull(Expression, negated: Bool)
    case isTruth(Expression, Truth, negated: Bool)
    case isDistinct(Expression, Expression, negated: Bool)
    case inList(Expression, [Expression], negated: Bool)
    case inQuery(Expression, Query, negated: Bool)
    case between(Expression, Expression, Expression, negated: Bool)
    case like(Expression, pattern: Expression, escape: Expression?, ignoringCase: Bool, negated: Bool)
    case choice(of: Expression?, [(when: Expression, then: Expression)], otherwise: Expression?)
    case cast(Expression, to: SQLType, orNull: Bool)
    case call(FunctionCall)
    case exists(Query)
    case scalar(Query)

    enum Literal: Sendable {
        case null
        case boolean(Bool)
        case integer(UInt64)
        case double(Double)
        case string(String)
        case bytes([UInt8])
        case interval(Interval)

        var isNumber: Bool {
            switch self {
            case .integer, .double: true
            case .null, .boolean, .string, .bytes, .interval: false
            }
        }
    }

    enum Truth: String, Sendable {
        case `true`, `false`, unknown
    }

    enum UnaryOperator: String, Sendable {
        case not = "NOT"
        case minus = "-"
        case plus = "+"
    }

    enum BinaryOperator: String, Sendable {
        case or = "OR"
        case and = "AND"
        case equal = "="
        case notEqual = "!="
        case less = "<"
        case lessOrEqual = "<="
        case greater = ">"
        case greaterOrEqual = ">="
        case concatenate = "||"
        case plus = "+"
        case minus = "-"
        case times = "*"
        case divided = "/"
        case modulo = "%"
        case json = "->"
        case jsonText = "->>"

        /// How tightly it binds.
        var precedence: Int {
            switch self {
            case .or: 1
            case .and: 2
            case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual: 4
            case .concatenate: 6
            case .plus, .minus: 7
            case .times, .divided, .modulo: 8
            case .json, .jsonText: 10
            }
        }

        var isComparison: Bool { precedence == 4 }
    }
}

/// A function with its arguments; `count(*)` has none and says so.
struct FunctionCall: Sendable {
    var name: String
    var arguments: [Expression] = []
    var isOfAllRows = false
    var isDistinct = false
    var order: [OrderTerm] = []
    var filter: Expression?
    var window: Window?
}

/// The rows that a window function looks at.
struct Window: Sendable {
    var partition: [Expression] = []
    var order: [OrderTerm] = []
    /// As it was written: it holds no names.
    var frame = ""
}

/// One criterion of an order; nulls are last when ascending and first when descending, unless it says otherwise.
struct OrderTerm: Sendable {
    var expression: Expression
    var isDescending = false
    var areNullsFirst: Bool?

    var putsNullsFirst: Bool { areNullsFirst ?? isDescending }
}

/// A span of time; months have no fixed length.
struct Interval: Sendable, Equatable {
    var months: Int64 = 0
    var milliseconds: Int64 = 0
}
