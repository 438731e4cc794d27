import HoldfastEngine
import HoldfastWire

/// The registry as it is stored: one record per deployment and one for the limit rules, in `Family.metadata`.
///
///     "registry/deployment/" · id (16 bytes)   →   version (1 byte) · JSON
///     "registry/rules"                         →   version (1 byte) · JSON
///
/// JSON, because the records are few, are read at start only, and grow by members that an older reader ignores.
enum RegistryRecords {
    /// A pair to write; nil: a key to delete.
    typealias Change = (key: [UInt8], value: Bytes?)

    /// All keys of the registry are in this range.
    static let keys = (lower: Array("registry/".utf8), upper: Array("registry0".utf8))

    private static let version: UInt8 = 1
    private static let deploymentPrefix = Array("registry/deployment/".utf8)
    private static let rulesKey = Array("registry/rules".utf8)

    /// What must be written so that the store holds `registry` instead of `earlier`.
    static func changes(from earlier: Registry, to registry: Registry) -> [Change] {
        let (changed, removed) = registry.differences(from: earlier)
        var changes: [Change] = changed.map { (deploymentPrefix + $0.id.bytes, record(json(of: $0))) }
        changes += removed.map { (deploymentPrefix + $0.bytes, nil) }
        if registry.rules != earlier.rules { changes.append((rulesKey, record(json(of: registry.rules)))) }
        return changes
    }

    /// Reads the registry that a store holds.
    static func read(
        from store: some ReadableStore, defaults: InvocationDefaults
    ) throws(StorageError) -> Registry {
        var records: [(key: Bytes, value: Bytes)] = []
        try store.scan(.metadata, from: keys.lower, to: keys.upper) { key, value throws(StorageError) in
            records.append((key, value))
            return true
        }
        return try registry(of: records, defaults: defaults)
    }

    /// The registry that pairs of the store stand for. Keys of no known kind are left alone.
    static func registry(
        of records: [(key: Bytes, value: Bytes)], defaults: InvocationDefaults
    ) throws(StorageError) -> Registry {
        var deployments: [Deployment] = []
        var rules = RuleBook()
        for (key, value) in records {
            if key.elementsEqual(rulesKey) {
                rules = try ruleBook(StoredJSON(try document(value, of: key), in: key))
            } else if key.starts(with: deploymentPrefix) {
                deployments.append(try deployment(StoredJSON(try document(value, of: key), in: key)))
            }
        }
        return Registry(deployments: deployments, rules: rules, defaults: defaults)
    }

    private static func record(_ document: JSON) -> Bytes {
        var bytes = [version]
        document.append(to: &bytes)
        return bytes[...]
    }

    private static func document(_ value: Bytes, of key: Bytes) throws(StorageError) -> JSON {
        guard let found = value.first else { throw .registryRecord(key, "is empty") }
        guard found <= version else {
            throw StorageError(
                .tooNew,
                "Cannot read the registry: a record has format \(found), and this program reads formats up to "
                    + "\(version). Nothing was changed. Start the version that wrote it, or a newer one.")
        }
        do {
            // The depth is bounded when a manifest is accepted; a record wraps it in a few levels of its own.
            return try JSON(parsing: value.dropFirst(), maximumDepth: JSON.maximumDepth + 16)
        } catch {
            throw .registryRecord(key, "is no JSON (\(error))")
        }
    }
}

// MARK: - Deployments

extension RegistryRecords {
    private static func json(of deployment: Deployment) -> JSON {
        [
            "id": .string(deployment.id.description),
            "address": .string(deployment.address.description),
            "mode": .string(deployment.protocolMode.rawValue),
            "http": .string(deployment.httpVersion.rawValue),
            "headers": pairs(deployment.additionalHeaders.map { ($0.name, $0.value) }),
            "metadata": pairs(deployment.metadata.map { ($0.key, $0.value) }),
            "created": JSON(deployment.created.millis),
            "versions": [JSON(deployment.protocolVersions.lowerBound), JSON(deployment.protocolVersions.upperBound)],
            "sdk": JSON(deployment.sdkVersion),
            "services": .array(deployment.sortedServices.map(json(of:))),
        ]
    }

    private static func deployment(_ stored: StoredJSON) throws(StorageError) -> Deployment {
        let id: DeploymentID = try stored.value("id") { try? DeploymentID(text: $0) }
        let versions = try stored.array("versions").compactMap { $0.document.uint }.compactMap { Int(exactly: $0) }
        guard versions.count == 2, versions[0] <= versions[1] else { throw stored.damaged("versions") }
        var services: [String: ServiceSchema] = [:]
        for service in try stored.array("services") {
            let schema = try self.service(service, of: id)
            services[schema.name] = schema
        }
        return Deployment(
            id: id,
            address: try stored.value("address") { try? DeploymentAddress(text: $0) },
            protocolMode: try stored.value("mode") { ProtocolMode(rawValue: $0) },
            httpVersion: try stored.value("http") { DeploymentHTTPVersion(rawValue: $0) },
            additionalHeaders: try stored.pairs("headers").map { (name: $0, value: $1) },
            metadata: try stored.pairs("metadata").map { (key: $0, value: $1) },
            created: Timestamp(millis: try stored.number("created")),
            protocolVersions: versions[0]...versions[1],
            sdkVersion: stored.document["sdk"]?.string,
            services: services)
    }

    private static func json(of service: ServiceSchema) -> JSON {
        [
            "name": .string(service.name),
            "kind": .string(service.kind.rawValue),
            "revision": JSON(service.revision),
            "documentation": JSON(service.documentation),
            "metadata": pairs(service.metadata.map { ($0.key, $0.value) }),
            "public": .bool(service.isPublic),
            "settings": json(of: service.settings),
            "handlers": .array(service.sortedHandlers.map(json(of:))),
        ]
    }

    private static func service(
        _ stored: StoredJSON, of deployment: DeploymentID
    ) throws(StorageError) -> ServiceSchema {
        var handlers: [String: HandlerSchema] = [:]
        for handler in try stored.array("handlers") {
            let schema = try self.handler(handler)
            handlers[schema.name] = schema
        }
        guard let revision = UInt32(exactly: try stored.number("revision")) else { throw stored.damaged("revision") }
        return ServiceSchema(
            name: try stored.string("name"),
            kind: try stored.value("kind") { ServiceKind(rawValue: $0) },
            revision: revision, deployment: deployment, handlers: handlers,
            documentation: stored.document["documentation"]?.string,
            metadata: try stored.pairs("metadata").map { (key: $0, value: $1) },
            isPublic: try stored.bool("public"),
            settings: settings(stored.document["settings"] ?? .null))
    }

    private static func json(of handler: HandlerSchema) -> JSON {
        [
            "name": .string(handler.name),
            "kind": JSON(handler.kind.rawValue),
            "public": handler.isPublic.map(JSON.bool) ?? .null,
            "settings": json(of: handler.settings),
            "input": [
                "declared": .bool(handler.input.isDeclared), "required": .bool(handler.input.isRequired),
                "type": JSON(handler.input.contentType), "schema": JSON(handler.input.jsonSchema),
            ],
            "output": [
                "declared": .bool(handler.output.isDeclared), "type": JSON(handler.output.contentType),
                "even if empty": .bool(handler.output.setContentTypeIfEmpty),
                "schema": JSON(handler.output.jsonSchema),
            ],
            "documentation": JSON(handler.documentation),
            "metadata": pairs(handler.metadata.map { ($0.key, $0.value) }),
        ]
    }

    private static func handler(_ stored: StoredJSON) throws(StorageError) -> HandlerSchema {
        let number = UInt8(exactly: try stored.number("kind"))
        guard let kind = number.flatMap(TargetKind.init(rawValue:)) else { throw stored.damaged("kind") }
        let input = try stored.object("input")
        let output = try stored.object("output")
        return HandlerSchema(
            name: try stored.string("name"), kind: kind,
            isPublic: stored.document["public"]?.bool,
            settings: settings(stored.document["settings"] ?? .null),
            input: InputRules(
                isDeclared: try input.bool("declared"), isRequired: try input.bool("required"),
                contentType: input.document["type"]?.string, jsonSchema: input.document["schema"]?.string),
            output: OutputRules(
                isDeclared: try output.bool("declared"), contentType: output.document["type"]?.string,
                setContentTypeIfEmpty: try output.bool("even if empty"),
                jsonSchema: output.document["schema"]?.string),
            documentation: stored.document["documentation"]?.string,
            metadata: try stored.pairs("metadata").map { (key: $0, value: $1) })
    }

    private static func pairs(_ pairs: [(String, String)]) -> JSON {
        .array(pairs.map { [.string($0.0), .string($0.1)] })
    }
}

// MARK: - Settings

extension RegistryRecords {
    private nonisolated(unsafe) static let durations: [(String, WritableKeyPath<HandlerSettings, UInt64?>)] = [
        ("inactivity", \.inactivityTimeout), ("abort", \.abortTimeout), ("journal", \.journalRetention),
        ("idempotency", \.idempotencyRetention), ("workflow", \.workflowCompletionRetention),
        ("initial", \.retryInitialInterval), ("max", \.retryMaxInterval),
    ]

    private static func json(of settings: HandlerSettings) -> JSON {
        var members = durations.compactMap { name, path in
            settings[keyPath: path].map { JSON.Member(name, JSON($0)) }
        }
        if let value = settings.enableLazyState { members.append(JSON.Member("lazy", .bool(value))) }
        if let value = settings.retryMaxAttempts { members.append(JSON.Member("attempts", JSON(value))) }
        if let value = settings.retryFactor { members.append(JSON.Member("factor", .number(Double(value)))) }
        if let value = settings.retryOnMaxAttempts { members.append(JSON.Member("on max", .string(value.rawValue))) }
        return .object(members)
    }

    private static func settings(_ document: JSON) -> HandlerSettings {
        var settings = HandlerSettings()
        for (name, path) in durations { settings[keyPath: path] = document[name]?.uint }
        settings.enableLazyState = document["lazy"]?.bool
        settings.retryMaxAttempts = document["attempts"]?.uint.flatMap { UInt32(exactly: $0) }
        settings.retryFactor = document["factor"]?.double.map(Float.init)
        settings.retryOnMaxAttempts = document["on max"]?.string.flatMap(OnMaxAttempts.init(rawValue:))
        return settings
    }
}

// MARK: - Rules

extension RegistryRecords {
    private static func json(of book: RuleBook) -> JSON {
        let rules = book.sorted.map { rule -> JSON in
            [
                "pattern": .string(rule.pattern), "concurrency": rule.concurrency.map { JSON($0) } ?? .null,
                "description": JSON(rule.description), "disabled": .bool(rule.isDisabled),
                "version": JSON(rule.version), "modified": JSON(rule.modified.millis),
            ]
        }
        return ["version": JSON(book.version), "rules": .array(rules)]
    }

    private static func ruleBook(_ stored: StoredJSON) throws(StorageError) -> RuleBook {
        var rules: [LimitRule] = []
        for rule in try stored.array("rules") {
            rules.append(
                LimitRule(
                    pattern: try rule.string("pattern"),
                    concurrency: rule.document["concurrency"]?.uint.flatMap { UInt32(exactly: $0) },
                    description: rule.document["description"]?.string,
                    isDisabled: try rule.bool("disabled"),
                    version: UInt32(truncatingIfNeeded: try rule.number("version")),
                    modified: Timestamp(millis: try rule.number("modified"))))
        }
        return RuleBook(version: UInt32(truncatingIfNeeded: try stored.number("version")), rules: rules)
    }
}

// MARK: - Reading

/// A part of a stored document, whose members must be what they were when they were written.
private struct StoredJSON {
    let document: JSON
    private let key: Bytes

    init(_ document: JSON, in key: Bytes) {
        self.document = document
        self.key = key
    }

    func damaged(_ name: String) -> StorageError { .registryRecord(key, "has no valid '\(name)'") }

    func string(_ name: String) throws(StorageError) -> String { try value(name) { $0 } }

    func value<Value>(_ name: String, _ parse: (String) -> Value?) throws(StorageError) -> Value {
        guard let value = document[name]?.string.flatMap(parse) else { throw damaged(name) }
        return value
    }

    func number(_ name: String) throws(StorageError) -> UInt64 {
        guard let value = document[name]?.uint else { throw damaged(name) }
        return value
    }

    func bool(_ name: String) throws(StorageError) -> Bool {
        guard let value = document[name]?.bool else { throw damaged(name) }
        return value
    }

    func object(_ name: String) throws(StorageError) -> StoredJSON {
        guard let value = document[name], value.members != nil else { throw damaged(name) }
        return StoredJSON(value, in: key)
    }

    func array(_ name: String) throws(StorageError) -> [StoredJSON] {
        guard let elements = document[name]?.array else { throw damaged(name) }
        return elements.map { StoredJSON($0, in: key) }
    }

    func pairs(_ name: String) throws(StorageError) -> [(String, String)] {
        var pairs: [(String, String)] = []
        for pair in try array(name) {
            guard let texts = pair.document.array?.compactMap(\.string), texts.count == 2 else { throw damaged(name) }
            pairs.append((texts[0], texts[1]))
        }
        return pairs
    }
}

extension StorageError {
    fileprivate static func registryRecord(_ key: Bytes, _ fault: String) -> StorageError {
        StorageError(
            .damaged,
            "Cannot read the registry: the record '\(key.hex)' \(fault). It was written by another program or the disk "
                + "damaged it; restore a backup, or remove the record and register its deployment again.")
    }
}
