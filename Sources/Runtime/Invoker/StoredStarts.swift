import HoldfastEngine
import HoldfastWire

/// Where starts wait in the store: by deployment, the partitions that have some, and how far they were taken up.
///
/// It knows of every start that waits, and remembers none of them: its size is that of the deployments and partitions.
/// A partition is asked for the next starts of a deployment once at a time, and the partitions take turns.
struct StoredStarts {
    private struct Queue {
        let partition: PartitionIndex
        /// Sequence of the last start that was taken up.
        var last: UInt64 = 0
        /// How many starts it has, at most.
        var count: Int
        /// How many of them were added since it was asked: its answer does not tell of them.
        var grown: Int
    }

    private struct Lane {
        /// In the order of their turns.
        var queues: [Queue] = []
        /// Whether the first partition was asked, and has not answered.
        var isAsked = false
    }

    private var lanes: [DeploymentID: Lane] = [:]

    /// The deployments that have starts waiting.
    var deployments: [DeploymentID] { lanes.isEmpty ? [] : Array(lanes.keys) }

    func hasAny(for deployment: DeploymentID) -> Bool {
        !lanes.isEmpty && lanes[deployment] != nil
    }

    /// Whether more than `count` starts of a deployment wait.
    func hasMore(than count: Int, for deployment: DeploymentID) -> Bool {
        guard !lanes.isEmpty, let lane = lanes[deployment] else { return false }
        return lane.queues.reduce(0) { $0 + $1.count } > count
    }

    /// A partition has starts of a deployment from before, nobody knows how many.
    mutating func found(for deployment: DeploymentID, in partition: PartitionIndex) {
        lanes[deployment, default: Lane()].queues.append(Queue(partition: partition, count: 1 << 32, grown: 0))
    }

    /// A partition gets a start to keep.
    mutating func add(for deployment: DeploymentID, in partition: PartitionIndex) {
        if let index = lanes[deployment]?.queues.firstIndex(where: { $0.partition == partition }) {
            lanes[deployment]?.queues[index].count += 1
            lanes[deployment]?.queues[index].grown += 1
        } else {
            lanes[deployment, default: Lane()].queues.append(Queue(partition: partition, count: 1, grown: 1))
        }
    }

    /// Whom to ask for the next starts of a deployment; nil when somebody is being asked, or nobody has any.
    mutating func next(for deployment: DeploymentID) -> (partition: PartitionIndex, after: UInt64)? {
        guard let lane = lanes[deployment], !lane.isAsked, let first = lane.queues.first else { return nil }
        lanes[deployment]?.isAsked = true
        lanes[deployment]?.queues[0].grown = 0
        return (first.partition, first.last)
    }

    /// The partition that was asked has given `count` starts, up to `last`; nil: all that it had then.
    mutating func answered(for deployment: DeploymentID, count: Int, last: UInt64?) {
        guard var lane = lanes[deployment], lane.isAsked, !lane.queues.isEmpty else { return }
        var queue = lane.queues.removeFirst()
        lane.isAsked = false
        if let last { queue.last = last }
        queue.count = last == nil ? queue.grown : max(queue.count - count, queue.grown)
        if last != nil || queue.grown > 0 { lane.queues.append(queue) }
        lanes[deployment] = lane.queues.isEmpty ? nil : lane
    }
}
