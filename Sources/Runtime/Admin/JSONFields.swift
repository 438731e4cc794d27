import HoldfastWire

/// The members of a request's document, read with the type that each must have.
///
/// A member that is null is absent; members that nobody asks for are ignored. Errors are 422 and name the member.
struct JSONFields {
    /// All members.
    let members: [JSON.Member]
    private let path: String

    /// The fields of a request's body.
    init(body call: AdminCall) throws(AdminError) {
        try self.init(Self.document(call))
    }

    init(_ document: JSON, path: String = "") throws(AdminError) {
        guard let members = document.members else {
            throw .bodyShape("\(path.isEmpty ? "" : "\(path): ")invalid type: \(document.kind), expected an object")
        }
        self.members = members
        self.path = path
    }

    /// The document that a request's body is.
    static func document(_ call: AdminCall) throws(AdminError) -> JSON {
        do {
            return try JSON(parsing: call.request.body)
        } catch {
            throw .notJSON(error)
        }
    }

    subscript(name: String) -> JSON? {
        let value = members.last { $0.key == name }?.value
        return value?.isNull == true ? nil : value
    }

    /// Whether the document has the member, even if it is null.
    func has(_ name: String) -> Bool { members.contains { $0.key == name } }

    func string(_ name: String) throws(AdminError) -> String? {
        guard let value = self[name] else { return nil }
        guard let text = value.string else { throw fault(name, value, "a string") }
        return text
    }

    func bool(_ name: String) throws(AdminError) -> Bool? {
        guard let value = self[name] else { return nil }
        guard let bool = value.bool else { throw fault(name, value, "a boolean") }
        return bool
    }

    func uint32(_ name: String) throws(AdminError) -> UInt32? {
        guard let value = self[name] else { return nil }
        guard let number = value.uint.flatMap({ UInt32(exactly: $0) }) else { throw fault(name, value, "u32") }
        return number
    }

    /// A duration in milliseconds. What is shorter than one is one, since zero has a meaning of its own.
    func duration(_ name: String) throws(AdminError) -> UInt64? {
        guard let text = try string(name) else { return nil }
        do {
            let duration = try parseDuration(text)
            return duration == .zero ? 0 : max(duration.wholeMilliseconds, 1)
        } catch {
            throw .bodyShape("\(path(of: name)): \(error)")
        }
    }

    func array(_ name: String) throws(AdminError) -> [JSON]? {
        guard let value = self[name] else { return nil }
        guard let elements = value.array else { throw fault(name, value, "a sequence") }
        return elements
    }

    func fields(_ name: String) throws(AdminError) -> JSONFields? {
        guard let value = self[name] else { return nil }
        return try JSONFields(value, path: path(of: name))
    }

    /// An object whose values are texts.
    func strings(_ name: String) throws(AdminError) -> [(key: String, value: String)]? {
        guard let fields = try fields(name) else { return nil }
        var pairs: [(key: String, value: String)] = []
        for member in fields.members {
            guard let text = member.value.string else { throw fields.fault(member.key, member.value, "a string") }
            pairs.removeAll { $0.key == member.key }
            pairs.append((member.key, text))
        }
        return pairs
    }

    /// Headers, with their names in lower case.
    func headers(_ name: String) throws(AdminError) -> [(name: String, value: String)]? {
        guard let pairs = try strings(name) else { return nil }
        var headers: [(name: String, value: String)] = []
        for (key, value) in pairs {
            guard HeaderText.isName(key) else { throw .bodyShape("\(path(of: name)): invalid HTTP header name") }
            guard HeaderText.isValue(value) else { throw .bodyShape("\(path(of: name)): failed to parse header value") }
            let lowercased = key.lowercased()
            headers.removeAll { $0.name == lowercased }
            headers.append((lowercased, value))
        }
        return headers
    }

    /// A member that has to be there.
    func required<Value>(_ name: String, _ value: Value?) throws(AdminError) -> Value {
        guard let value else { throw .bodyShape("\(path.isEmpty ? "" : "\(path): ")missing field `\(name)`") }
        return value
    }

    func fault(_ name: String, _ value: JSON, _ expected: String) -> AdminError {
        .bodyShape("\(path(of: name)): invalid type: \(value.kind), expected \(expected)")
    }

    func path(of name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }
}

extension JSON {
    /// What kind of value this is, in the words of an error.
    fileprivate var kind: String {
        switch self {
        case .null: "null"
        case .bool(let value): "boolean `\(value)`"
        case .integer(let value): "integer `\(value)`"
        case .unsigned(let value): "integer `\(value)`"
        case .number(let value): "floating point `\(value)`"
        case .string(let text): "string \"\(text)\""
        case .array: "sequence"
        case .object: "map"
        }
    }
}

/// The syntax of header fields.
enum HeaderText {
    /// A token, as RFC 9110 defines it.
    static func isName(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: marks.contains(byte)
                }
            }
    }

    /// Visible characters, blanks and tabs, and bytes above 127.
    static func isValue(_ text: String) -> Bool {
        text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }
    }

    private static let marks = Array("!#$%&'*+-.^_`|~".utf8)
}
