import HoldfastEngine
import HoldfastServiceProtocol
import HoldfastStorage
import HoldfastWire
import Testing

struct RecoveryTests {
    @Test func `a record that cannot be read keeps no other invocation from being taken up again`() throws {
        let world = try World()
        _ = try world.run(["at 0 call a x A/run", "at 0 call b y A/run", "at 0 call c z A/run"])
        let damaged = world.names.id(of: "y")
        let transaction = world.store.transaction()
        transaction.put(.invocations, [0, 0] + damaged.bytes, [1, 0xFF])
        _ = try world.store.commit(transaction)

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
}
