import HoldfastEngine
import Testing

@testable import HoldfastRuntime

@Suite struct OutboxPagesTests {
    private func ready(_ pages: OutboxPages) -> [String] {
        pages.ready.map { "\($0.receiver): \($0.after)…\($0.end)" }
    }

    @Test func `the next page is read when the last one was acknowledged`() {
        var pages = OutboxPages(lastSent: [0, 10, 0])
        #expect(ready(pages) == ["1: 0…10"])
        pages.sent(to: 1, upTo: 4)
        #expect(ready(pages) == [])
        pages.acknowledged(by: 1, upTo: 3)
        #expect(ready(pages) == [])
        pages.acknowledged(by: 1, upTo: 4)
        #expect(ready(pages) == ["1: 4…10"])
        pages.sent(to: 1, upTo: 10)
        #expect(pages.isDone)
    }

    @Test func `a new message waits in the outbox until the old ones were sent`() {
        var pages = OutboxPages(lastSent: [0, 3])
        #expect(pages.isNext(1, to: 0) == true)
        #expect(pages.isNext(4, to: 1) == false)
        pages.sent(to: 1, upTo: 3)
        #expect(!pages.isDone)
        #expect(pages.isNext(5, to: 1) == false)
        pages.acknowledged(by: 1, upTo: 3)
        #expect(ready(pages) == ["1: 3…5"])
        pages.sent(to: 1, upTo: 5)
        #expect(pages.isNext(6, to: 1) == true)
        #expect(pages.isDone)
    }

    @Test func `an outbox without messages is done when that is seen`() {
        var pages = OutboxPages(lastSent: [7])
        pages.sent(to: 0, upTo: nil)
        #expect(pages.isDone)
        pages.acknowledged(by: 9, upTo: 1)
        #expect(pages.isNext(1, to: 9) == true)
    }
}
