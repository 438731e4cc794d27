import HoldfastWire

/// Clusters and subscriptions of Kafka, which this server has none of (admin §7). Requests are checked as far as they
/// can be, so that what is wrong with them is said first.
extension AdminAPI {
    func createCluster(_ call: AdminCall) throws(AdminError) {
        let fields = try JSONFields(body: call)
        let name = try fields.required("name", fields.string("name"))
        let properties = try fields.required("properties", fields.strings("properties"))
        guard (try? DeploymentAddress(text: "kafka://\(name)"))?.authority == name else {
            throw .bodyShape("name: '\(name)' cannot be the authority of a URI")
        }
        let namesBrokers = properties.contains { Self.brokerProperties.contains($0.key) }
        throw namesBrokers ? .kafkaUnsupported : .clusterWithoutBrokers(name)
    }

    func updateCluster(_ call: AdminCall) throws(AdminError) {
        let fields = try JSONFields(body: call)
        _ = try fields.required("properties", fields.strings("properties"))
        throw .clusterUnknown(call.parameter("cluster"))
    }

    func showCluster(_ call: AdminCall) throws(AdminError) {
        _ = try call.flag("include_subscriptions")
        throw .clusterUnknown(call.parameter("cluster"))
    }

    func removeCluster(_ call: AdminCall) throws(AdminError) {
        _ = try call.flag("force")
        throw .clusterUnknown(call.parameter("cluster"))
    }

    func createSubscription(_ call: AdminCall) throws(AdminError) {
        let fields = try JSONFields(body: call)
        let source = try Self.uri("source", fields)
        let sink = try Self.uri("sink", fields)
        _ = try fields.strings("options")
        guard let cluster = source.address, cluster.scheme == "kafka" else {
            throw .subscriptionScheme("source", source.text, "kafka")
        }
        guard let target = sink.address, target.scheme == "service" else {
            throw .subscriptionScheme("sink", sink.text, "service")
        }
        guard registry.resolve(service: target.authority, handler: String(target.path.dropFirst())) != nil else {
            throw .subscriptionSink(sink.text)
        }
        throw .subscriptionCluster(cluster.authority)
    }

    /// A member that is a URI; one without scheme and authority has no address.
    private static func uri(
        _ name: String, _ fields: JSONFields
    ) throws(AdminError) -> (text: String, address: DeploymentAddress?) {
        let text = try fields.required(name, fields.string(name))
        do {
            return (text, try DeploymentAddress(text: text))
        } catch {
            switch error {
            case .notURI: throw .bodyShape("\(name): '\(text)' is no URI")
            case .notAbsolute: return (text, nil)
            }
        }
    }

    private static let brokerProperties: Set = ["bootstrap.servers", "metadata.broker.list"]
}
