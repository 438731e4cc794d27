extension JSON {
    /// The document as text, with no white space. Only what must be escaped is escaped.
    public var text: String { String(decoding: bytes, as: UTF8.self) }

    /// The document as UTF-8, with no white space.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return bytes
    }

    /// The document as text with line breaks, indented by two spaces for each level.
    public var indentedText: String {
        var bytes: [UInt8] = []
        append(to: &bytes, indentation: 0)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends the document with no white space.
    public func append(to bytes: inout [UInt8]) { append(to: &bytes, indentation: nil) }

    /// Appends a text in quotes, with its escapes.
    public static func append(string text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        if text.utf8.allSatisfy({ $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
            bytes.append(contentsOf: text.utf8)
        } else {
            appendEscaped(text, to: &bytes)
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func appendEscaped(_ text: String, to bytes: inout [UInt8]) {
        for character in text.utf8 {
            switch character {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(character)
            case 0x20...: bytes.append(character)
            default: appendEscape(of: character, to: &bytes)
            }
        }
    }

    private func append(to bytes: inout [UInt8], indentation: Int?) {
        switch self {
        case .null: bytes.append(contentsOf: "null".utf8)
        case .bool(let value): bytes.append(contentsOf: (value ? "true" : "false").utf8)
        case .integer(let value): bytes.append(contentsOf: String(value).utf8)
        case .unsigned(let value): bytes.append(contentsOf: String(value).utf8)
        case .number(let value): bytes.append(contentsOf: Self.text(of: value).utf8)
        case .string(let text): Self.append(string: text, to: &bytes)
        case .array(let elements):
            Self.append(elements, between: ("[", "]"), to: &bytes, indentation) { element, bytes, indentation in
                element.append(to: &bytes, indentation: indentation)
            }
        case .object(let members):
            Self.append(members, between: ("{", "}"), to: &bytes, indentation) { member, bytes, indentation in
                Self.append(string: member.key, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                if indentation != nil { bytes.append(UInt8(ascii: " ")) }
                member.value.append(to: &bytes, indentation: indentation)
            }
        }
    }

    private static func append<Element>(
        _ elements: [Element], between brackets: (Unicode.Scalar, Unicode.Scalar), to bytes: inout [UInt8],
        _ indentation: Int?, _ appendElement: (Element, inout [UInt8], Int?) -> Void
    ) {
        bytes.append(UInt8(ascii: brackets.0))
        let inner = indentation.map { $0 + 2 }
        var isFirst = true
        for element in elements {
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            appendLineBreak(inner, to: &bytes)
            appendElement(element, &bytes, inner)
        }
        if !isFirst { appendLineBreak(indentation, to: &bytes) }
        bytes.append(UInt8(ascii: brackets.1))
    }

    private static func appendLineBreak(_ indentation: Int?, to bytes: inout [UInt8]) {
        guard let indentation else { return }
        bytes.append(0x0A)
        bytes.append(contentsOf: repeatElement(0x20, count: indentation))
    }

    private static func appendEscape(of character: UInt8, to bytes: inout [UInt8]) {
        let short: [UInt8: Unicode.Scalar] = [0x08: "b", 0x09: "t", 0x0A: "n", 0x0C: "f", 0x0D: "r"]
        bytes.append(UInt8(ascii: "\\"))
        if let letter = short[character] {
            bytes.append(UInt8(ascii: letter))
        } else {
            bytes.append(contentsOf: "u00".utf8)
            bytes.append(hexDigits[Int(character >> 4)])
            bytes.append(hexDigits[Int(character & 15)])
        }
    }
}

// MARK: - Numbers

extension JSON {
    /// The shortest decimal number that reads back as `value`; `null` for what JSON cannot express.
    ///
    /// Digits are Swift's; the form is the one that other implementations of the protocol print (an exponent only
    /// below 1e-5 and from 1e16 on, without `+` and without leading zeros), so that documents compare as text.
    static func text(of value: Double) -> String {
        guard value.isFinite else { return "null" }
        // Here Swift's own text has that form.
        if value.magnitude >= 1e-4, value.magnitude < 1e16 { return value.description }
        let (digits, exponent) = decimal(value.magnitude.description)
        let sign = value.sign == .minus ? "-" : ""
        if digits.isEmpty { return sign + "0.0" }
        // The value is 0.DIGITS times ten to the power of `exponent`.
        switch exponent {
        case -4...0: return sign + "0." + String(repeating: "0", count: -exponent) + digits
        case 1...16 where exponent >= digits.count:
            return sign + digits + String(repeating: "0", count: exponent - digits.count) + ".0"
        case 1...16: return sign + digits.prefix(exponent) + "." + digits.dropFirst(exponent)
        default:
            let fraction = digits.count > 1 ? "." + digits.dropFirst() : ""
            return sign + digits.prefix(1) + fraction + "e\(exponent - 1)"
        }
    }

    /// Splits a decimal number into its significant digits and the exponent that belongs to `0.DIGITS`.
    private static func decimal(_ text: String) -> (digits: String, exponent: Int) {
        let parts = text.split(separator: "e")
        let mantissa = parts[0].split(separator: ".")
        let whole = mantissa[0]
        let fraction = mantissa.count > 1 ? mantissa[1] : ""
        var exponent = (parts.count > 1 ? Int(parts[1]) ?? 0 : 0) + whole.count
        var digits = (whole + fraction)[...]
        while digits.first == "0" {
            digits.removeFirst()
            exponent -= 1
        }
        while digits.last == "0" { digits.removeLast() }
        return (String(digits), exponent)
    }
}
