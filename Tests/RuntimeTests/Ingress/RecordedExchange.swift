import HoldfastWire

@testable import HoldfastRuntime

/// A request and its answer, as recorded from the server that Holdfast is compatible with.
struct RecordedExchange {
    var name: String
    var setup: String
    var method: String
    var path: String
    var headers: [(String, String)]
    var body: Bytes
    var status: Int
    var answerHeaders: [(String, String)]
    var answerBody: String

    /// All of them, in the order in which they were made.
    static let all: [RecordedExchange] = {
        guard let bytes = FileBytes.read("Fixtures/ingress.json"), let json = try? JSON(parsing: bytes) else {
            return []
        }
        return (json.array ?? []).compactMap(RecordedExchange.init)
    }()

    private init?(_ json: JSON) {
        guard let name = json["name"]?.string, let setup = json["setup"]?.string, let request = json["request"],
            let method = request["method"]?.string, let path = request["path"]?.string,
            let response = json["response"], let status = response["status"]?.int
        else { return nil }
        (self.name, self.setup, self.method, self.path) = (name, setup, method, path)
        body = Self.body(request["body"])
        headers = (request["headers"]?.members ?? []).map { ($0.key.lowercased(), $0.value.string ?? "") }
        let isSized = headers.contains { $0.0 == "content-length" || $0.0 == "transfer-encoding" }
        if !isSized, method == "POST" || !body.isEmpty { headers.insert(("content-length", "\(body.count)"), at: 0) }
        headers.insert(("host", "localhost:8080"), at: 0)
        self.status = Int(status)
        answerHeaders = (response["headers"]?.members ?? []).map { ($0.key, $0.value.string ?? "") }
        answerBody = response["body"]?.string ?? ""
    }

    private static func body(_ json: JSON?) -> Bytes {
        if let count = json?["bytes"]?.int { return Bytes(repeating: UInt8(ascii: "x"), count: Int(count)) }
        if let hex = json?["hex"]?.string { return Bytes(hex: hex) ?? [] }
        return Bytes(utf8: json?.string ?? "")
    }
}

extension RecordedExchange {
    /// What of an answer is not as recorded; empty: nothing.
    func differences(from answer: IngressAnswer) -> [String] {
        var differences: [String] = []
        if answer.status != status { differences.append("status \(answer.status), recorded \(status)") }
        let constant = ["vary", "access-control-allow-credentials"]
        let headers = answer.headers.filter { !constant.contains($0.name) }.map { ($0.name, $0.value) }
        let found = headers.sorted { $0.0 < $1.0 }
        let expected = answerHeaders.sorted { $0.0 < $1.0 }
        let isAlike =
            found.count == expected.count
            && zip(found, expected).allSatisfy { $0.0 == $1.0 && Self.matches($0.1, $1.1) }
        if !isAlike { differences.append("headers \(found), recorded \(expected)") }
        if method != "HEAD", !Self.matches(answer.text, answerBody) {
            differences.append("body \(answer.text), recorded \(answerBody)")
        }
        return differences
    }

    /// Whether a text is as recorded, where a placeholder stands for anything of its form.
    private static func matches(_ text: String, _ recorded: String) -> Bool {
        var rest = text[...]
        var pattern = recorded[...]
        while let open = pattern.firstIndex(of: "<"), let close = pattern[open...].firstIndex(of: ">"),
            let form = forms[pattern[open...close]]
        {
            guard rest.hasPrefix(pattern[..<open]) else { return false }
            rest = rest.dropFirst(pattern.distance(from: pattern.startIndex, to: open))
            pattern = pattern[close...].dropFirst()
            let value = rest.prefix { !"\",".contains($0) }
            guard form(String(value)) else { return false }
            rest = rest[value.endIndex...]
        }
        return rest == pattern
    }

    private static let forms: [Substring: @Sendable (String) -> Bool] = [
        "<id>": { (try? InvocationID(text: $0)) != nil },
        "<timestamp>": {
            $0.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.(\d{9}Z|\d{3}\+00:00)/) != nil
        },
    ]
}
