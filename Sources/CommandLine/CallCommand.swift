import HoldfastRuntime
import HoldfastWire

/// `call`: invoke a handler from the terminal.
enum CallCommand {
    static let command = Command(
        "call", "SERVICE/[KEY/]HANDLER",
        flags: [
            Flag("--body", "JSON|-", "The input; - reads it from standard input. Default: none."),
            Flag("--send", nil, "Do not wait for the result; print the invocation's id, and whether it is a new one."),
            Flag("--delay", "DURATION", "With --send: start only after so long, such as 10s or 2h."),
            Flag("--idempotency-key", "KEY", "The same key gives the same invocation, however often it is called."),
            Flag("--content-type", "TYPE", "Of the body. Default: application/json."),
            Flag("--header", "NAME=VALUE", "A header for the handler."),
            .ingress,
        ],
        "Call a handler and print its result.",
        details: "A key may contain anything; write a slash in it as %2F."
    ) { (invocation) throws(CommandError) in try run(invocation) }

    private static func run(_ invocation: Invocation) throws(CommandError) {
        let target = try invocation.arguments(1)[0]
        let segments = target.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard (2...3).contains(segments.count), segments.allSatisfy({ !$0.isEmpty }) else {
            throw .usage("'\(target)' is no target; write SERVICE/HANDLER or OBJECT/KEY/HANDLER.")
        }
        let isSend = invocation.has("--send")
        var path = "/restate/\(isSend ? "send" : "call")/" + segments.map(encoded).joined(separator: "/")
        if let delay = invocation.options["--delay"] {
            guard isSend else { throw .usage("--delay goes with --send only: a caller that waits cannot be delayed.") }
            do throws(DurationSyntaxError) {
                _ = try parseDuration(delay)
            } catch {
                throw .usage("--delay '\(delay)': \(error.description).")
            }
            path += "?delay=\(WebAPI.segment(delay))"
        }
        let body = try body(invocation)
        let answer = try Terminal.progress("Waiting for the result") { () throws(CommandError) in
            try invocation.ingress.send(
                "POST", path, headers: try headers(invocation, hasBody: body != nil), body: body)
        }
        guard (200..<300).contains(answer.status) else { throw .answered(answer.status, WebAPI.message(of: answer)) }
        let needsLineEnd = !answer.body.isEmpty && answer.body.last != UInt8(ascii: "\n")
        Terminal.print(bytes: answer.body + (needsLineEnd ? [UInt8(ascii: "\n")] : []))
    }

    /// What a person has percent-encoded already stays so; anything else that a path cannot hold is encoded.
    private static func encoded(_ segment: String) -> String {
        segment.split(separator: "%", omittingEmptySubsequences: false).map { WebAPI.segment(String($0)) }
            .joined(separator: "%")
    }

    private static func body(_ invocation: Invocation) throws(CommandError) -> [UInt8]? {
        switch invocation.options["--body"] {
        case nil: nil
        case "-"?: Terminal.readAll()
        case let text?: Array(text.utf8)
        }
    }

    private static func headers(_ invocation: Invocation, hasBody: Bool) throws(CommandError) -> [(String, String)] {
        var headers: [(String, String)] = []
        if hasBody { headers.append(("content-type", invocation.options["--content-type"] ?? "application/json")) }
        if let key = invocation.options["--idempotency-key"] { headers.append(("idempotency-key", key)) }
        if let header = invocation.options["--header"] {
            guard let equals = header.firstIndex(of: "=") else {
                throw .usage("--header needs NAME=VALUE, not '\(header)'.")
            }
            headers.append((header[..<equals].lowercased(), String(header[header.index(after: equals)...])))
        }
        return headers
    }
}
