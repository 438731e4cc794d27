import HoldfastWire

/// One row of the table of options: its names, what it accepts, and the field that it sets.
struct Option: Sendable {
    /// The name in the TOML file, dots between tables: `worker.invoker.abort-timeout`. Names of environment variables
    /// follow from it: `RESTATE_WORKER__INVOKER__ABORT_TIMEOUT`, or the same with `HOLDFAST_`.
    let key: String
    /// Names on the command line, the best one first: `--data`. Empty: `--set key=value` only.
    let flags: [String]
    /// Environment variables of other programs' making that set it too: `RUST_LOG`.
    let rawVariables: [String]
    /// What stands for the value in the help: `DURATION`.
    let placeholder: String
    /// One sentence.
    let help: String
    /// Reads the value into its field, or throws the reason why it cannot.
    let set: @Sendable (inout Configuration, OptionValue) throws(OptionFault) -> Void
    /// The value in force, as it could be written in a file without quotes; nil: unset.
    let text: @Sendable (Configuration) -> String?

    /// The name of its environment variable after the prefix.
    var variable: String { Self.variable(of: key) }

    static func variable(of key: String) -> String {
        key.replacing(".", with: "__").replacing("-", with: "_").uppercased()
    }
}

/// A value as it was found, before anybody knows what it should be.
enum OptionValue: Sendable {
    /// From the environment or the command line.
    case text(String)
    /// From a TOML file.
    case typed(JSON)

    /// The value for messages.
    var shown: String {
        switch self {
        case .text(let text), .typed(.string(let text)): text
        case .typed(let json): json.text
        }
    }
}

/// Why a value does not fit its option.
struct OptionFault: Error {
    let reason: String
    init(_ reason: String) { self.reason = reason }
}

/// How a kind of value is read and shown.
struct OptionKind<Value: Sendable>: Sendable {
    let placeholder: String
    let read: @Sendable (OptionValue) throws(OptionFault) -> Value
    let show: @Sendable (Value) -> String?
}

extension Option {
    /// An option that sets one field.
    static func field<Value: Sendable>(
        _ key: String, flags: [String] = [], raw: [String] = [], _ kind: OptionKind<Value>,
        _ field: WritableKeyPath<Configuration, Value> & Sendable, _ help: String
    ) -> Option {
        Option(
            key: key, flags: flags, rawVariables: raw, placeholder: kind.placeholder, help: help,
            set: { (configuration, value) throws(OptionFault) in
                configuration[keyPath: field] = try kind.read(value)
            },
            text: { kind.show($0[keyPath: field]) })
    }

    /// An option whose field is nil until it is set.
    static func optional<Value: Sendable>(
        _ key: String, flags: [String] = [], raw: [String] = [], _ kind: OptionKind<Value>,
        _ field: WritableKeyPath<Configuration, Value?> & Sendable, _ help: String
    ) -> Option {
        Option(
            key: key, flags: flags, rawVariables: raw, placeholder: kind.placeholder, help: help,
            set: { (configuration, value) throws(OptionFault) in
                configuration[keyPath: field] = try kind.read(value)
            },
            text: { $0[keyPath: field].flatMap(kind.show) })
    }
}

extension OptionKind where Value == Duration {
    /// `10s`, `1h 30m`, `PT10S`; zero is fine.
    static let duration = OptionKind(
        placeholder: "DURATION",
        read: { (value) throws(OptionFault) in
            guard let text = value.string else {
                throw OptionFault("expected a duration in quotes, such as \"10s\"")
            }
            do throws(DurationSyntaxError) {
                return try parseDuration(text)
            } catch {
                throw OptionFault(error.description)
            }
        },
        show: { formatDuration($0) })

    /// The same, and above zero.
    static let positiveDuration = OptionKind(
        placeholder: "DURATION",
        read: { (value) throws(OptionFault) in
            let duration = try OptionKind.duration.read(value)
            guard duration > .zero else { throw OptionFault("duration cannot be zero") }
            return duration
        },
        show: { formatDuration($0) })
}

extension OptionKind where Value == Int {
    /// `32 MiB`, `1k`, or a number of bytes.
    static let bytes = byteCount(in: 0...(1 << 50))

    /// The same, within bounds.
    static func byteCount(in bounds: ClosedRange<Int>) -> OptionKind {
        OptionKind(
            placeholder: "BYTES",
            read: { (value) throws(OptionFault) in
                let found: Int? =
                    switch value {
                    case .text(let text), .typed(.string(let text)): parseByteCount(text)
                    case .typed(let json): json.int.flatMap { Int(exactly: $0) }
                    }
                guard let found, found >= 0 else { throw OptionFault("expected a number of bytes, such as '32 MiB'") }
                guard bounds.contains(found) else {
                    throw OptionFault(
                        "expected \(formatByteCount(bounds.lowerBound)) to \(formatByteCount(bounds.upperBound))")
                }
                return found
            },
            show: { formatByteCount($0) })
    }

    /// A whole number within bounds.
    static func count(in bounds: ClosedRange<Int>) -> OptionKind {
        OptionKind(
            placeholder: "N",
            read: { (value) throws(OptionFault) in
                guard let number = value.integer, bounds.contains(number) else {
                    throw OptionFault("expected a whole number from \(bounds.lowerBound) to \(bounds.upperBound)")
                }
                return number
            },
            show: { String($0) })
    }
}

extension OptionKind where Value == Int? {
    /// Attempts, the first one counted; `unlimited` and `infinite` are nil.
    static let attempts = OptionKind(
        placeholder: "N|unlimited",
        read: { (value) throws(OptionFault) in
            if let text = value.string?.lowercased(), text == "unlimited" || text == "infinite" { return nil }
            guard let number = value.integer, (1...Int(UInt32.max)).contains(number) else {
                throw OptionFault("expected a whole number from 1 on, or 'unlimited'")
            }
            return number
        },
        show: { $0.map { String($0) } ?? "unlimited" })
}

extension OptionKind where Value == Double {
    /// A number within bounds.
    static func number(in bounds: ClosedRange<Double>) -> OptionKind {
        OptionKind(
            placeholder: "NUMBER",
            read: { (value) throws(OptionFault) in
                let found: Double? =
                    switch value {
                    case .text(let text): Double(text)
                    case .typed(let json): json.double
                    }
                guard let found, bounds.contains(found) else {
                    throw OptionFault("expected a number from \(bounds.lowerBound) to \(bounds.upperBound)")
                }
                return found
            },
            show: { String($0) })
    }
}

extension OptionKind where Value == Bool {
    /// `true` or `false`.
    static let flag = OptionKind(
        placeholder: "true|false",
        read: { (value) throws(OptionFault) in
            switch value {
            case .text("true"), .typed(.bool(true)): return true
            case .text("false"), .typed(.bool(false)): return false
            default: throw OptionFault("expected 'true' or 'false'")
            }
        },
        show: { String($0) })
}

extension OptionKind where Value == String {
    /// A text that is not empty.
    static func text(_ placeholder: String) -> OptionKind {
        OptionKind(
            placeholder: placeholder,
            read: { (value) throws(OptionFault) in
                guard let text = value.string else { throw OptionFault("expected a text in quotes") }
                guard !text.isEmpty else { throw OptionFault("it is empty") }
                return text
            },
            show: { $0 })
    }

    /// `http://host:port/`; a slash at the end is added where there is no path.
    static let url = OptionKind(
        placeholder: "URL",
        read: { (value) throws(OptionFault) in
            guard let text = value.string, let scheme = ["http://", "https://"].first(where: text.hasPrefix),
                text.count > scheme.count
            else { throw OptionFault("expected a URL, such as http://host:8080/") }
            return text.dropFirst(scheme.count).contains("/") ? text : text + "/"
        },
        show: { $0 })
}

extension OptionKind where Value == NetworkAddress {
    /// `ip:port`, or `ip` with the usual port.
    static func address(defaultPort: UInt16) -> OptionKind {
        OptionKind(
            placeholder: "ADDRESS:PORT",
            read: { (value) throws(OptionFault) in
                guard let text = value.string, let address = NetworkAddress(text, defaultPort: defaultPort) else {
                    throw OptionFault("expected an IP address and a port, such as 127.0.0.1:\(defaultPort)")
                }
                return address
            },
            show: { $0.description })
    }
}

extension OptionKind where Value == [String] {
    /// A list of names; they are put into lower case.
    static let names = OptionKind(
        placeholder: "[NAME,…]",
        read: { (value) throws(OptionFault) in
            switch value {
            case .text(let text):
                let inner = text.hasPrefix("[") && text.hasSuffix("]") ? text.dropFirst().dropLast() : text[...]
                return inner.split(separator: ",").map {
                    $0.trimmingQuotesAndBlanks.lowercased()
                }
            case .typed(.array(let elements)):
                let names = elements.compactMap(\.string)
                guard names.count == elements.count else { throw OptionFault("expected a list of texts") }
                return names.map { $0.lowercased() }
            case .typed: throw OptionFault("expected a list of texts")
            }
        },
        show: { "[\($0.joined(separator: ","))]" })
}

extension OptionKind where Value == [Configuration.Header] {
    /// A table of header names and values.
    static let headers = OptionKind(
        placeholder: "{NAME=VALUE,…}",
        read: { (value) throws(OptionFault) in
            let table: [Configuration.Header]? =
                switch value {
                case .typed(let json):
                    json.members?.compactMap { member in
                        member.value.string.map { Configuration.Header(name: member.key.lowercased(), value: $0) }
                    }
                case .text(let text): headers(inBraces: text)
                }
            guard let table else { throw OptionFault("expected header names and values, such as {x-tenant = \"a\"}") }
            for header in table where !header.isValid {
                throw OptionFault("'\(header.name)' and its value are no HTTP header")
            }
            return table
        },
        show: { "{\($0.map { "\($0.name)=\"\($0.value)\"" }.joined(separator: ","))}" })

    private static func headers(inBraces text: String) -> [Configuration.Header]? {
        guard text.hasPrefix("{"), text.hasSuffix("}") else { return nil }
        var headers: [Configuration.Header] = []
        for pair in text.dropFirst().dropLast().split(separator: ",") {
            guard let equals = pair.firstIndex(of: "=") else { return nil }
            headers.append(
                Configuration.Header(
                    name: pair[..<equals].trimmingQuotesAndBlanks.lowercased(),
                    value: pair[pair.index(after: equals)...].trimmingQuotesAndBlanks))
        }
        return headers
    }
}

extension OptionKind where Value: CaseIterable & RawRepresentable<String> {
    /// One of a few words.
    static var choice: OptionKind {
        OptionKind(
            placeholder: Value.allCases.map(\.rawValue).joined(separator: "|"),
            read: { (value) throws(OptionFault) in
                guard let text = value.string, let found = Value(rawValue: text.lowercased()) else {
                    throw OptionFault("expected \(Value.allCases.map { "'\($0.rawValue)'" }.joined(separator: " or "))")
                }
                return found
            },
            show: { $0.rawValue })
    }
}

extension OptionValue {
    /// The text that it is; nil for other types of a TOML file.
    var string: String? {
        switch self {
        case .text(let text): text
        case .typed(let json): json.string
        }
    }

    /// The whole number that it is.
    var integer: Int? {
        switch self {
        case .text(let text): Int(text)
        case .typed(let json): json.int.flatMap { Int(exactly: $0) }
        }
    }
}

extension Configuration.Header {
    /// Only what HTTP allows in names and values, so that no value can smuggle in another header.
    var isValid: Bool {
        !name.isEmpty
            && name.utf8.allSatisfy {
                (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || "!#$%&'*+-.^_`|~".utf8.contains($0)
            } && value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 9 }
    }
}

extension StringProtocol {
    /// Without blanks around it and without one pair of quotes.
    fileprivate var trimmingQuotesAndBlanks: String {
        var text = self[...].drop { $0 == " " }
        while text.last == " " { text = text.dropLast() }
        if text.count >= 2, text.first == "\"", text.last == "\"" { text = text.dropFirst().dropLast() }
        return String(text)
    }
}
