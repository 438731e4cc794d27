/// Numbers of fixed width in base 62, as they occur in the texts of identifiers.
///
/// Digits are `0-9`, `a-z`, `A-Z` in this order of value, the most significant first, padded with `0`. What is
/// written is not the number itself but the number with its bytes reversed: the identifiers of this scheme were first
/// written that way, and every one that is in use decodes only so.
enum Base62 {
    /// The digits of a 64-bit number.
    static let width64 = 11
    /// The digits of a 128-bit number.
    static let width128 = 22

    static func append(_ number: UInt64, to text: inout [UInt8]) {
        appendDigits(of: number.byteSwapped, width: width64, to: &text)
    }

    static func append(_ number: UInt128, to text: inout [UInt8]) {
        // Divisions of 128-bit numbers are slow: two of them leave pieces of ten digits that fit 64 bits.
        let (rest, low) = number.byteSwapped.quotientAndRemainder(dividingBy: UInt128(tenDigits))
        let (high, middle) = rest.quotientAndRemainder(dividingBy: UInt128(tenDigits))
        appendDigits(of: UInt64(high), width: 2, to: &text)
        appendDigits(of: UInt64(middle), width: 10, to: &text)
        appendDigits(of: UInt64(low), width: 10, to: &text)
    }

    /// The number that eleven digits stand for; nil for other characters, and for numbers above 64 bits.
    static func number64(_ digits: Bytes) -> UInt64? {
        guard digits.count == width64, let value: UInt64 = value(of: digits) else { return nil }
        return value.byteSwapped
    }

    /// The number that twenty-two digits stand for; nil for other characters, and for numbers above 128 bits.
    static func number128(_ digits: Bytes) -> UInt128? {
        guard digits.count == width128, let value: UInt128 = value(of: digits) else { return nil }
        return value.byteSwapped
    }

    /// 62 to the power of ten.
    private static let tenDigits: UInt64 = 839_299_365_868_340_224
    private static let alphabet = Array("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)

    private static func appendDigits(of number: UInt64, width: Int, to text: inout [UInt8]) {
        let start = text.count
        text.append(contentsOf: repeatElement(alphabet[0], count: width))
        var rest = number
        var position = start + width
        while rest > 0, position > start {
            position -= 1
            text[position] = alphabet[Int(rest % 62)]
            rest /= 62
        }
    }

    private static func value<Number: FixedWidthInteger>(of digits: Bytes) -> Number? {
        var value: Number = 0
        for digit in digits {
            guard let digitValue = self.digitValue(digit) else { return nil }
            let (product, productOverflow) = value.multipliedReportingOverflow(by: 62)
            let (sum, sumOverflow) = product.addingReportingOverflow(Number(digitValue))
            guard !productOverflow, !sumOverflow else { return nil }
            value = sum
        }
        return value
    }

    private static func digitValue(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit - UInt8(ascii: "A") + 36
        default: nil
        }
    }
}
