import HoldfastEngine
import HoldfastServiceProtocol
import HoldfastWire

/// Where an attempt runs: decided anew for each attempt, from the registry of that moment (protocol §13).
struct AttemptRoute {
    let deployment: Deployment
    let version: ProtocolVersion
    /// The handler as the deployment's own revision has it; nil when that revision lacks it.
    let handler: ResolvedHandler?

    var pin: PinnedDeployment { PinnedDeployment(deployment: deployment.id, version: version) }

    /// The pinned deployment, or that of the service's latest revision.
    init(of start: AttemptStart, registry: Registry, newestVersion: ProtocolVersion) throws(AttemptError) {
        let target = start.target
        if let pinned = start.pinned {
            guard let deployment = registry.deployment(pinned.deployment) else {
                throw .pinnedDeploymentMissing(pinned.deployment)
            }
            self.deployment = deployment
            version = pinned.version
        } else {
            guard let deployment = registry.activeDeployment(ofService: target.service) else { throw .noDeployment }
            self.deployment = deployment
            version = try Self.newestCommonVersion(with: deployment, newestVersion)
        }
        handler = registry.resolve(service: target.service, handler: target.handler, on: deployment.id)
    }

    private static func newestCommonVersion(
        with deployment: Deployment, _ newest: ProtocolVersion
    ) throws(AttemptError) -> ProtocolVersion {
        let spoken = deployment.protocolVersions
        let chosen = min(spoken.upperBound, Int(newest.rawValue))
        guard spoken.contains(chosen), let version = UInt8(exactly: chosen).flatMap(ProtocolVersion.init(rawValue:))
        else { throw .incompatibleVersions(deployment.id, spoken) }
        return version
    }

    /// How long the attempt may have nothing to do, in milliseconds; 0: it is request/response.
    func inactivityTimeout(_ defaults: InvocationDefaults) -> UInt64 {
        if deployment.protocolMode == .requestResponse { return 0 }
        return handler?.inactivityTimeout ?? defaults.inactivityTimeout
    }

    /// How long the attempt may stay silent after it was asked to suspend, in milliseconds.
    func abortTimeout(_ defaults: InvocationDefaults) -> UInt64 { handler?.abortTimeout ?? defaults.abortTimeout }
}
