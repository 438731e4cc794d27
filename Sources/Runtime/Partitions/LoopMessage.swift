import HoldfastEngine
import HoldfastStorage
import HoldfastTransport

/// What one event loop, or the commit pipeline, tells another loop.
enum LoopMessage: Sendable {
    /// A command for a partition of the receiving loop.
    case command(PartitionIndex, Command)
    /// An answer for a request that the receiving loop waits for.
    case answer(serial: UInt64, Answer)
    /// How far commits are durable.
    case progress(CommitPipeline.Progress)
    /// The registry has changed.
    case registry(Registry)
    /// The last turn has left work over.
    case wakeUp
    /// Run something on the loop: for rare requests, such as a snapshot of what runs.
    case run(@Sendable (LoopContext) -> Void)
}

/// Finds the loop that a partition or a request belongs to.
struct Router: Sendable {
    /// By loop.
    let mailboxes: [Mailbox<LoopMessage>]
    /// How many partitions the store has.
    let partitionCount: PartitionIndex

    /// The partitions are dealt out to the loops in turn.
    func loop(of partition: PartitionIndex) -> Int { Int(partition) % mailboxes.count }

    func partition(of partitionKey: UInt64) -> PartitionIndex {
        Partition.owner(of: partitionKey, count: partitionCount)
    }

    func send(_ message: LoopMessage, to loop: Int) {
        guard mailboxes.indices.contains(loop) else { return }
        mailboxes[loop].send(message)
    }

    func sendToAll(_ message: LoopMessage) {
        for mailbox in mailboxes { mailbox.send(message) }
    }
}
