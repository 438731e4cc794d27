import HoldfastEngine

/// How far a partition's outbox, as it was when the process began, has been sent again, by receiver.
///
///     outbox:   1 2 3 │ 4 5 6 │ 7 8 9 … end
///               acknowledged  │
///                       sent ─┘
///
/// The next page is sent when the last one was acknowledged, so that neither side holds more than a page in memory
/// (rule 6). A receiver takes messages in order only: until it has the old ones, new ones stay in the outbox, and come
/// in their turn.
struct OutboxPages {
    private struct Pages {
        /// The last message that was sent.
        var sent: UInt64 = 0
        var acknowledged: UInt64 = 0
        /// The last message that is durable; greater than `sent`.
        var end: UInt64
    }

    /// By receiver; nil: it was sent everything, and gets the rest as it comes.
    private var receivers: [Pages?]
    /// How many of them were not.
    private var openCount: Int

    /// - Parameter lastSent: The number of the last message to each receiver, all of them durable.
    init(lastSent: [UInt64]) {
        receivers = lastSent.map { $0 == 0 ? nil : Pages(end: $0) }
        openCount = lastSent.count { $0 > 0 }
    }

    /// Whether every receiver was sent everything.
    var isDone: Bool { openCount == 0 }

    /// A message has become durable: whether it is to be sent at once. Else it is one of those that are read later.
    mutating func isNext(_ sequence: UInt64, to receiver: PartitionIndex) -> Bool {
        guard !isDone, receivers.indices.contains(Int(receiver)), receivers[Int(receiver)] != nil else { return true }
        receivers[Int(receiver)]?.end = sequence
        return false
    }

    /// A receiver has everything up to `sequence`.
    mutating func acknowledged(by receiver: PartitionIndex, upTo sequence: UInt64) {
        guard !isDone, receivers.indices.contains(Int(receiver)) else { return }
        receivers[Int(receiver)]?.acknowledged = sequence
    }

    /// The pages that can be read now: of each receiver the messages behind `after`, up to `end`.
    var ready: [(receiver: PartitionIndex, after: UInt64, end: UInt64)] {
        receivers.enumerated().compactMap { index, pages in
            guard let pages, pages.acknowledged >= pages.sent else { return nil }
            return (PartitionIndex(index), pages.sent, pages.end)
        }
    }

    /// A page was sent, up to `last`; nil: there was nothing any more.
    mutating func sent(to receiver: PartitionIndex, upTo last: UInt64?) {
        guard let end = receivers[Int(receiver)]?.end else { return }
        if let last, last < end {
            receivers[Int(receiver)]?.sent = last
        } else {
            receivers[Int(receiver)] = nil
            openCount -= 1
        }
    }
}
