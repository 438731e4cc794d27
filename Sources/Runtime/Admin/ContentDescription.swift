import HoldfastWire

/// What a handler takes and gives, in a few words for people (admin §5.1).
enum ContentDescription {
    static func of(_ input: InputRules) -> String {
        guard input.isDeclared else { return "*/*" }
        guard let contentType = input.contentType else { return input.isRequired ? "<invalid rules>" : "none" }
        return words(contentType, input.jsonSchema)
    }

    static func of(_ output: OutputRules) -> String {
        guard let contentType = output.contentType else {
            return output.isDeclared ? "none" : "application/json"
        }
        if output.jsonSchema == nil, output.setContentTypeIfEmpty { return "optional \(contentType)" }
        return words(contentType, output.jsonSchema)
    }

    private static func words(_ contentType: String, _ schema: String?) -> String {
        guard let schema = schema.flatMap({ try? JSON(parsing: $0) }) else { return contentType }
        if let title = schema["title"]?.string { return "JSON '\(title)'" }
        if let type = schema["type"]?.string { return "JSON \(type)" }
        return contentType
    }
}
