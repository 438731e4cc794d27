import HoldfastWire

/// Bytes on their way to a socket, in order. Grows at the end, is taken from the front.
struct OutputBuffer {
    private var bytes: [UInt8] = []
    private var head = 0

    /// Above this size, memory is given back when the buffer becomes empty: most connections are idle most of the time.
    private static let capacityKept = 4096

    var count: Int { bytes.count - head }
    var isEmpty: Bool { bytes.count == head }

    /// Calls `body` with what is in the buffer.
    func withSpan<R>(_ body: (RawSpan) -> R) -> R { body(bytes.span.bytes.extracting(droppingFirst: head)) }

    mutating func append(_ slice: Bytes) { bytes.append(contentsOf: slice) }
    mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }
    mutating func append(_ span: RawSpan) { span.withUnsafeBytes { bytes.append(contentsOf: $0) } }
    mutating func append(_ byte: UInt8) { bytes.append(byte) }

    /// Appends an integer in decimal digits.
    mutating func append(decimal number: Int) { append(String(number)) }

    /// Appends an integer in hexadecimal digits.
    mutating func append(hexadecimal number: Int) { append(String(number, radix: 16)) }

    mutating func removeFirst(_ count: Int) {
        head += count
        precondition(head <= bytes.count, "no more is taken out than was put in")
        if head == bytes.count {
            head = 0
            if bytes.capacity > OutputBuffer.capacityKept {
                bytes = []
            } else {
                bytes.removeAll(keepingCapacity: true)
            }
        } else if head > 1 << 20 {
            bytes.removeFirst(head)
            head = 0
        }
    }
}
