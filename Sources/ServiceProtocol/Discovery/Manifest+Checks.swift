import HoldfastWire

extension Manifest {
    /// The media types of the versions that are understood, the oldest first.
    public static let mediaTypes = (1...4).map { "application/vnd.restate.endpointmanifest.v\($0)+json" }

    /// The value of the discovery request's `accept` header.
    public static let acceptHeader = mediaTypes.joined(separator: ", ")

    /// The highest number that a version of the service protocol may have.
    static let versionLimit: UInt64 = 2_147_483_647

    /// Over what an endpoint was discovered, as far as it decides whether both directions can be open at once.
    public enum Transport: Sendable, Hashable {
        /// HTTP/1.1 (which is trusted to be able to), HTTP/2 and later.
        case duplex
        /// HTTP/1.0 and earlier, or a function that is invoked.
        case halfDuplex
    }

    /// Reads the successful response to a discovery request, and checks it in the order in which clients expect errors.
    ///
    /// - Parameters:
    ///   - contentType: The response's header, which must be one of `mediaTypes` to the letter.
    ///   - server: The response's `x-restate-server` header. Some early TypeScript SDKs claim versions that they cannot
    ///     speak; they are refused.
    /// - Throws: META0012, META0013 or META0015; without a code for a body that cannot be decoded.
    public init(
        response body: Bytes, contentType: String?, transport: Transport, server: String? = nil
    ) throws(DiscoveryError) {
        guard let contentType else { throw .noContentType }
        guard Self.mediaTypes.contains(contentType) else { throw .unknownContentType(contentType) }
        let document: JSON
        do { document = try JSON(parsing: body) } catch { throw .undecodable(error.description, body: body) }
        do { try self.init(json: document) } catch { throw .undecodable(error.description, body: body) }
        guard let protocolMode else { throw .noProtocolMode }
        if protocolMode == .bidirectional, transport == .halfDuplex { throw .bidirectionalRefused }
        guard minProtocolVersion <= Self.versionLimit else { throw .versionTooLarge("min") }
        guard maxProtocolVersion <= Self.versionLimit else { throw .versionTooLarge("max") }
        guard minProtocolVersion <= maxProtocolVersion else {
            throw .versionsReversed(minProtocolVersion, maxProtocolVersion)
        }
        if let server, Self.overstatingServers.contains(where: server.hasPrefix) { maxProtocolVersion = 1 }
        guard minProtocolVersion <= ProtocolVersion.newest.rawValue, maxProtocolVersion >= ProtocolVersion.v5.rawValue
        else { throw .noCommonVersion(minProtocolVersion, maxProtocolVersion) }
    }

    private static let overstatingServers = ["1.0.", "1.1.", "1.2."].map { "restate-sdk-typescript/\($0)" }

    /// Checks the rules that a manifest can break by itself. Whether it fits what is registered, and whether its JSON
    /// Schemas are any, is not checked here.
    ///
    /// - Throws: The first error, in the order of services and handlers.
    public func check() throws(DiscoveryError) {
        for service in services { try service.check() }
    }
}

extension Manifest.Service {
    func check() throws(DiscoveryError) {
        let lowercase = name.lowercased()
        if lowercase.hasPrefix("restate") || lowercase == "openapi" { throw .reservedName(name) }
        for handler in handlers { try handler.check(in: self) }
    }
}

extension Manifest.Handler {
    func check(in service: Manifest.Service) throws(DiscoveryError) {
        guard let kind = kind(in: service.type) else { throw .handlerType(type ?? .shared, in: service.type) }
        if workflowCompletionRetention != nil, kind != .workflow { throw .workflowRetention(of: name) }
        if options.idempotencyRetention != nil, kind == .workflow { throw .idempotencyRetention(of: name) }
        if service.options.ingressPrivate == true, options.ingressPrivate == false {
            throw .publicHandler(name, ofPrivate: service.name)
        }
        if let contentType = input?.contentType { try check(inputContentType: contentType) }
        if let contentType = output?.contentType, !contentType.utf8.allSatisfy(isAllowedInHeader) {
            throw .outputContentType(contentType)
        }
    }

    /// A media type, of which the subtype, or both parts, may be `*`.
    private func check(inputContentType contentType: String) throws(DiscoveryError) {
        guard let slash = contentType.firstIndex(of: "/") else {
            throw .inputContentType(contentType, of: name, "must contain one /")
        }
        if contentType[..<slash] == "*", contentType[contentType.index(after: slash)...] != "*" {
            throw .inputContentType(contentType, of: name, "the wildcard format */subType is not supported")
        }
    }

    private func isAllowedInHeader(_ character: UInt8) -> Bool {
        character >= 0x20 && character < 0x7F || character == 0x09
    }
}
