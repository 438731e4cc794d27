/// Cuts a query into tokens.
struct Lexer {
    private let characters: [UInt8]
    private var index = 0
    private var position = Token.Position()

    init(_ query: String) {
        characters = Array(query.utf8)
    }

    /// All tokens, the last of which is `end`.
    static func tokens(of query: String) throws(QueryError) -> [Token] {
        var lexer = Lexer(query)
        var tokens: [Token] = []
        while true {
            let token = try lexer.next()
            tokens.append(token)
            if token.kind == .end { return tokens }
        }
    }

    private mutating func next() throws(QueryError) -> Token {
        try skipSpace()
        let start = position
        guard let first = peek() else { return Token(kind: .end, text: "", position: start) }
        switch first {
        case UInt8(ascii: "'"):
            return Token(kind: .string, text: try quoted(by: first, from: start), position: start)
        case UInt8(ascii: "$"):
            guard peek(1) == first else { return try symbol(from: start) }
            return Token(kind: .string, text: try dollarQuoted(from: start), position: start)
        case UInt8(ascii: "e") where peek(1) == UInt8(ascii: "'"), UInt8(ascii: "E") where peek(1) == UInt8(ascii: "'"):
            advance()
            return Token(kind: .string, text: try escaped(from: start), position: start)
        case UInt8(ascii: "\""):
            return Token(kind: .quotedWord, text: try quoted(by: first, from: start), position: start)
        case UInt8(ascii: "x"), UInt8(ascii: "X"):
            if peek(1) == UInt8(ascii: "'") {
                advance()
                return Token(kind: .bytes, text: try quoted(by: UInt8(ascii: "'"), from: start), position: start)
            }
            return word(from: start)
        case _ where first.isDigit, UInt8(ascii: ".") where peek(1)?.isDigit == true:
            return number(from: start)
        case _ where first.isWordStart:
            return word(from: start)
        default:
            return try symbol(from: start)
        }
    }

    private mutating func skipSpace() throws(QueryError) {
        while let character = peek() {
            if character == UInt8(ascii: " ") || (9...13).contains(character) {
                advance()
            } else if character == UInt8(ascii: "-"), peek(1) == UInt8(ascii: "-") {
                while let character = peek(), character != UInt8(ascii: "\n") { advance() }
            } else if character == UInt8(ascii: "/"), peek(1) == UInt8(ascii: "*") {
                let start = position
                advance(2)
                while !(peek() == UInt8(ascii: "*") && peek(1) == UInt8(ascii: "/")) {
                    guard peek() != nil else { throw .unreadable("a comment has no end", at: start) }
                    advance()
                }
                advance(2)
            } else {
                return
            }
        }
    }

    /// Text between quotes; a doubled quote stands for one.
    private mutating func quoted(by quote: UInt8, from start: Token.Position) throws(QueryError) -> String {
        var text: [UInt8] = []
        advance()
        while let character = peek() {
            if character == quote {
                advance()
                guard peek() == quote else { return String(decoding: text, as: UTF8.self) }
            }
            text.append(character)
            advance()
        }
        throw .unreadable("the text that begins here has no closing quote", at: start)
    }

    /// Text between `$$`, in which nothing has a meaning of its own.
    private mutating func dollarQuoted(from start: Token.Position) throws(QueryError) -> String {
        advance(2)
        let first = index
        while peek() != nil {
            if peek() == UInt8(ascii: "$"), peek(1) == UInt8(ascii: "$") {
                defer { advance(2) }
                return String(decoding: characters[first..<index], as: UTF8.self)
            }
            advance()
        }
        throw .unreadable("the text that begins here has no closing $$", at: start)
    }

    /// `E'a\nb'`: text in which a backslash makes a character of the next one.
    private mutating func escaped(from start: Token.Position) throws(QueryError) -> String {
        let meanings: [UInt8: UInt8] = [
            UInt8(ascii: "n"): 10, UInt8(ascii: "t"): 9, UInt8(ascii: "r"): 13, UInt8(ascii: "b"): 8,
            UInt8(ascii: "f"): 12,
        ]
        var text: [UInt8] = []
        advance()
        while let character = peek() {
            advance()
            if character == UInt8(ascii: "\\"), let next = peek() {
                text.append(meanings[next] ?? next)
                advance()
            } else if character != UInt8(ascii: "'") {
                text.append(character)
            } else if peek() == character {
                text.append(character)
                advance()
            } else {
                return String(decoding: text, as: UTF8.self)
            }
        }
        throw .unreadable("the text that begins here has no closing quote", at: start)
    }

    private mutating func number(from start: Token.Position) -> Token {
        let first = index
        while let character = peek(), character.isDigit || character == UInt8(ascii: ".") { advance() }
        if let exponent = peek(), exponent | 0x20 == UInt8(ascii: "e") {
            let sign = peek(1) == UInt8(ascii: "-") || peek(1) == UInt8(ascii: "+") ? 1 : 0
            if peek(1 + sign)?.isDigit == true {
                advance(1 + sign)
                while peek()?.isDigit == true { advance() }
            }
        }
        return Token(kind: .number, text: String(decoding: characters[first..<index], as: UTF8.self), position: start)
    }

    private mutating func word(from start: Token.Position) -> Token {
        let first = index
        while let character = peek(), character.isWordStart || character.isDigit || character == UInt8(ascii: "$") {
            advance()
        }
        let text = String(decoding: characters[first..<index], as: UTF8.self).lowercased()
        return Token(kind: .word, text: text, position: start)
    }

    private mutating func symbol(from start: Token.Position) throws(QueryError) -> Token {
        for length in [3, 2, 1] where index + length <= characters.count {
            let text = String(decoding: characters[index..<index + length], as: UTF8.self)
            if Self.symbols.contains(text) {
                advance(length)
                return Token(kind: .symbol, text: text, position: start)
            }
        }
        throw .unreadable("a character that means nothing in SQL", at: start)
    }

    private static let symbols: Set<String> = [
        "->>", "->", "<=", ">=", "<>", "!=", "==", "||", "::", "=", "<", ">", "+", "-", "*", "/", "%", "(", ")", "[",
        "]", ",", ".", ";", "~",
    ]

    private func peek(_ ahead: Int = 0) -> UInt8? {
        index + ahead < characters.count ? characters[index + ahead] : nil
    }

    private mutating func advance(_ count: Int = 1) {
        for _ in 0..<count where index < characters.count {
            if characters[index] == UInt8(ascii: "\n") {
                position.line += 1
                position.column = 1
            } else {
                position.column += 1
            }
            index += 1
        }
    }
}

extension UInt8 {
    fileprivate var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
    /// A letter, an underscore, or a part of a character beyond ASCII.
    fileprivate var isWordStart: Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20) || self == UInt8(ascii: "_") || self >= 128
    }
}
