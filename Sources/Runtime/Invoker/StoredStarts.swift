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
        /// Whether a start was added since the partition was asked: its answer does not tell of it.
        var hasGrown = true
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

    /// A partition has, or gets, a start to keep.
    mutating func add(for deployment: DeploymentID, in partition: PartitionIndex) {
        if let index = lanes[deployment]?.queues.firstIndex(where: { $0.partition == partition }) {
            lanes[deployment]?.queues[index].hasGrown = true
        } else {
            lanes[deployment, default: Lane()].queues.append(Queue(partition: partition))
        }
    }

    /// Whom to ask for the next starts of a deployment; nil when somebody is being asked, or nobody has any.
    mutating func next(for deployment: DeploymentID) -> (partition: PartitionIndex, after: UInt64)? {
        guard let lane = lanes[deployment], !lane.isAsked, let first = lane.queues.first else { return nil }
        lanes[deployment]?.isAsked = true
        lanes[deployment]?.queues[0].hasGrown = false
        return (first.partition, first.last)
    }

    /// The partition that was asked has given what it has up to `last`; nil: all that it had then.
    mutating func answered(for deployment: DeploymentID, last: UInt64?) {
        guard var lane = lanes[deployment], lane.isAsked, !lane.queues.isEmpty else { return }
        var queue = lane.queues.removeFirst()
        lane.isAsked = false
        if let last { queue.last = last }
        if last != nil || queue.hasGrown { lane.queues.append(queue) }
        lanes[deployment] = lane.queues.isEmpty ? nil : lane
    }
}
