import Foundation
import HoldfastTransport
import Synchronization
import Testing

struct EventLoopTests {
    @Test func `messages of a mailbox arrive on the loop in the order in which they were sent`() async throws {
        let group = try LoopGroup(count: 1)
        defer { group.stop() }
        let loop = group.loops[0]
        let received: [Int] = await withCheckedContinuation { continuation in
            let collector = Collector(until: 1000) { continuation.resume(returning: $0) }
            let mailbox = Mailbox<Int>(loop: loop) { batch in
                #expect(loop.isCurrent)
                collector.add(batch)
            }
            group.start()
            for number in 0..<500 { mailbox.send(number) }
            mailbox.send(contentsOf: Array(500..<1000))
        }
        #expect(received == Array(0..<1000))
        #expect(!loop.isCurrent)
    }

    @Test func `timers fire in the order of their times, and not after they were cancelled`() async throws {
        let group = try LoopGroup(count: 1)
        defer { group.stop() }
        group.start()
        let loop = group.loops[0]
        let order: [String] = await withCheckedContinuation { continuation in
            loop.post {
                let log = Log()
                loop.schedule(after: 20) { log.add("second") }
                loop.schedule(after: 10) { log.add("first") }
                let cancelled = loop.schedule(after: 15) { log.add("cancelled") }
                cancelled.cancel()
                let postponed = loop.schedule(after: 5) { log.add("postponed") }
                postponed.reschedule(after: 30)
                let hurried = loop.schedule(after: 1000) { log.add("hurried") }
                hurried.reschedule(after: 1)
                var count = 0
                var repeating: LoopTimer?
                repeating = loop.schedule(after: 40, repeating: 1) {
                    count += 1
                    log.add("repeated")
                    guard count == 3 else { return }
                    repeating?.cancel()
                    repeating = nil
                    continuation.resume(returning: log.lines)
                }
            }
        }
        #expect(order == ["hurried", "first", "second", "postponed", "repeated", "repeated", "repeated"])
    }

    @Test func `the end of a turn sees what timers, mailboxes and posted work of the turn have queued`() async throws {
        let group = try LoopGroup(count: 1)
        defer { group.stop() }
        let loop = group.loops[0]
        let log = Log()
        loop.atTurnEnd { log.seal() }
        group.start()
        let sealed: [String] = await withCheckedContinuation { continuation in
            let mailbox = Mailbox<String>(loop: loop) { batch in for item in batch { log.add(item) } }
            loop.post {
                log.add("posted")
                mailbox.send("mailed")
                loop.schedule(after: 0) {
                    log.add("timer")
                    loop.schedule(after: 30) { continuation.resume(returning: log.sealed) }
                }
            }
        }
        // No further wake-up came between these and the check, so each was sealed in the turn that it happened in.
        #expect(sealed.contains("posted") && sealed.contains("mailed") && sealed.contains("timer"))
    }

    @Test(.timeLimit(.minutes(5))) func `threads may send to a loop while it ends`() throws {
        for _ in 0..<50 {
            let group = try LoopGroup(count: 1)
            let loop = group.loops[0]
            let mailbox = Mailbox<Int>(loop: loop) { _ in }
            group.start()
            let senders = (0..<2).map { _ in
                let sender = Foundation.Thread { for number in 0..<2000 { mailbox.send(number) } }
                sender.start()
                return sender
            }
            group.stop()
            while senders.contains(where: { !$0.isFinished }) { sched_yield() }
        }
    }

    @Test func `work for a loop that has ended is dropped`() throws {
        let group = try LoopGroup(count: 2)
        group.start()
        group.stop()
        let mailbox = Mailbox<Int>(loop: group.loops[1]) { _ in Issue.record("a loop that has ended delivers nothing") }
        mailbox.send(1)
        group.loops[0].post { Issue.record("a loop that has ended runs nothing") }
        #expect(mailbox.count == 0)
    }
}

/// Collects numbers of several batches on a loop.
private final class Collector: @unchecked Sendable {
    private let numbers = Mutex<[Int]>([])
    private let target: Int
    private let done: @Sendable ([Int]) -> Void

    init(until target: Int, done: @escaping @Sendable ([Int]) -> Void) {
        self.target = target
        self.done = done
    }

    func add(_ batch: [Int]) {
        let all = numbers.withLock {
            $0 += batch
            return $0
        }
        if all.count == target { done(all) }
    }
}

/// Lines that happen on a loop and are read elsewhere.
private final class Log: Sendable {
    private let state = Mutex<(open: [String], sealed: [String])>(([], []))

    func add(_ line: String) { state.withLock { $0.open.append(line) } }
    func seal() {
        state.withLock {
            $0.sealed += $0.open
            $0.open = []
        }
    }
    var lines: [String] { state.withLock { $0.sealed + $0.open } }
    var sealed: [String] { state.withLock { $0.sealed } }
}
