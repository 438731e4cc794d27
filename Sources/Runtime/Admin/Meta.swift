import HoldfastWire

extension AdminAPI {
    /// Names of experimental features that clients look for (admin §3).
    static let featureNames = [
        "vqueues", "vqueues_async_refill", "vqueues_migration_skip_completed", "vqueue_obsolete_cleanup",
        "invoker_yield", "protocol_v7", "unique_random_seeds", "scoped_virtual_objects",
        "scoped_state_table_migration", "scoped_promise_table_migration", "kafka_scope",
        "preflight_invocation_termination_retention",
    ]

    func showVersion(_ call: AdminCall) {
        let settings = environment.settings
        let features = Self.featureNames.map { JSON.Member($0, .bool(settings.features.contains($0))) }
        call.respond(
            .json(
                200,
                [
                    "version": .string(settings.version),
                    "min_admin_api_version": JSON(AdminVersion.supported.lowerBound),
                    "max_admin_api_version": JSON(AdminVersion.supported.upperBound),
                    "ingress_endpoint": JSON(settings.ingressURL),
                    "features": .object(features),
                ]))
    }

    /// One node, which is what a server by itself is.
    func showClusterHealth(_ call: AdminCall) {
        call.respond(
            .json(
                200,
                [
                    "cluster_name": .string(environment.settings.clusterName),
                    "metadata_cluster_health": ["members": [1]],
                ]))
    }

    func showOpenAPI(_ call: AdminCall) {
        call.respond(.json(200, AdminOpenAPI.document(Self.routes, version: environment.settings.version)))
    }

    func query(_ call: AdminCall) throws(AdminError) {
        let fields = try JSONFields(body: call)
        let sql = try fields.required("query", fields.string("query"))
        environment.query(sql, accept: call.request.accept, done: call.respond)
    }
}
