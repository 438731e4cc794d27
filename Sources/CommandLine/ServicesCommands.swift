import HoldfastWire

/// `services …`: what can be called.
enum ServicesCommands {
    static let all = [
        Command("services list", flags: [.json, .admin], "Show all services with the deployment that serves them.") {
            (invocation) throws(CommandError) in try list(invocation)
        },
        Command("services show", "NAME", flags: [.admin], "Show one service with its handlers and settings.") {
            (invocation) throws(CommandError) in
            let name = try invocation.arguments(1)[0]
            let (admin, path) = (try invocation.admin, "/services/\(WebAPI.segment(name))")
            let service = try admin.json("GET", path)
            guard service["name"]?.string != nil else {
                throw .strangeAnswer(admin.base + path, because: "it describes no service")
            }
            Terminal.print(service.indentedText)
        },
    ]

    private static func list(_ invocation: Invocation) throws(CommandError) {
        let services = try invocation.admin.list("services", "GET", "/services")
            .sorted { ($0["name"]?.string ?? "") < ($1["name"]?.string ?? "") }
        if invocation.has("--json") { return Terminal.print(JSON.array(services).indentedText) }
        guard !services.isEmpty else {
            return Terminal.print("No services. `holdfast deployments register URL` brings some.")
        }
        var table = Table("SERVICE", "TYPE", "PUBLIC", "REVISION", "DEPLOYMENT", "HANDLERS")
        for service in services {
            let handlers = (service["handlers"]?.array ?? []).map { $0["name"]?.string ?? "?" }.sorted()
            table.add(
                service["name"]?.cell ?? "", service["ty"]?.cell ?? "",
                service["public"]?.bool == false ? "no" : "yes", service["revision"]?.cell ?? "",
                service["deployment_id"]?.cell ?? "", handlers.joined(separator: ", "))
        }
        Terminal.print(table.text)
    }
}
