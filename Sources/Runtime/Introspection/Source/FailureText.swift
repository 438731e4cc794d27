import HoldfastEngine
import HoldfastServiceProtocol

/// Failures as introspection shows them.
enum FailureText {
    /// What the codes are called; others have no name.
    private static let names: [UInt32: String] = [
        400: "Bad request", 404: "Not found", 409: "Aborted", 410: "Gone", 415: "Unsupported media type",
        470: "Not ready", 500: "Internal", 570: "Journal mismatch", 571: "Protocol violation",
        572: "Awaiting two async results", 573: "Unsupported feature",
    ]

    /// `[500 Internal] message`.
    static func named(code: UInt32, _ message: String) -> String {
        "[\(code)\(names[code].map { " \($0)" } ?? "")] \(message)"
    }

    /// `[500] message`.
    static func numbered(_ failure: Failure) -> String { "[\(failure.code)] \(failure.message)" }

    /// With the stack trace in the lines that follow.
    static func whole(_ failure: AttemptFailure) -> String {
        let first = named(code: failure.code, failure.message)
        guard let trace = failure.stacktrace, !trace.isEmpty else { return first }
        return "\(first)\n\(trace)"
    }

    /// The members of a failure in `event_json`.
    static func write(_ failure: AttemptFailure, to object: inout JSONBuilder) {
        object.member("error_code", failure.code)
        object.member("error_message", failure.message)
        if let trace = failure.stacktrace { object.member("error_stacktrace", trace) }
        if let code = failure.documentedCode { object.member("restate_doc_error_code", code) }
        if let index = failure.commandIndex { object.member("related_command_index", index) }
        if let name = failure.commandName { object.member("related_command_name", name) }
        if let type = failure.commandType { object.member("related_command_type", type) }
    }
}
