import HoldfastEngine
import HoldfastWire
import Testing

@testable import HoldfastRuntime

struct TimerWindowTests {
    private func timer(_ due: UInt64) -> TimerKey {
        TimerKey(
            due: Timestamp(millis: due), kind: .sleep, id: InvocationID(partitionKey: 1, uuid: UInt128(due)),
            incarnation: 1)
    }

    @Test func `a new window asks the store before it knows anything`() {
        var window = TimerWindow(capacity: 2)
        #expect(window.refillsAfter == .beforeAll)
        window.refill([])
        #expect(window.refillsAfter == nil)
        #expect(window.nextDue == nil)
    }

    @Test func `timers fire in the order of their due times, whatever order they came in`() {
        var window = TimerWindow(capacity: 8)
        window.refill([])
        for due: UInt64 in [30, 10, 20] { window.insert(timer(due)) }
        #expect(window.takeDue(at: Timestamp(millis: 9)) == [])
        #expect(window.takeDue(at: Timestamp(millis: 20)) == [timer(10), timer(20)])
        #expect(window.nextDue == Timestamp(millis: 30))
    }

    @Test func `a timer that a refill has read already is not added twice`() {
        var window = TimerWindow(capacity: 8)
        window.refill([timer(10)])
        window.insert(timer(10))
        #expect(window.takeDue(at: Timestamp(millis: 10)) == [timer(10)])
    }

    @Test(arguments: 1...4)
    func `no timer is forgotten, however small the window is`(capacity: Int) {
        var stored = (1...9).map { timer(UInt64($0 * 10)) }
        var window = TimerWindow(capacity: capacity)
        var fired: [TimerKey] = []
        // A timer that is stored while the window is full must come in its turn, too.
        let late = timer(35)
        for now in stride(from: UInt64(0), through: 100, by: 5) {
            if now == 20 {
                stored.append(late)
                stored.sort()
                window.insert(late)
            }
            while true {
                if let previous = window.refillsAfter {
                    window.refill(Array(stored.filter { $0 > previous }.prefix(window.refillCount)))
                }
                let due = window.takeDue(at: Timestamp(millis: now))
                guard !due.isEmpty else { break }
                fired += due
                stored.removeAll { due.contains($0) }
            }
        }
        #expect(fired == ((1...9).map { timer(UInt64($0 * 10)) } + [late]).sorted())
    }
}
