import Synchronization

/// A queue of messages from any thread into a loop.
///
/// Messages of one sender arrive in order. What has come in since the last turn is handed over as one batch, under one
/// short lock, and only the first message of a batch wakes the loop. The queue itself refuses nothing: senders look at
/// `count` and push back. After the loop has ended, messages are dropped.
///
/// `@unchecked Sendable`: the queue is behind its lock; `deliver` is called on the loop's thread only.
public final class Mailbox<Message: Sendable>: @unchecked Sendable {
    private let loop: EventLoop
    private let deliver: (consuming [Message]) -> Void
    private let queue = Mutex<[Message]>([])

    /// - Parameter deliver: Called on the loop with the messages of a batch, oldest first.
    public init(loop: EventLoop, deliver: @escaping (consuming [Message]) -> Void) {
        self.loop = loop
        self.deliver = deliver
    }

    /// Appends a message. From any thread.
    public func send(_ message: consuming Message) {
        let message = message
        let isFirst = queue.withLock { queue in
            queue.append(message)
            return queue.count == 1
        }
        if isFirst { announce() }
    }

    /// Appends messages that nothing comes between. From any thread.
    public func send(contentsOf messages: [Message]) {
        guard !messages.isEmpty else { return }
        let isFirst = queue.withLock { queue in
            defer { queue.append(contentsOf: messages) }
            return queue.isEmpty
        }
        if isFirst { announce() }
    }

    /// How many messages wait; approximate, since others send and the loop reads at the same time.
    public var count: Int { queue.withLock { $0.count } }

    private func announce() {
        if !loop.mailboxIsReady(self) { queue.withLock { $0 = [] } }
    }
}

/// A mailbox, whatever its messages are.
protocol MailboxDelivery: AnyObject, Sendable {
    func deliverAll()
}

extension Mailbox: MailboxDelivery {
    func deliverAll() {
        let batch = queue.withLock { queue in
            defer { queue = [] }
            return queue
        }
        if !batch.isEmpty { deliver(batch) }
    }
}
