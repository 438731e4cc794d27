import HoldfastWire
import Testing

struct PartitionKeyTests {
    @Test(arguments: [
        ("Mary", 0x43c5_171a_2ba4_02b3 as UInt64), ("seat2B", 0xada5_d6d1_8165_fe6c),
        ("my-counter", 0xf5da_6e20_6131_2cf6), ("wf-1", 0x9335_1e41_731f_21e5),
        ("tenant-a", 0x2070_c7c6_fed3_6487), ("my-key", 0x842e_fcb1_2c91_6e58),
        ("", 0xd6bc_ec3c_6b29_d72e),
    ]) func `a key hashes to its known place`(key: String, place: UInt64) {
        #expect(PartitionKey.ofKey(key) == place)
        #expect(PartitionKey.ofScope(key) == place)
    }

    static let buckets: [(bucket: UInt64, place: UInt64)] = [
        (88, 0x4db3_4417_8faf_dd11), (0, 0xb848_2bbd_25b7_de4a), (511, 0x450d_a5b9_ba3a_cc39),
    ]

    @Test(arguments: buckets) func `a bucket of a service hashes to its known place`(bucket: UInt64, place: UInt64) {
        #expect(PartitionKey.service("Greeter", bucket: bucket) == place)
    }

    @Test func `an idempotency key has its known bucket`() {
        #expect(PartitionKey.bucket(idempotencyKey: "my-key") == 88)
    }

    @Test func `partitions own equal shares in order`() {
        #expect(PartitionKey.partition(of: 0, partitionCount: 24) == 0)
        #expect(PartitionKey.partition(of: .max, partitionCount: 24) == 23)
        #expect(PartitionKey.partition(of: 1 << 63, partitionCount: 2) == 1)
        #expect(PartitionKey.partition(of: 1 << 63 - 1, partitionCount: 2) == 0)
        #expect(PartitionKey.partition(of: .max, partitionCount: 1) == 0)
    }
}

struct DeterministicIDTests {
    /// What an existing server answers for these targets, `lookup` and all.
    static let known: [(partitionKey: UInt64, uuid: UInt128, text: String)] = [
        (
            PartitionKey.service("Greeter", bucket: PartitionKey.bucket(idempotencyKey: "my-key")),
            DeterministicID.idempotent(
                scope: nil, service: "Greeter", key: nil, handler: "greet", idempotencyKey: "my-key"),
            "inv_11x6cJlusUs54YqNdo5AAzdYrYOmeoHQrU"
        ),
        (
            PartitionKey.ofKey("my-key"),
            DeterministicID.idempotent(
                scope: nil, service: "Greeter", key: nil, handler: "greet", idempotencyKey: "my-key"),
            "inv_17AIHiTltkYA4YqNdo5AAzdYrYOmeoHQrU"
        ),
        (
            PartitionKey.ofKey("my-counter"),
            DeterministicID.idempotent(
                scope: nil, service: "Counter", key: "my-counter", handler: "add", idempotencyKey: "abc"),
            "inv_1l8n0Bsg2WP301dx4d3NQNLVY5b1Tmry3k"
        ),
        (
            PartitionKey.ofKey("wf-1"), DeterministicID.workflowRun(scope: nil, service: "MyWorkflow", key: "wf-1"),
            "inv_1jFEjVDI9dt16WD9yJBs6iubtTvgXH215i"
        ),
        (
            PartitionKey.ofScope("tenant-a"),
            DeterministicID.workflowRun(scope: "tenant-a", service: "MyWorkflow", key: "wf-1"),
            "inv_1bCHipEtBoR20TZnOvPMV3UTXN8e8D3O0G"
        ),
        (
            PartitionKey.ofScope("tenant-a"),
            DeterministicID.idempotent(
                scope: "tenant-a", service: "Greeter", key: nil, handler: "greet", idempotencyKey: "my-key"),
            "inv_1bCHipEtBoR23fEKjncz7G0jyWo7kTPQz3"
        ),
        (
            PartitionKey.ofKey("ä/b"),
            DeterministicID.idempotent(
                scope: nil, service: "Counter", key: "ä/b", handler: "h", idempotencyKey: "x,y"),
            "inv_1lMV29Nce1XM3rYuh8bpct7CzJL9uwAtXH"
        ),
        (
            PartitionKey.ofKey(""), DeterministicID.workflowRun(scope: nil, service: "W", key: ""),
            "inv_141kvpM9252673Q8vZJPPa7MmfOWfSU63y"
        ),
    ]

    @Test(arguments: known.indices) func `an invocation that is unique by what it is has its known id`(index: Int) {
        let (partitionKey, uuid, text) = Self.known[index]
        #expect(InvocationID(partitionKey: partitionKey, uuid: uuid).description == text)
    }

    @Test func `the digests are the known ones`() {
        #expect(
            DeterministicID.idempotent(
                scope: nil, service: "Greeter", key: nil, handler: "greet", idempotencyKey: "my-key")
                == 0x7af577ec_35b0831c_c647495c_201274a3)
        #expect(
            DeterministicID.idempotent(
                scope: nil, service: "Counter", key: "my-counter", handler: "add", idempotencyKey: "abc")
                == 0xbea9746e_aa58e28b_5e677b3a_c847a500)
        #expect(
            DeterministicID.workflowRun(scope: nil, service: "MyWorkflow", key: "wf-1")
                == 0x0cf326db_84a0f1ac_65e8858b_5c7e36e4)
        #expect(
            DeterministicID.workflowRun(scope: "tenant-a", service: "MyWorkflow", key: "wf-1")
                == 0xcac7d02a_2c9a1a7a_4cb4cf12_5901ac1d)
        #expect(
            DeterministicID.idempotent(
                scope: "tenant-a", service: "Greeter", key: nil, handler: "greet", idempotencyKey: "my-key")
                == 0x654dba75_8cdad906_71db2d61_653bde6a)
    }
}

struct RandomSeedTests {
    static let id = InvocationID(partitionKey: 0x43c5_171a_2ba4_02b3, uuid: 0x0191d0f0_a1b2c3d4_e5f60718_293a4b5c)

    @Test func `the seed of an invocation is the known one`() {
        #expect(randomSeed(of: Self.id) == 2_197_998_026_429_414_649)
    }

    @Test func `the seed of a life of an invocation is the known one`() {
        let createdAt = Timestamp(millis: 1_760_000_000_000)
        #expect(uniqueRandomSeed(of: Self.id, createdAt: createdAt) == 16_863_575_223_351_458_177)
    }
}
