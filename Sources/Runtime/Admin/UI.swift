import HoldfastWire

extension AdminAPI {
    /// `/` and `/ui` lead to `/ui/`, with their query.
    func redirectToUI(_ call: AdminCall) throws(AdminError) {
        try requireUI(call)
        let query = call.request.query.map { "?\($0)" } ?? ""
        call.respond(.empty(308, headers: [("location", "/ui/\(query)")]))
    }

    /// The same page at every address below `/ui/`, so that bookmarks of a UI that routes by itself work.
    func showUI(_ call: AdminCall) throws(AdminError) {
        try requireUI(call)
        call.respond(
            AdminResponse(
                status: 200,
                headers: [("content-type", "text/html; charset=utf-8"), ("service-worker-allowed", "/")],
                body: Bytes(utf8: page)))
    }

    private func requireUI(_ call: AdminCall) throws(AdminError) {
        guard environment.settings.hasUI else { throw .unknownPath(call.request.path) }
    }

    private var page: String {
        let links = [
            ("/version", "version"), ("/health", "health"), ("/deployments", "deployments"), ("/services", "services"),
            ("/openapi", "the admin API as OpenAPI"),
        ]
        let items = links.map { "<li><a href=\"\($0)\">\($1)</a></li>" }.joined()
        return """
            <!doctype html><html lang="en"><meta charset="utf-8"><title>Holdfast</title>
            <style>body{font:16px/1.5 system-ui;margin:3em auto;max-width:40em;padding:0 1em}</style>
            <h1>Holdfast \(environment.settings.version)</h1>
            <p>This server has no web interface built in. The admin API answers at:</p><ul>\(items)</ul>
            <p>Invocations are listed with SQL: <code>POST /query</code> with
            <code>{"query":"SELECT id, target, status FROM sys_invocation"}</code>.</p></html>
            """
    }
}
