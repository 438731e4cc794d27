import HoldfastEngine
import HoldfastWire

extension AdminAPI {
    /// Replaces the whole state of one key (admin §5.3). The version is compared when the mutation is applied, which
    /// may be after invocations that are queued now.
    func replaceState(_ call: AdminCall) throws(AdminError) {
        let name = call.parameter("service")
        let fields = try JSONFields(body: call)
        let key = try fields.required("object_key", fields.string("object_key"))
        let entries = try Self.entries(of: try fields.required("new_state", fields.fields("new_state")))
        let version = try fields.string("version")
        let scope = try fields.string("scope")
        if let scope, let fault = ScopeName.fault(in: scope) { throw .badScope(fault) }
        let kind = registry.activeService(name)?.kind
        guard kind != .service else { throw .stateOfService(.service) }
        // What a service that is gone has left behind can be cleared, and no more.
        guard kind != nil || entries.isEmpty else { throw .serviceUnknown(name) }

        let mutation = StateMutation(
            object: ObjectID(scope: scope, service: name, key: key), isWorkflow: kind == .workflow,
            expectedVersion: version, entries: entries)
        let partitionKey = scope.map(PartitionKey.ofScope) ?? PartitionKey.ofKey(key)
        environment.ask(partitionKey, { .mutateState(mutation, $0) }) { answer in
            switch answer {
            case .stateMutationAccepted: call.respond(.empty(202))
            case .failed(let message): call.respond(.error(.store(message)))
            default: call.respond(.error(.engineAnswer))
            }
        }
    }

    /// Values are texts, or arrays of bytes.
    private static func entries(of fields: JSONFields) throws(AdminError) -> [(key: Bytes, value: Bytes)] {
        var entries: [String: Bytes] = [:]
        for member in fields.members {
            if let text = member.value.string {
                entries[member.key] = Bytes(utf8: text)
            } else if let numbers = member.value.array {
                var bytes: [UInt8] = []
                bytes.reserveCapacity(numbers.count)
                for number in numbers {
                    guard let byte = number.uint.flatMap({ UInt8(exactly: $0) }) else {
                        throw fields.fault(member.key, number, "u8")
                    }
                    bytes.append(byte)
                }
                entries[member.key] = bytes[...]
            } else {
                throw fields.fault(member.key, member.value, "byte array")
            }
        }
        return entries.map { (key: Bytes(utf8: $0.key), value: $0.value) }.sorted {
            $0.key.lexicographicallyPrecedes($1.key)
        }
    }
}
