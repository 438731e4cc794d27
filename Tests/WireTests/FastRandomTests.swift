import Testing

@testable import HoldfastWire

@Suite struct FastRandomTests {
    @Test func `equal seeds give equal numbers, other seeds others`() {
        var first = FastRandom(seed: 7)
        var second = FastRandom(seed: 7)
        var third = FastRandom(seed: 8)
        let numbers = (0..<100).map { _ in first.next() }
        #expect(numbers == (0..<100).map { _ in second.next() })
        #expect(numbers != (0..<100).map { _ in third.next() })
        #expect(Set(numbers).count == 100)
    }

    @Test func `each bit is set about half of the time`() {
        var random = FastRandom(seed: 1)
        var counts = [Int](repeating: 0, count: 64)
        for _ in 0..<10_000 {
            let number = random.next()
            for bit in 0..<64 where number >> UInt64(bit) & 1 == 1 { counts[bit] += 1 }
        }
        #expect(counts.allSatisfy { (4700...5300).contains($0) })
    }

    @Test func `generators that the system seeds differ`() {
        var first = FastRandom()
        var second = FastRandom()
        #expect(first.next() != second.next())
    }

    @Test func `a ULID has the time it was made for`() {
        var random = FastRandom(seed: 3)
        let (first, second) = (random.ulid(at: Timestamp(millis: 5)), random.ulid(at: Timestamp(millis: 5)))
        #expect(first.timestamp == Timestamp(millis: 5))
        #expect(first != second)
    }
}
