/// Bytes that somebody else may own too: payloads are passed on as slices of the buffer they arrived in.
///
/// Indexes of a slice do not start at zero. Code that computes positions starts from `startIndex`.
public typealias Bytes = ArraySlice<UInt8>

extension ArraySlice where Element == UInt8 {
    /// The UTF-8 form of a text.
    public init(utf8 text: String) { self = Array(text.utf8)[...] }

    /// The bytes that a string of hexadecimal digits stands for; nil when it is none, or of odd length.
    public init?(hex text: String) {
        let digits = Array(text.utf8)
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count / 2)
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = hexValue(digits[index]), let low = hexValue(digits[index + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
        self = bytes[...]
    }

    /// The text that these bytes are in UTF-8; nil when they are not valid UTF-8.
    public var utf8String: String? { String(validating: self, as: UTF8.self) }

    /// The text that these bytes are in UTF-8, with U+FFFD in place of what is not valid.
    public var lossyString: String { String(decoding: self, as: UTF8.self) }

    /// Two lower-case hexadecimal digits for each byte.
    public var hex: String { hexText(self) }
}

extension Array where Element == UInt8 {
    /// Two lower-case hexadecimal digits for each byte.
    public var hex: String { hexText(self) }

    /// Appends an integer in network byte order.
    @inlinable public mutating func append(bigEndian value: some FixedWidthInteger & UnsignedInteger) {
        var shift = value.bitWidth
        while shift > 0 {
            shift -= 8
            append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }
}

extension FixedWidthInteger where Self: UnsignedInteger {
    /// The integer that `bytes` are in network byte order; nil when they are not as many as the type has.
    @inlinable public init?(bigEndian bytes: Bytes) {
        guard bytes.count == Self.bitWidth / 8 else { return nil }
        self = bytes.reduce(0) { $0 << 8 | Self(truncatingIfNeeded: $1) }
    }
}

/// The value of a hexadecimal digit of either case.
func hexValue(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    default: nil
    }
}

/// The digits of lower-case hexadecimal numbers.
let hexDigits = Array("0123456789abcdef".utf8)

private func hexText(_ bytes: some Sequence<UInt8>) -> String {
    var digits: [UInt8] = []
    for byte in bytes {
        digits.append(hexDigits[Int(byte >> 4)])
        digits.append(hexDigits[Int(byte & 15)])
    }
    return String(decoding: digits, as: UTF8.self)
}
