/// In a SELECT that makes groups of rows, a column has a value only if all rows of a group share it.
extension Translator {
    /// Refuses items and conditions that have no single value in a group; notes in the scope that there are groups.
    mutating func checkGroups(_ select: Select, _ scope: Scope) throws(QueryError) {
        let expressions = select.items.compactMap { item in
            if case .expression(let expression, _) = item { expression } else { nil }
        }
        let isGrouped =
            scope.groups != nil || select.groupCondition != nil || expressions.contains(where: \.hasAggregate)
        guard isGrouped else { return }
        let groups = scope.groups ?? []
        scope.groups = groups
        for item in select.items {
            let columns: [ScopeColumn]
            switch item {
            case .expression(let expression, _):
                try checkGrouped(expression, scope)
                continue
            case .all: columns = scope.columns
            case .allOf(let table): columns = scope.columns.filter { $0.tables.contains(table) }
            }
            for column in columns where !groups.contains(column.value.sql) { throw .notGrouped(column.value.label) }
        }
        if let condition = select.groupCondition { try checkGrouped(condition, scope) }
    }

    /// Refuses an expression that has no single value in a group, if there are groups.
    mutating func checkGrouped(_ expression: Expression, _ scope: Scope) throws(QueryError) {
        guard let groups = scope.groups else { return }
        if case .call(let call) = expression, call.isAggregate { return }
        if case .column(let table, let name) = expression {
            // What is no column here is an item's name or belongs to a query around this one.
            let found = scope.columns.first { $0.name == name && (table.map($0.tables.contains) ?? true) }
            guard let found, !groups.contains(found.value.sql) else { return }
            throw .notGrouped(found.value.label)
        }
        let children = expression.children
        guard !children.isEmpty else { return }
        let value = try self.expression(expression, scope, allowingAliases: true)
        if groups.contains(value.sql) { return }
        for child in children { try checkGrouped(child, scope) }
    }
}

extension FunctionCall {
    /// Whether it makes one value of many rows.
    var isAggregate: Bool { window == nil && Aggregate.names.contains(name) }
}

extension Expression {
    /// Whether a part of it makes one value of many rows.
    var hasAggregate: Bool {
        if case .call(let call) = self, call.isAggregate { return true }
        return children.contains(where: \.hasAggregate)
    }

    /// The expressions that it consists of; queries inside of it have scopes of their own.
    var children: [Expression] {
        switch self {
        case .literal, .column, .exists, .scalar: []
        case .unary(_, let operand), .isNull(let operand, _), .isTruth(let operand, _, _), .cast(let operand, _, _),
            .inQuery(let operand, _, _):
            [operand]
        case .binary(_, let left, let right), .isDistinct(let left, let right, _): [left, right]
        case .inList(let operand, let list, _): [operand] + list
        case .between(let operand, let lower, let upper, _): [operand, lower, upper]
        case .like(let operand, let pattern, let escape, _, _): [operand, pattern] + (escape.map { [$0] } ?? [])
        case .choice(let operand, let branches, let otherwise):
            (operand.map { [$0] } ?? []) + branches.flatMap { [$0.when, $0.then] } + (otherwise.map { [$0] } ?? [])
        case .call(let call):
            call.arguments + call.order.map(\.expression) + (call.filter.map { [$0] } ?? [])
                + (call.window.map { $0.partition + $0.order.map(\.expression) } ?? [])
        }
    }
}
