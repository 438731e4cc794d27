import HoldfastWire
import Testing

@testable import HoldfastRuntime

@Suite struct InvokerQueueTests {
    private func id(_ number: Int) -> InvocationID { InvocationID(partitionKey: 0, uuid: UInt128(number)) }

    private func waiting(_ number: Int) -> AttemptSlots.Waiting {
        AttemptSlots.Waiting(id: id(number), partition: 0, epoch: 1)
    }

    @Test func `back-offs come out in order of time, and only when due`() {
        var queue = BackOffQueue()
        for number in 0..<200 {
            let due = number * 7919 % 200
            queue.insert(id(due), due: Timestamp(millis: UInt64(due)))
        }
        #expect(queue.nextDue == Timestamp(millis: 0))
        for due in 0..<150 { #expect(queue.removeDue(now: Timestamp(millis: 149)) == id(due)) }
        #expect(queue.removeDue(now: Timestamp(millis: 149)) == nil)
        #expect(queue.nextDue == Timestamp(millis: 150))
    }

    @Test func `attempts beyond the limit wait, first come first served`() {
        let deployment = DeploymentID(1)
        var slots = AttemptSlots(limit: 2)
        #expect(slots.take(for: deployment) == true)
        #expect(slots.take(for: deployment) == true)
        #expect(slots.take(for: deployment) == false)
        for number in 0..<3 { slots.wait(waiting(number), for: deployment) }
        #expect(slots.next() == nil)
        slots.give(back: deployment)
        #expect(slots.next() == waiting(0))
        #expect(slots.take(for: deployment) == true)
        #expect(slots.next() == nil)
        #expect(slots.waitingCount == 2)
    }

    @Test func `a deployment that holds all slots does not hold up another`() {
        let (hanging, healthy) = (DeploymentID(1), DeploymentID(2))
        var slots = AttemptSlots(limit: 32)
        for _ in 0..<32 { #expect(slots.take(for: hanging) == true) }
        #expect(slots.take(for: hanging) == false)
        slots.wait(waiting(0), for: hanging)
        #expect(slots.take(for: healthy) == true)
        #expect(slots.take(for: healthy) == true)
        #expect(slots.take(for: healthy) == false)
        slots.wait(waiting(1), for: healthy)
        #expect(slots.next() == nil)
        slots.give(back: healthy)
        #expect(slots.next() == waiting(1))
        #expect(slots.next() == nil)
    }

    @Test func `deployments that wait take turns`() {
        let (one, two) = (DeploymentID(1), DeploymentID(2))
        var slots = AttemptSlots(limit: 16)
        for _ in 0..<8 {
            #expect(slots.take(for: one) == true)
            #expect(slots.take(for: two) == true)
        }
        for number in 0..<3 { slots.wait(waiting(number), for: one) }
        slots.wait(waiting(10), for: two)
        for _ in 0..<4 {
            slots.give(back: one)
        }
        let order = [slots.next(), slots.next(), slots.next(), slots.next()]
        #expect(order == [waiting(0), waiting(10), waiting(1), waiting(2)])
        #expect(slots.next() == nil)
        #expect(slots.waitingCount == 0)
    }

    @Test func `a start that is added while a partition is asked is asked for again`() {
        var stored = StoredStarts()
        stored.add(for: DeploymentID(1), in: 4)
        #expect(stored.hasAny(for: DeploymentID(1)))
        #expect(stored.next(for: DeploymentID(1))?.partition == 4)
        #expect(stored.next(for: DeploymentID(1)) == nil)
        stored.add(for: DeploymentID(1), in: 4)
        stored.answered(for: DeploymentID(1), count: 1, last: nil)
        #expect(stored.next(for: DeploymentID(1))?.partition == 4)
        stored.answered(for: DeploymentID(1), count: 1, last: nil)
        #expect(stored.next(for: DeploymentID(1)) == nil)
        #expect(!stored.hasAny(for: DeploymentID(1)))
        #expect(stored.deployments == [])
    }

    @Test func `how many starts wait in the store is known, or taken for many`() {
        var stored = StoredStarts()
        #expect(!stored.hasMore(than: 0, for: DeploymentID(1)))
        for _ in 0..<3 { stored.add(for: DeploymentID(1), in: 4) }
        #expect(stored.hasMore(than: 2, for: DeploymentID(1)))
        #expect(!stored.hasMore(than: 3, for: DeploymentID(1)))
        _ = stored.next(for: DeploymentID(1))
        stored.answered(for: DeploymentID(1), count: 2, last: 9)
        #expect(!stored.hasMore(than: 1, for: DeploymentID(1)))
        stored.found(for: DeploymentID(2), in: 4)
        #expect(stored.hasMore(than: 1_000_000, for: DeploymentID(2)))
        _ = stored.next(for: DeploymentID(2))
        stored.add(for: DeploymentID(2), in: 4)
        stored.answered(for: DeploymentID(2), count: 5, last: nil)
        #expect(!stored.hasMore(than: 1, for: DeploymentID(2)))
        #expect(stored.hasAny(for: DeploymentID(2)))
    }

    @Test func `a queue keeps its order while its front is cut off`() {
        var queue = FIFO<Int>()
        var expected = 0
        for number in 0..<1000 {
            queue.append(number)
            if number.isMultiple(of: 2) {
                #expect(queue.popFirst() == expected)
                expected += 1
            }
        }
        #expect(queue.count == 500)
        while let number = queue.popFirst() {
            #expect(number == expected)
            expected += 1
        }
        #expect(expected == 1000)
        #expect(queue.isEmpty)
    }
}
