import HoldfastWire

extension Manifest {
    /// Why a document is no manifest.
    public struct DecodingError: Error, Sendable, Hashable, CustomStringConvertible {
        /// Where and what: `services[0].name: it is missing`.
        public let description: String
    }

    /// Reads a document of any version.
    ///
    /// Of services with the same name, and of handlers with the same name, the last one is kept, at the place of the
    /// first.
    public init(json document: JSON) throws(DecodingError) {
        let root = try Fields(document, at: "")
        protocolMode = try root.choice("protocolMode")
        minProtocolVersion = try root.version("minProtocolVersion")
        maxProtocolVersion = try root.version("maxProtocolVersion")
        services = []
        for (index, element) in try root.array("services").enumerated() {
            let service = try Service(Fields(element, at: "services[\(index)]"))
            if let earlier = services.firstIndex(where: { $0.name == service.name }) {
                services[earlier] = service
            } else {
                services.append(service)
            }
        }
    }
}

extension Manifest.Service {
    fileprivate init(_ fields: Fields) throws(Manifest.DecodingError) {
        name = try fields.name(allowing: [UInt8(ascii: "."), UInt8(ascii: "-")])
        guard let type: Manifest.ServiceType = try fields.choice("ty") else { throw fields.missing("ty") }
        self.type = type
        options = try Manifest.Options(fields)
        handlers = []
        for (index, element) in try fields.array("handlers").enumerated() {
            let handler = try Manifest.Handler(Fields(element, at: "\(fields.path).handlers[\(index)]"))
            if let earlier = handlers.firstIndex(where: { $0.name == handler.name }) {
                handlers[earlier] = handler
            } else {
                handlers.append(handler)
            }
        }
    }
}

extension Manifest.Handler {
    fileprivate init(_ fields: Fields) throws(Manifest.DecodingError) {
        name = try fields.name(allowing: [])
        type = try fields.choice("ty")
        workflowCompletionRetention = try fields.number("workflowCompletionRetention")
        options = try Manifest.Options(fields)
        if let input = try fields.object("input") {
            self.input = Manifest.Input(
                isRequired: try input.bool("required") ?? false, contentType: try input.string("contentType"),
                jsonSchema: input["jsonSchema"])
        }
        if let output = try fields.object("output") {
            self.output = Manifest.Output(
                contentType: try output.string("contentType"),
                setsContentTypeIfEmpty: try output.bool("setContentTypeIfEmpty") ?? false,
                jsonSchema: output["jsonSchema"])
        }
    }
}

extension Manifest.Options {
    fileprivate init(_ fields: Fields) throws(Manifest.DecodingError) {
        self.init()
        documentation = try fields.string("documentation")
        metadata = try fields.texts("metadata")
        inactivityTimeout = try fields.number("inactivityTimeout")
        abortTimeout = try fields.number("abortTimeout")
        journalRetention = try fields.number("journalRetention")
        idempotencyRetention = try fields.number("idempotencyRetention")
        enableLazyState = try fields.bool("enableLazyState")
        ingressPrivate = try fields.bool("ingressPrivate")
        retryPolicy.initialInterval = try fields.number("retryPolicyInitialInterval")
        retryPolicy.maxInterval = try fields.number("retryPolicyMaxInterval")
        retryPolicy.maxAttempts = try fields.number("retryPolicyMaxAttempts").map { max($0, 1) }
        retryPolicy.exponentiationFactor = try fields.double("retryPolicyExponentiationFactor")
        retryPolicy.onMaxAttempts = try fields.choice("retryPolicyOnMaxAttempts")
    }
}

/// The fields of one object in the document. A field that is `null` is absent.
private struct Fields {
    let path: String
    private let members: [String: JSON]

    init(_ value: JSON, at path: String) throws(Manifest.DecodingError) {
        guard let members = value.members else {
            throw Manifest.DecodingError(
                description: "\(path.isEmpty ? "the document" : path) is \(value.kind) instead of an object")
        }
        self.path = path
        self.members = Dictionary(members.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
    }

    subscript(name: String) -> JSON? {
        guard let value = members[name], !value.isNull else { return nil }
        return value
    }

    func string(_ name: String) throws(Manifest.DecodingError) -> String? {
        try read(name, as: "a string", \.string)
    }

    func bool(_ name: String) throws(Manifest.DecodingError) -> Bool? {
        try read(name, as: "true or false", \.bool)
    }

    func number(_ name: String) throws(Manifest.DecodingError) -> UInt64? {
        try read(name, as: "an integer that is not negative", \.uint)
    }

    func double(_ name: String) throws(Manifest.DecodingError) -> Double? {
        try read(name, as: "a number", \.double)
    }

    func array(_ name: String) throws(Manifest.DecodingError) -> [JSON] {
        guard let elements = try read(name, as: "an array", \.array) else { throw missing(name) }
        return elements
    }

    func object(_ name: String) throws(Manifest.DecodingError) -> Fields? {
        guard let value = self[name] else { return nil }
        return try Fields(value, at: pathOf(name))
    }

    func version(_ name: String) throws(Manifest.DecodingError) -> UInt64 {
        guard let version = try number(name) else { throw missing(name) }
        guard version > 0 else {
            throw Manifest.DecodingError(description: "\(pathOf(name)) is 0; versions start at 1")
        }
        return version
    }

    func choice<Choice: RawRepresentable & CaseIterable>(
        _ name: String
    ) throws(Manifest.DecodingError) -> Choice? where Choice.RawValue == String {
        guard let text = try string(name) else { return nil }
        guard let choice = Choice(rawValue: text) else {
            let choices = Choice.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
            throw Manifest.DecodingError(
                description: "\(pathOf(name)) is \(JSON.string(text).text) instead of one of \(choices)")
        }
        return choice
    }

    func texts(_ name: String) throws(Manifest.DecodingError) -> [String: String]? {
        guard let members = try read(name, as: "an object", \.members) else { return nil }
        var texts: [String: String] = [:]
        for member in members {
            guard let text = member.value.string else {
                throw Manifest.DecodingError(
                    description: "\(pathOf(name)).\(member.key) is \(member.value.kind) instead of a string")
            }
            texts[member.key] = text
        }
        return texts
    }

    /// The name of a service or handler: a letter, or an underscore and a letter or digit, then letters, digits,
    /// underscores, and what else is allowed.
    func name(allowing others: [UInt8]) throws(Manifest.DecodingError) -> String {
        guard let name = try string("name") else { throw missing("name") }
        let bytes = Array(name.utf8)
        let beginsWell = bytes.first.map(isLetter) ?? false
        let beginsWithUnderscore = bytes.count > 1 && bytes[0] == UInt8(ascii: "_") && isLetterOrDigit(bytes[1])
        let goesOnWell = bytes.dropFirst().allSatisfy {
            isLetterOrDigit($0) || $0 == UInt8(ascii: "_") || others.contains($0)
        }
        guard beginsWell || beginsWithUnderscore, goesOnWell else {
            let pattern = "^([a-zA-Z]|_[a-zA-Z0-9])[a-zA-Z0-9\(others.isEmpty ? "_" : "._-")]*$"
            throw Manifest.DecodingError(
                description:
                    "\(pathOf("name")) is \(JSON.string(name).text), which doesn't match pattern \"\(pattern)\"")
        }
        return name
    }

    func missing(_ name: String) -> Manifest.DecodingError {
        Manifest.DecodingError(description: "missing field `\(name)`\(path.isEmpty ? "" : " in \(path)")")
    }

    private func read<Value>(
        _ name: String, as expected: String, _ value: (JSON) -> Value?
    ) throws(Manifest.DecodingError) -> Value? {
        guard let field = self[name] else { return nil }
        guard let value = value(field) else {
            throw Manifest.DecodingError(description: "\(pathOf(name)) is \(field.kind) instead of \(expected)")
        }
        return value
    }

    private func pathOf(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

    private func isLetter(_ character: UInt8) -> Bool {
        let lowercase = character | 0x20
        return lowercase >= UInt8(ascii: "a") && lowercase <= UInt8(ascii: "z")
    }

    private func isLetterOrDigit(_ character: UInt8) -> Bool {
        isLetter(character) || character >= UInt8(ascii: "0") && character <= UInt8(ascii: "9")
    }
}

extension JSON {
    /// What it is, for messages; numbers are shown, texts and structures could be long.
    fileprivate var kind: String {
        switch self {
        case .null: "null"
        case .bool, .integer, .unsigned, .number: text
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}
