import HoldfastWire

extension AdminAPI {
    func upsertRules(_ call: AdminCall) throws(AdminError) {
        var changes: [RuleChange] = []
        for (index, element) in try Self.elements(of: call).enumerated() {
            changes.append(try Self.change(JSONFields(element, path: "[\(index)]")))
        }
        let now = environment.now
        environment.change { [changes] registry throws(RegistryError) in
            var rules = registry.rules
            let changed = try rules.upsert(changes, now: now)
            return (registry.with(rules), changed)
        } done: { result in
            call.respond(result) { .json(200, .array($0.map(Self.json(of:)))) }
        }
    }

    func removeRules(_ call: AdminCall) throws(AdminError) {
        var removals: [(pattern: String, expectedVersion: UInt32?)] = []
        for (index, element) in try Self.elements(of: call).enumerated() {
            let fields = try JSONFields(element, path: "[\(index)]")
            removals.append((try Self.pattern(fields), try fields.uint32("expected_version")))
        }
        environment.change { [removals] registry throws(RegistryError) in
            var rules = registry.rules
            let removed = try rules.remove(removals)
            return (registry.with(rules), removed)
        } done: { result in
            call.respond(result) { .json(200, .array($0.map(JSON.string))) }
        }
    }

    /// Queues of their own do not exist: a well-formed id is accepted, and has no effect.
    func steerQueue(_ call: AdminCall) throws(AdminError) {
        let text = call.parameter("vqueue_id")
        // A queue's id has the fields of an invocation's, behind another prefix.
        let isInvocation = text.hasPrefix("inv_")
        do throws(IdentifierError) {
            if isInvocation { throw IdentifierError.otherType }
            _ = try InvocationID(text: text.hasPrefix("vq_") ? "inv\(text.dropFirst(2))" : text)
        } catch {
            throw .field("vqueue_id", error.message)
        }
        call.respond(.empty(202))
    }

    private static func elements(of call: AdminCall) throws(AdminError) -> [JSON] {
        guard let elements = try JSONFields.document(call).array else {
            throw .bodyShape("the document is not a sequence")
        }
        return elements
    }

    private static func change(_ fields: JSONFields) throws(AdminError) -> RuleChange {
        var change = RuleChange(pattern: try pattern(fields))
        if let limits = try fields.fields("limits") {
            change.concurrency = try limits.uint32("concurrency")
            guard change.concurrency != 0 else {
                throw .bodyShape(
                    "\(limits.path(of: "concurrency")): invalid value: integer `0`, expected a nonzero u32")
            }
        }
        change.description = try fields.string("description")
        change.isDisabled = try fields.bool("disabled") ?? false
        if let precondition = try fields.fields("precondition") {
            switch try precondition.required("type", precondition.string("type")) {
            case "none": change.precondition = .none
            case "does_not_exist": change.precondition = .doesNotExist
            case "matches":
                change.precondition = .matches(
                    try precondition.required("version", precondition.uint32("version")))
            case let type:
                throw .bodyShape(
                    "\(precondition.path(of: "type")): unknown variant `\(type)`, expected one of `none`, "
                        + "`does_not_exist`, `matches`")
            }
        }
        return change
    }

    private static func pattern(_ fields: JSONFields) throws(AdminError) -> String {
        let text = try fields.required("pattern", fields.string("pattern"))
        do {
            return try RulePattern.canonical(text)
        } catch {
            throw .bodyShape("\(fields.path(of: "pattern")): \(error)")
        }
    }

    private static func json(of rule: LimitRule) -> JSON {
        var members = JSONMembers()
        members["pattern"] = .string(rule.pattern)
        members["limits"] = rule.concurrency.map { ["concurrency": JSON($0)] } ?? [:]
        members["description"] = rule.description.map(JSON.string)
        members["disabled"] = .bool(rule.isDisabled)
        members["version"] = JSON(rule.version)
        members["last_modified_millis_since_epoch"] = JSON(rule.modified.millis)
        return .object(members.list)
    }
}
