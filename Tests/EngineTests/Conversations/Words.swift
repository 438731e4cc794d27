import HoldfastServiceProtocol
import HoldfastWire

/// What a line of a script cannot say.
struct ScriptError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// The words of a line: plain ones, quoted ones, and options `name=value`.
struct Words {
    private var words: [String] = []
    private(set) var options: [String: String] = [:]

    init(_ line: String) {
        for word in Self.split(line, at: " ") where !word.isEmpty {
            if let sign = word.firstIndex(of: "="), !word.hasPrefix("\"") {
                options[String(word[..<sign])] = Self.unquoted(String(word[word.index(after: sign)...]))
            } else {
                words.append(word)
            }
        }
        words.reverse()
    }

    var isEmpty: Bool { words.isEmpty }

    mutating func next(_ what: String = "a word") throws -> String {
        guard let word = words.popLast() else { throw ScriptError("\(what) is missing") }
        return Self.unquoted(word)
    }

    mutating func number<Value: FixedWidthInteger>(_ what: String = "a number") throws -> Value {
        let word = try next(what)
        guard let value = Value(word) else { throw ScriptError("\(what) is no number: \(word)") }
        return value
    }

    /// Takes the next word if it is this one.
    mutating func take(_ word: String) -> Bool {
        guard words.last == word else { return false }
        words.removeLast()
        return true
    }

    func option<Value: FixedWidthInteger>(_ name: String) throws -> Value? {
        guard let text = options[name] else { return nil }
        guard let value = Value(text) else { throw ScriptError("\(name) is no number: \(text)") }
        return value
    }

    /// `"text"`, `failure 500 "text"`, or `void`.
    mutating func result() throws -> Notification.Result {
        if take("void") { return .void }
        if take("failure") { return .failure(Failure(code: try number("a code"), message: try next("a text"))) }
        return .value(Bytes(utf8: try next("a value")))
    }

    mutating func completion() throws -> Completion {
        switch try result() {
        case .failure(let failure): .failure(failure)
        case .value(let value): .value(value)
        case .void, .invocationID, .stateKeys: throw ScriptError("a value or a failure is missing")
        }
    }

    /// The parts of a line between separators that are not quoted.
    static func split(_ line: String, at separator: Character) -> [String] {
        var parts = [""]
        var isQuoted = false
        for character in line {
            if character == "\"" { isQuoted.toggle() }
            if character == separator, !isQuoted {
                parts.append("")
            } else {
                parts[parts.count - 1].append(character)
            }
        }
        return parts
    }

    private static func unquoted(_ word: String) -> String {
        word.count >= 2 && word.hasPrefix("\"") && word.hasSuffix("\"") ? String(word.dropFirst().dropLast()) : word
    }
}

extension Future {
    /// `1,2,s17,go` as protocol versions up to 6 say it, or a tree: `first(s1,all(1,2))`.
    init(script text: String) throws {
        var rest = Substring(text)
        let children = try Self.list(&rest)
        guard rest.isEmpty else { throw ScriptError("what is awaited ends early: \(text)") }
        if children.count == 1, !text.contains(","), !text.contains("(") {
            self = .node(.unknown, children)
        } else if children.count == 1, let only = children.first {
            self = only
        } else {
            self = .node(.unknown, children)
        }
    }

    private static let combinators: [String: Combinator] = [
        "unknown": .unknown, "first": .firstCompleted, "all": .allCompleted, "any": .firstSucceededOrAllFailed,
        "allOrFailure": .allSucceededOrFirstFailed,
    ]

    private static func list(_ rest: inout Substring) throws -> [Future] {
        var children: [Future] = []
        while let next = rest.first, next != ")" {
            if next == "," {
                rest.removeFirst()
                continue
            }
            let word = String(rest.prefix { !",()".contains($0) })
            rest.removeFirst(word.count)
            if rest.first == "(" {
                guard let combinator = combinators[word] else { throw ScriptError("no combinator: \(word)") }
                rest.removeFirst()
                children.append(.node(combinator, try list(&rest)))
                guard rest.popFirst() == ")" else { throw ScriptError("a parenthesis is missing") }
            } else {
                children.append(.leaf(Notification.ID(script: word)))
            }
        }
        return children
    }
}

extension Notification.ID {
    /// `3` is a completion, `s17` a signal, anything else a name.
    init(script word: String) {
        if let completion = UInt32(word) {
            self = .completion(completion)
        } else if word.hasPrefix("s"), let signal = UInt32(word.dropFirst()) {
            self = .signal(signal)
        } else {
            self = .namedSignal(word)
        }
    }
}
