/// The identity of an awakeable, which somebody outside uses to complete it.
public enum AwakeableID: Sendable, Hashable, CustomStringConvertible {
    /// `sign_1…`: a signal of the invocation. This is what every current SDK hands out, counting from 17.
    case signal(InvocationID, index: UInt32)
    /// `prom_1…`: a journal entry of the invocation, from protocol versions before 4.
    case entry(InvocationID, index: UInt32)

    /// Reads either form.
    ///
    /// A text that is neither gets the error that it has as the older form, whatever its prefix is.
    public init(text: String) throws(IdentifierError) {
        if let (id, index) = try? Self.parts(of: text, .signalAwakeable) {
            self = .signal(id, index: index)
        } else {
            let (id, index) = try Self.parts(of: text, .entryAwakeable)
            self = .entry(id, index: index)
        }
    }

    /// The invocation that waits for it.
    public var invocationID: InvocationID {
        switch self {
        case .signal(let id, _), .entry(let id, _): id
        }
    }

    /// The text form.
    public var description: String {
        let (prefix, id, index): (IdentifierPrefix, InvocationID, UInt32) =
            switch self {
            case .signal(let id, let index): (.signalAwakeable, id, index)
            case .entry(let id, let index): (.entryAwakeable, id, index)
            }
        return IdentifierCodec.text(prefix) { text in
            var bytes = id.bytes
            bytes.append(bigEndian: index)
            text.append(contentsOf: Base64URL.encode(bytes).utf8)
        }
    }

    private static func parts(
        of text: String, _ prefix: IdentifierPrefix
    ) throws(IdentifierError) -> (InvocationID, UInt32) {
        let fields = try IdentifierCodec.fields(of: text, prefix)
        guard let bytes = Base64URL.decode(fields.rest) else { throw .digits }
        guard bytes.count == 28, let id = InvocationID(bytes: bytes[..<24]), let index = UInt32(bigEndian: bytes[24...])
        else { throw .length }
        return (id, index)
    }
}
