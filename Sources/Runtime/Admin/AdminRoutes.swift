extension AdminAPI {
    /// All routes, under each prefix. Of two that match the first one counts. Those with a summary are published in
    /// `GET /openapi`.
    static let routes: [AdminRoute] =
        metaRoutes + deploymentRoutes + serviceRoutes + operationRoutes + kafkaRoutes + limitRoutes + uiRoutes

    private static let metaRoutes = [
        AdminRoute("GET", "/health", "Tells whether the admin API takes requests.") { api, call in
            call.respond(.empty(200))
        },
        AdminRoute("GET", "/version", "Tells the versions of the server and of this API.") { api, call in
            api.showVersion(call)
        },
        AdminRoute("GET", "/cluster-health", "Lists the nodes of the cluster.", .deprecated) { api, call in
            api.showClusterHealth(call)
        },
        AdminRoute("GET", "/openapi") { api, call in api.showOpenAPI(call) },
        AdminRoute("POST", "/query", "Runs a SQL query.", .json) { api, call throws(AdminError) in
            try api.query(call)
        },
    ]

    private static let deploymentRoutes = [
        AdminRoute("GET", "/deployments", "Lists the deployments.") { api, call in api.listDeployments(call) },
        AdminRoute("POST", "/deployments", "Registers a deployment.", .json) { api, call throws(AdminError) in
            try api.register(call)
        },
        AdminRoute("GET", "/deployments/{deployment}", "Shows a deployment.") { api, call throws(AdminError) in
            try api.showDeployment(call)
        },
        AdminRoute("PATCH", "/deployments/{deployment}", "Changes how a deployment is called.", .json) {
            api, call throws(AdminError) in try api.updateDeployment(call)
        },
        AdminRoute("PUT", "/deployments/{deployment}", nil, .json) { api, call throws(AdminError) in
            guard call.version == .v2 else { throw .putDeprecated }
            try api.updateDeployment(call)
        },
        AdminRoute("DELETE", "/deployments/{deployment}", "Removes a deployment.") { api, call throws(AdminError) in
            try api.removeDeployment(call)
        },
    ]

    private static let serviceRoutes = [
        AdminRoute("GET", "/services", "Lists the services.") { api, call in api.listServices(call) },
        AdminRoute("GET", "/services/{service}", "Shows a service.") { api, call throws(AdminError) in
            try api.showService(call)
        },
        AdminRoute("PATCH", "/services/{service}", "Changes a service's settings.", .json) {
            api, call throws(AdminError) in try api.modifyService(call)
        },
        AdminRoute("GET", "/services/{service}/openapi", "Describes how clients call a service.") {
            api, call throws(AdminError) in try api.showServiceOpenAPI(call)
        },
        AdminRoute("POST", "/services/{service}/state", "Replaces the state of a key.", .json) {
            api, call throws(AdminError) in try api.replaceState(call)
        },
        AdminRoute("GET", "/services/{service}/handlers", "Lists a service's handlers.") {
            api, call throws(AdminError) in try api.listHandlers(call)
        },
        AdminRoute("GET", "/services/{service}/handlers/{handler}", "Shows a handler.") {
            api, call throws(AdminError) in try api.showHandler(call)
        },
        AdminRoute("POST", "/internal/services/{service}/serdes/decode/{serde...}") { api, call throws(AdminError) in
            try api.convert(.decode, call)
        },
        AdminRoute("POST", "/internal/services/{service}/serdes/encode/{serde...}") { api, call throws(AdminError) in
            try api.convert(.encode, call)
        },
    ]

    private static let operationRoutes =
        [
            AdminRoute("DELETE", "/invocations/{invocation_id}", "Ends an invocation.", .deprecated) {
                api, call throws(AdminError) in try api.deleteInvocation(call)
            }
        ]
        + InvocationOperation.allCases.flatMap { operation in
            [
                AdminRoute("PATCH", "/invocations/{invocation_id}/\(operation.rawValue)", operation.summary) {
                    api, call throws(AdminError) in try api.operate(operation, call)
                },
                AdminRoute("POST", "/internal/invocations_batch_operations/\(operation.rawValue)", nil, .json) {
                    api, call throws(AdminError) in try api.operateBatch(operation, call)
                },
            ]
        }

    private static let kafkaRoutes = [
        AdminRoute("GET", "/subscriptions", "Lists the subscriptions.") { api, call in
            call.respond(.json(200, ["subscriptions": []]))
        },
        AdminRoute("POST", "/subscriptions", "Creates a subscription.", .json) { api, call throws(AdminError) in
            try api.createSubscription(call)
        },
        AdminRoute("GET", "/subscriptions/{subscription}", "Shows a subscription.") { api, call throws(AdminError) in
            throw try .subscriptionUnknown(in: call)
        },
        AdminRoute("DELETE", "/subscriptions/{subscription}", "Removes a subscription.") {
            api, call throws(AdminError) in throw try .subscriptionUnknown(in: call)
        },
        AdminRoute("GET", "/kafka-clusters", "Lists the Kafka clusters.") { api, call in
            call.respond(.json(200, ["clusters": []]))
        },
        AdminRoute("POST", "/kafka-clusters", "Creates a Kafka cluster.", .json) { api, call throws(AdminError) in
            try api.createCluster(call)
        },
        AdminRoute("GET", "/kafka-clusters/{cluster}", "Shows a Kafka cluster.") { api, call throws(AdminError) in
            try api.showCluster(call)
        },
        AdminRoute("PATCH", "/kafka-clusters/{cluster}", "Changes a Kafka cluster.", .json) {
            api, call throws(AdminError) in try api.updateCluster(call)
        },
        AdminRoute("DELETE", "/kafka-clusters/{cluster}", "Removes a Kafka cluster.") {
            api, call throws(AdminError) in try api.removeCluster(call)
        },
    ]

    private static let limitRoutes = [
        AdminRoute("PUT", "/limits/rules", "Adds or changes limit rules.", .json) { api, call throws(AdminError) in
            try api.upsertRules(call)
        },
        AdminRoute("POST", "/limits/rules/bulk-delete", "Removes limit rules.", .json) {
            api, call throws(AdminError) in try api.removeRules(call)
        },
        AdminRoute("POST", "/vqueues/{vqueue_id}/pause", "Pauses a queue.") { api, call throws(AdminError) in
            try api.steerQueue(call)
        },
        AdminRoute("POST", "/vqueues/{vqueue_id}/resume", "Resumes a queue.") { api, call throws(AdminError) in
            try api.steerQueue(call)
        },
    ]

    private static let uiRoutes = [
        AdminRoute("GET", "") { api, call throws(AdminError) in try api.redirectToUI(call) },
        AdminRoute("GET", "/") { api, call throws(AdminError) in
            guard call.version == .unversioned else { throw .unknownPath(call.request.path) }
            try api.redirectToUI(call)
        },
        AdminRoute("GET", "/ui") { api, call throws(AdminError) in try api.redirectToUI(call) },
        AdminRoute("GET", "/ui/") { api, call throws(AdminError) in try api.showUI(call) },
        AdminRoute("GET", "/ui/{file...}") { api, call throws(AdminError) in try api.showUI(call) },
    ]
}
