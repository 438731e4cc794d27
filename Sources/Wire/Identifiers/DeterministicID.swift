/// The uuids of invocations that are made unique by what they are, and not by chance.
///
/// Two requests for the same workflow, or with the same idempotency key, get the same identifier without any lookup.
public enum DeterministicID {
    /// The uuid of a workflow's run.
    public static func workflowRun(scope: String?, service: String, key: String) -> UInt128 {
        uuid(["wf", scope, service, key])
    }

    /// The uuid of an invocation with an idempotency key.
    ///
    /// - Parameter key: The virtual object's or workflow's key; nil for a plain service.
    public static func idempotent(
        scope: String?, service: String, key: String?, handler: String, idempotencyKey: String
    ) -> UInt128 {
        uuid(["ik", scope, service, key, handler, idempotencyKey])
    }

    /// The first 16 bytes of SHA-256 over the parts that there are, with commas between them.
    private static func uuid(_ parts: [String?]) -> UInt128 {
        let digest = sha256(Bytes(utf8: parts.compactMap(\.self).joined(separator: ",")))
        return digest.prefix(16).reduce(0) { $0 << 8 | UInt128($1) }
    }
}
