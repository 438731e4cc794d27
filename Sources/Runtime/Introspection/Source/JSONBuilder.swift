import HoldfastWire

/// Writes JSON text piece by piece, for texts that are mostly payload.
struct JSONBuilder {
    private(set) var bytes: [UInt8] = []
    /// Whether something stands before the next member or element.
    private var needsComma = false

    /// The text of what `body` writes.
    static func text(_ body: (inout JSONBuilder) -> Void) -> SQLValue {
        var builder = JSONBuilder()
        body(&builder)
        return .utf8(builder.bytes[...])
    }

    mutating func object(_ body: (inout JSONBuilder) -> Void) {
        open("{")
        body(&self)
        close("}")
    }

    mutating func array(_ body: (inout JSONBuilder) -> Void) {
        open("[")
        body(&self)
        close("]")
    }

    /// `{"name": …}`: how values with variants are written.
    mutating func variant(_ name: String, _ body: (inout JSONBuilder) -> Void) {
        object { object in
            object.key(name)
            body(&object)
        }
    }

    mutating func key(_ name: String) {
        separate()
        JSONText.append(Array(name.utf8), to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    mutating func string(_ text: String) {
        separate()
        JSONText.append(Array(text.utf8), to: &bytes)
    }

    mutating func number(_ number: some BinaryInteger) {
        separate()
        bytes.append(contentsOf: String(number).utf8)
    }

    mutating func null() {
        separate()
        bytes.append(contentsOf: "null".utf8)
    }

    mutating func boolean(_ value: Bool) {
        separate()
        bytes.append(contentsOf: (value ? "true" : "false").utf8)
    }

    /// JSON that is written already.
    mutating func json(_ text: String) {
        separate()
        bytes.append(contentsOf: text.utf8)
    }

    /// Bytes as an array of numbers.
    mutating func numbers(_ payload: Bytes) {
        array { array in
            array.bytes.reserveCapacity(array.bytes.count + payload.count * 4)
            for byte in payload { array.number(byte) }
        }
    }

    mutating func member(_ name: String, _ text: String) {
        key(name)
        string(text)
    }

    mutating func member(_ name: String, optional text: String?) {
        key(name)
        if let text { string(text) } else { null() }
    }

    mutating func member(_ name: String, _ number: some BinaryInteger) {
        key(name)
        self.number(number)
    }

    mutating func open(_ bracket: Unicode.Scalar) {
        separate()
        bytes.append(UInt8(ascii: bracket))
        needsComma = false
    }

    mutating func close(_ bracket: Unicode.Scalar) {
        bytes.append(UInt8(ascii: bracket))
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }
}
