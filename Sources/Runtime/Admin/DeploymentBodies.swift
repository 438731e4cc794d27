import HoldfastWire

/// The body of `POST /deployments`.
struct RegistrationBody {
    let request: RegistrationRequest
    let discovery: DiscoveryRequest
    /// Discover and check, and change nothing.
    let isDryRun: Bool

    init(_ fields: JSONFields, version: AdminVersion, settings: AdminSettings) throws(AdminError) {
        guard let uri = try fields.string("uri") else {
            guard let arn = try fields.string("arn") else {
                throw .bodyShape("neither `uri` nor `arn` names what to register")
            }
            throw LambdaARN.fault(in: arn).map { .field("arn", $0) } ?? .lambdaUnsupported
        }
        let address = try DeploymentBodies.address(uri)
        if fields["auth"] != nil { throw .authUnsupported }
        var request = RegistrationRequest(address: address)
        request.additionalHeaders = try fields.headers("additional_headers") ?? []
        request.metadata = try fields.strings("metadata") ?? []
        request.allowsBreakingChanges = try fields.bool("breaking") ?? false
        request.overwrites = try fields.bool("force") ?? (version == .v2)
        request.routingHeaders = settings.routingHeaders
        self.request = request
        isDryRun = try fields.bool("dry_run") ?? false
        discovery = DiscoveryRequest(
            address: address, additionalHeaders: request.additionalHeaders,
            usesHTTP1: try fields.bool("use_http_11") ?? false)
    }
}

/// The body of `PATCH /deployments/{id}`.
struct UpdateBody {
    let update: DeploymentUpdate
    let discovery: DiscoveryRequest
    let isDryRun: Bool

    /// Nil: the body changes nothing.
    init?(_ fields: JSONFields, of deployment: Deployment) throws(AdminError) {
        if let arn = try fields.string("arn") {
            throw LambdaARN.fault(in: arn).map { .field("arn", $0) } ?? .lambdaUnsupported
        }
        guard fields["assume_role_arn"] == nil else { throw .lambdaUpdateOfHTTP }
        var update = DeploymentUpdate()
        update.additionalHeaders = try fields.headers("additional_headers")
        update.replacesServices = try fields.bool("overwrite") ?? false
        if let uri = try fields.string("uri") { update.address = try DeploymentBodies.address(uri) }
        let usesHTTP1 = try fields.bool("use_http_11")
        guard update.address != nil || update.additionalHeaders != nil || usesHTTP1 != nil else { return nil }
        self.update = update
        isDryRun = try fields.bool("dry_run") ?? false
        // A new address without the switch means HTTP/2, whatever the old one spoke.
        let usesHTTP1BySelf = update.address == nil && deployment.httpVersion != .http2
        discovery = DiscoveryRequest(
            address: update.address ?? deployment.address,
            additionalHeaders: update.additionalHeaders ?? deployment.additionalHeaders,
            usesHTTP1: usesHTTP1 ?? usesHTTP1BySelf)
    }
}

private enum DeploymentBodies {
    static func address(_ uri: String) throws(AdminError) -> DeploymentAddress {
        do {
            return try DeploymentAddress(text: uri)
        } catch {
            switch error {
            case .notURI: throw .bodyShape("uri: '\(uri)' is no URI")
            case .notAbsolute:
                throw .field("uri", "The provided uri \(uri) is not absolute, only absolute URIs can be used.")
            }
        }
    }
}

/// The names of AWS Lambda functions; they are checked, so that the error names what is wrong first.
private enum LambdaARN {
    static func fault(in arn: String) -> String? {
        let components = arn.split(separator: ":", omittingEmptySubsequences: false)
        guard components.count == 8 else { return "A qualified ARN must have 8 components delimited by `:`" }
        guard components[0] == "arn", components[2] == "lambda", components[5] == "function" else {
            return "Only `arn:…:lambda:…:function:…` names a Lambda function"
        }
        return components[7].isEmpty ? "The function's version or alias is missing" : nil
    }
}
