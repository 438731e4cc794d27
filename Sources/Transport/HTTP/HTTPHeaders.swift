/// One line of a head.
public struct HTTPHeader: Sendable, Hashable {
    /// In lower case when it was received.
    public var name: String
    /// Without the white space around it. Bytes that are not UTF-8 are U+FFFD.
    public var value: String

    /// A header line.
    public init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}

/// The header lines of a message in their order. Names are compared without regard to case, and may repeat.
public struct HTTPHeaders: Sendable, Hashable {
    private var lines: [HTTPHeader]

    /// No headers.
    public init() { lines = [] }

    /// These lines in this order.
    public init(_ lines: some Sequence<HTTPHeader>) { self.lines = Array(lines) }

    /// The value of the first line with this name.
    public subscript(name: String) -> String? { lines.first { $0.name.isSameHeaderName(as: name) }?.value }

    /// The values of all lines with this name, in order.
    public func values(_ name: String) -> [String] {
        lines.compactMap { $0.name.isSameHeaderName(as: name) ? $0.value : nil }
    }

    /// Appends a line.
    public mutating func add(_ name: String, _ value: String) { lines.append(HTTPHeader(name: name, value: value)) }

    /// Replaces the first line of this name and removes the others; appends it if there is none.
    public mutating func set(_ name: String, _ value: String) {
        guard let first = lines.firstIndex(where: { $0.name.isSameHeaderName(as: name) }) else {
            return add(name, value)
        }
        lines[first].value = value
        var index = lines.count - 1
        while index > first {
            if lines[index].name.isSameHeaderName(as: name) { lines.remove(at: index) }
            index -= 1
        }
    }

    /// Removes all lines of this name.
    public mutating func remove(_ name: String) { lines.removeAll { $0.name.isSameHeaderName(as: name) } }

    /// Makes room for so many lines.
    public mutating func reserveCapacity(_ count: Int) { lines.reserveCapacity(count) }

    /// Whether one of the comma-separated words of the lines of this name is `token`, in any case.
    func has(_ token: String, in name: String) -> Bool {
        lines.contains { line in
            line.name.isSameHeaderName(as: name)
                && line.value.utf8.split(separator: UInt8(ascii: ",")).contains { word in
                    let word = word.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
                    let end = word.lastIndex { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }
                    guard let end else { return false }
                    return word[...end].elementsEqual(token.utf8) { $0.asciiLowercased == $1.asciiLowercased }
                }
        }
    }
}

extension HTTPHeaders: RandomAccessCollection {
    /// The index of the first line: 0.
    public var startIndex: Int { lines.startIndex }
    /// The number of lines.
    public var endIndex: Int { lines.endIndex }
    /// The line at a place.
    public subscript(position: Int) -> HTTPHeader { lines[position] }
}

extension HTTPHeaders: ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral {
    /// These lines in this order.
    public init(arrayLiteral elements: HTTPHeader...) { lines = elements }

    /// These lines in this order; a name may repeat.
    public init(dictionaryLiteral elements: (String, String)...) {
        lines = elements.map { HTTPHeader(name: $0.0, value: $0.1) }
    }
}

extension UInt8 {
    /// The letter in lower case, if it is a letter of ASCII.
    var asciiLowercased: UInt8 { self &- UInt8(ascii: "A") < 26 ? self | 0x20 : self }
}

extension String {
    func isSameHeaderName(as other: String) -> Bool {
        utf8.count == other.utf8.count
            && utf8.elementsEqual(other.utf8) { $0 == $1 || $0.asciiLowercased == $1.asciiLowercased }
    }
}
