import HoldfastWire

/// `deployments …`: registered endpoints of user code.
enum DeploymentsCommands {
    static let all = [
        Command(
            "deployments register", "URL",
            flags: [
                Flag("--force", nil, "Overwrite the deployment that has this address already."),
                Flag("--breaking", nil, "Allow changes that break callers, such as another service type."),
                Flag("--use-http1.1", nil, "Discover and call over HTTP/1.1: request/response."),
                Flag("--dry-run", nil, "Show what would change, and change nothing."),
                Flag("--header", "NAME=VALUE", "Header of all requests to this deployment."),
                .yes, .json, .admin,
            ],
            "Discover the services at URL and take them into service.",
            details: """
                The new deployment gets all new invocations of its services; what is under way stays on the one it began on.
                """
        ) { (invocation) throws(CommandError) in try register(invocation) },
        Command("deployments list", flags: [.json, .admin], "Show all deployments, the newest first.") {
            (invocation) throws(CommandError) in try list(invocation)
        },
        Command(
            "deployments delete", "ID", flags: [.yes, .admin],
            "Forget a deployment; invocations that began on it cannot go on."
        ) { (invocation) throws(CommandError) in
            let id = try invocation.arguments(1)[0]
            try invocation.confirm("Forget deployment \(id)?")
            _ = try invocation.admin.call("DELETE", "/deployments/\(WebAPI.segment(id))?force=true")
            Terminal.print("Forgot \(id).")
        },
    ]

    private static func register(_ invocation: Invocation) throws(CommandError) {
        let url = try invocation.arguments(1)[0]
        let admin = try invocation.admin
        var request: [JSON.Member] = [
            .init("uri", .string(url.contains("://") ? url : "http://" + url)),
            .init("force", .bool(invocation.has("--force"))), .init("breaking", .bool(invocation.has("--breaking"))),
            .init("use_http_11", .bool(invocation.has("--use-http1.1"))),
        ]
        if let header = invocation.options["--header"] {
            guard let equals = header.firstIndex(of: "=") else {
                throw .usage("--header needs NAME=VALUE, not '\(header)'.")
            }
            let member = JSON.Member(String(header[..<equals]), .string(String(header[header.index(after: equals)...])))
            request.append(.init("additional_headers", .object([member])))
        }
        let isDryRun = invocation.has("--dry-run")
        let preview = try post(request, isDryRun: true, to: admin)
        if preview.status == 200, !invocation.has("--force") {
            let id = preview.json["id"]?.string ?? "?"
            return finish(preview.json, invocation, "Deployment \(id) has this address already; nothing was changed.")
        }
        if isDryRun {
            return finish(preview.json, invocation, "This is what would be registered; nothing was changed.")
        }
        if preview.status == 200 {
            try invocation.confirm("Overwrite deployment \(preview.json["id"]?.string ?? "?")?")
        } else if Terminal.isInteractive, !invocation.has("--yes"), !invocation.has("--json") {
            Terminal.print(servicesTable(preview.json))
            try invocation.confirm("Register this deployment?")
        }
        let answer = try post(request, isDryRun: false, to: admin)
        finish(answer.json, invocation, "Registered \(answer.json["id"]?.string ?? "?").")
    }

    private static func post(
        _ request: [JSON.Member], isDryRun: Bool, to admin: WebAPI
    ) throws(CommandError) -> (status: Int, json: JSON) {
        let answer = try Terminal.progress("Discovering the services") { () throws(CommandError) in
            try admin.call("POST", "/deployments", .object(request + [.init("dry_run", .bool(isDryRun))]))
        }
        let json = try WebAPI.parse(answer, from: admin.base + "/deployments")
        guard json["id"]?.string != nil, json["services"]?.array != nil else {
            throw .strangeAnswer(admin.base + "/deployments", because: "it tells no deployment and its services")
        }
        return (answer.status, json)
    }

    private static func finish(_ answer: JSON, _ invocation: Invocation, _ sentence: String) {
        if invocation.has("--json") { return Terminal.print(answer.indentedText) }
        Terminal.print(sentence)
        if answer["services"]?.array?.isEmpty == false { Terminal.print(servicesTable(answer)) }
    }

    private static func servicesTable(_ answer: JSON) -> String {
        var table = Table("SERVICE", "TYPE", "REVISION", "HANDLERS")
        for service in answer["services"]?.array ?? [] {
            let handlers = (service["handlers"]?.array ?? []).map { $0["name"]?.string ?? "?" }
            table.add(
                service["name"]?.cell ?? "", service["ty"]?.cell ?? "", service["revision"]?.cell ?? "",
                handlers.joined(separator: ", "))
        }
        return table.text
    }

    private static func list(_ invocation: Invocation) throws(CommandError) {
        let deployments = try invocation.admin.list("deployments", "GET", "/deployments")
            .sorted { ($0["created_at"]?.string ?? "") > ($1["created_at"]?.string ?? "") }
        if invocation.has("--json") { return Terminal.print(JSON.array(deployments).indentedText) }
        guard !deployments.isEmpty else {
            return Terminal.print("No deployments. `holdfast deployments register URL` adds one.")
        }
        var table = Table("DEPLOYMENT", "ADDRESS", "MODE", "PROTOCOL", "CREATED", "SERVICES")
        for deployment in deployments {
            let names = (deployment["services"]?.array ?? []).map {
                "\($0["name"]?.cell ?? "?") r\($0["revision"]?.cell ?? "?")"
            }
            let versions = [deployment["min_protocol_version"], deployment["max_protocol_version"]].compactMap {
                $0?.cell
            }
            table.add(
                deployment["id"]?.cell ?? "", deployment["uri"]?.cell ?? deployment["arn"]?.cell ?? "",
                deployment["protocol_type"]?.cell ?? "", versions.joined(separator: "-"),
                Moment.shown(deployment["created_at"]?.string), names.joined(separator: ", "))
        }
        Terminal.print(table.text)
    }
}
