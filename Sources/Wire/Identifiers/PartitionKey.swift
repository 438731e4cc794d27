/// Where things belong in the hash space that partitions divide among themselves.
///
/// The hash is XXH3-64 over texts that each end with the byte FF, so that no two lists of texts hash the same bytes.
/// It is part of every deterministic identifier, hence can never change.
public enum PartitionKey {
    /// How many buckets the invocations of a plain service are spread over.
    public static let bucketCount: UInt64 = 512

    /// The place of a virtual object's or workflow's key. The service's name is not part of it.
    public static func ofKey(_ key: String) -> UInt64 { xxh3(terminated(key)) }

    /// The place of everything in a scope, whatever its service is.
    public static func ofScope(_ scope: String) -> UInt64 { xxh3(terminated(scope)) }

    /// The place of one bucket of a plain service's invocations that have no scope.
    public static func service(_ name: String, bucket: UInt64) -> UInt64 {
        var bytes = terminated(name) + terminated("unscoped/service")
        for shift in stride(from: 0 as UInt64, to: 64, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: bucket >> shift))
        }
        return xxh3(bytes)
    }

    /// The bucket of a plain service's invocations with this idempotency key.
    public static func bucket(idempotencyKey: String) -> UInt64 { xxh3(terminated(idempotencyKey)) % bucketCount }

    /// Which of `partitionCount` equal shares of the hash space a place lies in, from 0.
    public static func partition(of key: UInt64, partitionCount: UInt32) -> UInt32 {
        UInt32(truncatingIfNeeded: key.multipliedFullWidth(by: UInt64(partitionCount)).high)
    }

    private static func terminated(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        let text = text.utf8
        bytes.reserveCapacity(text.count + 1)
        bytes.append(contentsOf: text)
        bytes.append(0xFF)
        return bytes
    }
}
