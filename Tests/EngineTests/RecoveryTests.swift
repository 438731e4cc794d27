import HoldfastEngine
import HoldfastServiceProtocol
import HoldfastStorage
import HoldfastWire
import Testing

struct RecoveryTests {
    @Test func `a record that cannot be read keeps no other invocation from being taken up again`() throws {
        let world = try World()
        _ = try world.run(["at 0 call a x A/run", "at 0 call b y A/run", "at 0 call c z A/run"])
        try world.damage("y")

        let commands = try world.partitions[0].interrupted(after: nil, limit: 10, world.store.snapshot()).commands

        let printer = LinePrinter(name: { [names = world.names] in names.name(of: $0) })
        #expect(
            commands.map { printer.line(for: $0) } == [
                "want attempt    x epoch=1", "want attempt    y epoch=0", "want attempt    z epoch=1",
            ])
        #expect(throws: StorageError.self) {
            _ = try world.partitions[0].apply(commands[1], now: Timestamp(millis: 1), in: world.store.transaction())
        }
    }

    @Test func `an outbox is read in pages`() throws {
        let world = try World()
        _ = try world.run(["partitions 3", "at 0 invoke a A/run"])
        for number in 0..<6 {
            _ = try world.run(["at 1 attempt a OneWayCall \(number + 1) b\(number)@\(number % 2 + 1) B/run"])
        }
        let partition = world.partitions[0]
        func sequences(to receiver: PartitionIndex, after: UInt64, upTo: UInt64, count: Int, bytes: Int) throws
            -> [UInt64]
        {
            let actions = try partition.unacknowledged(
                to: receiver, after: after, upTo: upTo, limits: (count, bytes), world.store.snapshot())
            return actions.compactMap { action in
                if case .send(_, receiver, let sequence) = action { sequence } else { nil }
            }
        }
        #expect(partition.lastMessages == [0, 3, 3])
        #expect(try sequences(to: 1, after: 0, upTo: 3, count: 2, bytes: .max) == [1, 2])
        #expect(try sequences(to: 1, after: 2, upTo: 3, count: 2, bytes: .max) == [3])
        #expect(try sequences(to: 2, after: 0, upTo: 2, count: 9, bytes: .max) == [1, 2])
        #expect(try sequences(to: 2, after: 0, upTo: 3, count: 9, bytes: 1) == [1])
        #expect(try sequences(to: 0, after: 0, upTo: 3, count: 9, bytes: .max) == [])
    }

    @Test func `clients that wait are there again when a turn was taken back`() throws {
        let world = try World()
        _ = try world.run(["at 0 call a x A/run", "at 0 attach b x"])
        let partition = world.partitions[0]
        let end = world.names.id(of: "x")

        _ = try partition.apply(
            .kill(end, nil), now: Timestamp(millis: 1), in: world.store.transaction())
        _ = try partition.apply(
            .attach(end, world.names.client("c")), now: Timestamp(millis: 1), in: world.store.transaction())
        try partition.restoreMemory(from: world.store.snapshot())

        #expect(
            try world.run(["at 2 attempt x Output done; End"]) == [
                "answer          a result of x \"done\"", "answer          b result of x \"done\"", "release         x",
            ])
    }

    @Test func `a record that cannot be read holds up neither messages, nor its object, nor the clean-up`() throws {
        let world = try World()
        _ = try world.run([
            "partitions 2", "at 0 call a caller A/run", "at 0 invoke broken@1 B/run",
            "at 1 attempt caller Call 1 2 broken@1 B/run; Call 3 4 fine@1 B/run; OneWayCall 5 owner@1 Counter/c/add",
        ])
        try world.damage("broken@1", in: 1)
        let delivered = try world.run(["at 3 deliver 0 1 1", "at 3 deliver 0 1 2"])
        #expect(delivered.contains { $0.hasPrefix("1 send            0#1 complete caller:2 failure 500") })
        #expect(delivered.contains { $0.hasPrefix("1 start attempt   fine@1") })

        _ = try world.run([
            "at 4 deliver 0 1 3", "at 4 invoke second@1 Counter/c/add", "at 4 invoke third@1 Counter/c/add",
        ])
        try world.damage("second@1", in: 1)
        let ended = try world.run(["at 5 attempt owner@1 Output done; End"])
        #expect(ended.contains { $0.hasPrefix("1 start attempt   third@1") })

        for name in ["old", "older"] {
            _ = try world.run(["at 6 invoke \(name) A/run completion=10", "at 6 attempt \(name) Output done; End"])
        }
        try world.damage("old")
        _ = try world.run(["at 20 clean-up"])
        #expect(try world.status(of: "older") == "free")
    }
}

extension World {
    /// Overwrites an invocation's record with what no version writes.
    func damage(_ name: String, in partition: UInt8 = 0) throws {
        let transaction = store.transaction()
        transaction.put(.invocations, [0, partition] + names.id(of: name).bytes, [1, 0xFF])
        _ = try store.commit(transaction)
        checksInvariants = false
    }
}
