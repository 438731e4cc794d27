import HoldfastServiceProtocol
import HoldfastWire

/// Something that happened to an invocation beside its journal, for operators to read (sql §3.5).
public struct JournalEvent: Sendable {
    /// What happened.
    public enum Kind: Sendable {
        /// An attempt failed, and another one follows.
        case transientError(AttemptFailure)
        /// The invocation was paused: after this failure, or by hand.
        case paused(AttemptFailure?)
        /// The invocation suspended.
        case suspended(Future)
    }

    /// What happened.
    public var kind: Kind
    /// Index of the journal's last entry at that time.
    public var afterIndex: UInt32
    /// When it happened.
    public var appended: Timestamp
}

extension JournalEvent {
    var encoded: [UInt8] {
        var writer = ProtobufWriter(capacity: 64)
        writer.number(1, afterIndex)
        writer.number(2, appended.millis)
        switch kind {
        case .transientError(let failure): writer.message(3) { failure.encode(into: &$0) }
        case .paused(let failure):
            writer.message(4) { paused in
                if let failure { paused.message(1) { failure.encode(into: &$0) } }
            }
        case .suspended(let future): writer.bytes(5, optional: future.encoded[...])
        }
        return writer.bytes
    }

    init(stored value: Bytes) throws(StorageError) {
        guard value.first == 1 else {
            throw .damagedRecord("journal event", "its version is \(value.first.map(String.init) ?? "missing")")
        }
        do throws(WireError) {
            try self.init(fields: value.dropFirst())
        } catch {
            throw .damagedRecord("journal event", error.what)
        }
    }

    private init(fields: Bytes) throws(WireError) {
        var afterIndex: UInt32 = 0
        var appended = Timestamp(millis: 0)
        var kind: Kind?
        var reader = ProtobufReader(fields)
        while let field = try reader.next() {
            switch field.number {
            case 1: afterIndex = try field.u32
            case 2: appended = try field.timestamp
            case 3: kind = .transientError(try AttemptFailure(decoding: try field.bytes))
            case 4:
                var failure: AttemptFailure?
                var paused = ProtobufReader(try field.bytes)
                while let part = try paused.next() {
                    if part.number == 1 { failure = try AttemptFailure(decoding: try part.bytes) }
                }
                kind = .paused(failure)
            case 5: kind = .suspended(try field.future)
            default: break
            }
        }
        guard let kind else { throw WireError(what: "it is of no known kind") }
        self.init(kind: kind, afterIndex: afterIndex, appended: appended)
    }
}

extension AttemptFailure {
    func encode(into writer: inout ProtobufWriter) {
        writer.number(1, code)
        writer.string(2, message)
        writer.string(3, optional: stacktrace)
        writer.string(4, optional: documentedCode)
        writer.number(5, optional: commandIndex)
        writer.string(6, optional: commandName)
        writer.string(7, optional: commandType)
    }

    init(decoding bytes: Bytes) throws(WireError) {
        self.init(code: 0, message: "")
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: code = try field.u32
            case 2: message = try field.string
            case 3: stacktrace = try field.string
            case 4: documentedCode = try field.string
            case 5: commandIndex = try field.u32
            case 6: commandName = try field.string
            case 7: commandType = try field.string
            default: break
            }
        }
    }

    /// Whether recording this failure behind `other` would tell nothing new.
    func repeats(_ other: AttemptFailure) -> Bool {
        code == other.code && message == other.message && commandIndex == other.commandIndex
            && commandName == other.commandName && commandType == other.commandType
    }
}
