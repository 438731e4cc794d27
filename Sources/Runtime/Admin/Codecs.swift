import HoldfastWire

extension AdminAPI {
    /// Forwards a payload to the codec of the service that knows its form (admin §9). The answer has no content type,
    /// since it is the endpoint's as it is.
    func convert(_ direction: CodecRequest.Direction, _ call: AdminCall) throws(AdminError) {
        let service = call.parameter("service")
        let request = CodecRequest(
            deployment: try deployment(ofCodecsOf: service, call), service: service, direction: direction,
            codec: call.parameter("serde"), contentType: call.request.contentType, payload: call.request.body)
        environment.convert(request) { result in
            call.respond(result) { AdminResponse(status: 200, body: $0) }
        }
    }

    /// The deployment that the request names, else that of the service's active revision.
    private func deployment(ofCodecsOf service: String, _ call: AdminCall) throws(AdminError) -> Deployment {
        guard let text = try call.query("deployment") else {
            guard let active = registry.activeDeployment(ofService: service) else { throw .serviceUnknown(service) }
            return active
        }
        let id: DeploymentID
        do {
            id = try DeploymentID(text: text)
        } catch {
            throw .queryValue("deployment", error.message)
        }
        guard let deployment = registry.deployment(id) else { throw .deploymentUnknown(id) }
        guard deployment.services[service] != nil else { throw .serviceUnknown(service) }
        return deployment
    }
}
