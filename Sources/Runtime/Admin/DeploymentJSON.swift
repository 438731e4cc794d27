import HoldfastWire

/// Deployments as the admin API prints them (admin §4.1).
enum DeploymentJSON {
    /// The form of lists and of details, which differ in what they tell of the services.
    static func make(_ deployment: Deployment, services: [JSON]) -> JSON {
        var members: [JSON.Member] = [
            .init("id", .string(deployment.id.description)),
            .init("uri", .string(deployment.address.description)),
            .init("protocol_type", .string(deployment.protocolMode.rawValue)),
            .init("http_version", .string(deployment.httpVersion.rawValue)),
        ]
        let headers = deployment.additionalHeaders.map { JSON.Member($0.name, .string($0.value)) }
        if !headers.isEmpty { members.append(.init("additional_headers", .object(headers))) }
        let metadata = deployment.metadata.map { JSON.Member($0.key, .string($0.value)) }
        if !metadata.isEmpty { members.append(.init("metadata", .object(metadata))) }
        members.append(.init("created_at", .string(deployment.created.text(fractionDigits: 9) + "Z")))
        return .object(members + protocolMembers(deployment) + [.init("services", .array(services))])
    }

    /// The answer to a registration.
    static func registered(_ deployment: Deployment, defaults: InvocationDefaults) -> JSON {
        let services = deployment.sortedServices.map { ServiceJSON.make($0, of: deployment, defaults: defaults) }
        return .object(
            [.init("id", .string(deployment.id.description)), .init("services", .array(services))]
                + protocolMembers(deployment))
    }

    /// A service in the list of deployments.
    static func reference(_ service: ServiceSchema) -> JSON {
        ["name": .string(service.name), "revision": JSON(service.revision)]
    }

    private static func protocolMembers(_ deployment: Deployment) -> [JSON.Member] {
        var members: [JSON.Member] = [
            .init("min_protocol_version", JSON(deployment.protocolVersions.lowerBound)),
            .init("max_protocol_version", JSON(deployment.protocolVersions.upperBound)),
        ]
        if let version = deployment.sdkVersion { members.append(.init("sdk_version", .string(version))) }
        return members
    }
}
