import HoldfastWire

/// A header of a request, passed on to the handler.
public struct Header: Sendable, Hashable {
    /// The name.
    public var key: String
    /// The value.
    public var value: String

    /// A header with a name and a value.
    public init(key: String, value: String) {
        self.key = key
        self.value = value
    }

    init(reading payload: Bytes) throws(WireError) {
        self.init(key: "", value: "")
        var reader = ProtobufReader(payload)
        while let field = try reader.next() {
            switch field.number {
            case 1: key = try field.string
            case 2: value = try field.string
            default: break
            }
        }
    }
}
