/// Bytes that do not follow their encoding.
public struct WireError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong, as the second half of a sentence: "the varint is longer than 10 bytes".
    public let what: String

    /// An error that tells `what` is wrong with the bytes.
    public init(what: String) { self.what = what }

    /// The same as `what`.
    public var description: String { what }
}

extension WireError {
    static let truncatedVarint = WireError(what: "a varint is cut off by the end of the message")
    static let overlongVarint = WireError(what: "a varint is longer than 64 bits")
    static let fieldNumberZero = WireError(what: "a field has number 0")
    static let fieldNumberTooLarge = WireError(what: "a field number is above 536870911")

    static func truncated(field: UInt32) -> WireError {
        WireError(what: "field \(field) is cut off by the end of the message")
    }

    static func unknownWireType(_ wireType: UInt64, field: UInt32) -> WireError {
        WireError(what: "field \(field) has wire type \(wireType), which this protocol does not use")
    }

    static func wrongWireType(field: UInt32, found: String, expected: String) -> WireError {
        WireError(what: "field \(field) is \(found) where \(expected) is expected")
    }

    static func notUTF8(field: UInt32) -> WireError {
        WireError(what: "field \(field) is not valid UTF-8")
    }
}
