import HoldfastRuntime
import HoldfastWire

/// One of the two APIs of a server, as the commands call it: a request, then an answer or the reason why there is none.
struct WebAPI {
    /// `the admin API` or `the ingress`, for messages.
    let what: String
    let base: String

    /// - Parameter url: `http://host:port`, perhaps with a path; without a scheme `http` is meant.
    init(what: String, url: String) throws(CommandError) {
        self.what = what
        let full = url.contains("://") ? url : "http://" + url
        base = String(full.reversed().drop { $0 == "/" }.reversed())
    }

    /// How long the admin API may take; registering calls the new deployment, which has less.
    private static let timeLimitMillis: UInt64 = 60_000

    /// Sends a request and gives back whatever comes.
    func send(
        _ method: String, _ path: String, headers: [(String, String)] = [], body: [UInt8]? = nil,
        timeLimitMillis: UInt64? = nil
    ) throws(CommandError) -> WebClient.Answer {
        let url = base + path
        do throws(WebClient.Failure) {
            return try WebClient.send(
                method, url, headers: headers, body: body, timeLimitMillis: timeLimitMillis)
        } catch {
            switch error {
            case .badURL(let reason): throw .badURL(url, because: reason)
            case .unreachable(let reason): throw .unreachable(base, what, because: reason)
            }
        }
    }

    /// The same, where anything but 2xx is an error with the server's own words.
    func call(_ method: String, _ path: String, _ body: JSON? = nil) throws(CommandError) -> WebClient.Answer {
        let headers = [("accept", "application/json")] + (body == nil ? [] : [("content-type", "application/json")])
        let answer = try send(
            method, path, headers: headers, body: body?.bytes, timeLimitMillis: Self.timeLimitMillis)
        guard (200..<300).contains(answer.status) else { throw .answered(answer.status, Self.message(of: answer)) }
        return answer
    }

    /// The JSON of an answer.
    func json(_ method: String, _ path: String, _ body: JSON? = nil) throws(CommandError) -> JSON {
        try Self.parse(try call(method, path, body), from: base + path)
    }

    static func parse(_ answer: WebClient.Answer, from url: String) throws(CommandError) -> JSON {
        do throws(JSONError) {
            return try JSON(parsing: answer.body[...])
        } catch {
            throw .strangeAnswer(url, because: error.description)
        }
    }

    /// The list that an answer has under a name.
    func list(
        _ name: String, _ method: String, _ path: String, _ body: JSON? = nil
    ) throws(CommandError) -> [JSON] {
        guard let list = try json(method, path, body)[name]?.array else {
            throw .strangeAnswer(base + path, because: "it has no list '\(name)'")
        }
        return list
    }

    /// The rows that a query gives.
    func query(_ sql: String) throws(CommandError) -> [JSON] {
        try list("rows", "POST", "/query", ["query": .string(sql)])
    }

    /// What an error answer says for people: the field `message`, else the text itself.
    static func message(of answer: WebClient.Answer) -> String {
        if let json = try? JSON(parsing: answer.body[...]), let message = json["message"]?.string {
            // Servers write the code of some errors twice.
            guard let code = json["restate_code"]?.string else { return message }
            return message.replacing("[\(code)] [\(code)]", with: "[\(code)]")
        }
        let text = String(decoding: answer.body.prefix(1000), as: UTF8.self)
        return text.isEmpty ? "The server refused" : Table.oneLine(text)
    }

    /// One segment of a path, with everything but letters, digits and `-._~` percent-encoded.
    static func segment(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            let scalar = UnicodeScalar(byte)
            if byte < 0x80,
                scalar.properties.isAlphabetic || scalar.properties.numericType != nil
                    || "-._~".unicodeScalars.contains(scalar)
            {
                result.unicodeScalars.append(scalar)
            } else {
                result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return result
    }

    /// A text as an SQL string.
    static func quoted(_ text: String) -> String { "'" + text.replacing("'", with: "''") + "'" }
}
