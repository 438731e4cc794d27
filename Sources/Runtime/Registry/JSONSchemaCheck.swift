import HoldfastWire

/// Checks that a JSON Schema of a manifest can be published (discovery §6.1): that it has the form of one
/// (draft 2020-12), and that it refers to nothing outside of itself.
///
/// Bodies are not validated against schemas, so what goes beyond that is left to those who use them.
struct JSONSchemaCheck {
    private let identifiers: Set<String>

    /// Why a document is no schema; nil if it is one.
    static func fault(in schema: JSON) -> String? {
        var identifiers: Set<String> = []
        collectIdentifiers(of: schema, into: &identifiers)
        return JSONSchemaCheck(identifiers: identifiers).fault(in: schema)
    }

    private func fault(in schema: JSON) -> String? {
        if schema.bool != nil { return nil }
        guard let members = schema.members else { return "\(schema.text) is not of types \"boolean\", \"object\"" }
        return members.lazy.compactMap(fault(of:)).first
    }

    private func fault(of member: JSON.Member) -> String? {
        let value = member.value
        switch member.key {
        case "type": return Self.isType(value) ? nil : "\(value.text) \(Self.noAlternative)"
        case "$ref", "$dynamicRef": return value.string.map(fault(ofReference:)) ?? Self.wrongType(value, "string")
        case "enum": return value.array == nil ? Self.wrongType(value, "array") : nil
        case "required":
            guard let names = value.array else { return Self.wrongType(value, "array") }
            return names.first { $0.string == nil }.map { Self.wrongType($0, "string") }
        case "items":  // A list in older drafts.
            return (value.array ?? [value]).lazy.compactMap(fault(in:)).first
        case let key where Self.schemaKeywords.contains(key): return fault(in: value)
        case let key where Self.schemaListKeywords.contains(key):
            guard let schemas = value.array else { return Self.wrongType(value, "array") }
            return schemas.lazy.compactMap(fault(in:)).first
        case let key where Self.schemaMapKeywords.contains(key):
            guard let members = value.members else { return Self.wrongType(value, "object") }
            return members.lazy.compactMap { fault(in: $0.value) }.first
        case let key where Self.textKeywords.contains(key):
            return value.string == nil ? Self.wrongType(value, "string") : nil
        case let key where Self.countKeywords.contains(key):
            guard let number = value.double else { return Self.wrongType(value, "integer") }
            return number < 0 ? "\(value.text) is less than the minimum of 0" : nil
        case let key where Self.numberKeywords.contains(key):
            return value.double == nil ? Self.wrongType(value, "number") : nil
        default: return nil
        }
    }

    private func fault(ofReference reference: String) -> String? {
        let resource = String(reference.prefix { $0 != "#" })
        if resource.isEmpty || identifiers.contains(resource) || Self.isMetaSchema(resource) { return nil }
        return "Resource '\(resource)' is not present in a registry and retrieving it failed: the schema contains an "
            + "external reference \(resource). This is not supported, all schemas uploaded to Restate should be "
            + "normalized first, bundling the external references."
    }

    private static func isType(_ value: JSON) -> Bool {
        let names = value.array ?? [value]
        return !names.isEmpty && Set(names).count == names.count
            && names.allSatisfy { $0.string.map(typeNames.contains) ?? false }
    }

    private static func isMetaSchema(_ resource: String) -> Bool {
        resource.hasPrefix("https://json-schema.org/draft/") || resource.hasPrefix("http://json-schema.org/draft-")
    }

    private static func wrongType(_ value: JSON, _ expected: String) -> String {
        "\(value.text) is not of type \"\(expected)\""
    }

    private static func collectIdentifiers(of document: JSON, into identifiers: inout Set<String>) {
        for element in document.array ?? [] { collectIdentifiers(of: element, into: &identifiers) }
        for member in document.members ?? [] {
            if member.key == "$id", let identifier = member.value.string {
                identifiers.insert(String(identifier.prefix { $0 != "#" }))
            }
            collectIdentifiers(of: member.value, into: &identifiers)
        }
    }

    private static let noAlternative = "is not valid under any of the schemas listed in the 'anyOf' keyword"
    private static let typeNames: Set = ["array", "boolean", "integer", "null", "number", "object", "string"]
    private static let schemaKeywords: Set = [
        "additionalProperties", "contains", "contentSchema", "else", "if", "not", "propertyNames", "then",
        "unevaluatedItems", "unevaluatedProperties",
    ]
    private static let schemaListKeywords: Set = ["allOf", "anyOf", "oneOf", "prefixItems"]
    private static let schemaMapKeywords: Set = [
        "$defs", "definitions", "dependentSchemas", "patternProperties", "properties",
    ]
    private static let textKeywords: Set = ["$comment", "$id", "$schema", "description", "format", "pattern", "title"]
    private static let countKeywords: Set = [
        "maxContains", "maxItems", "maxLength", "maxProperties", "minContains", "minItems", "minLength",
        "minProperties",
    ]
    /// Without the exclusive bounds, which are Booleans in older drafts.
    private static let numberKeywords: Set = ["maximum", "minimum", "multipleOf"]
}
