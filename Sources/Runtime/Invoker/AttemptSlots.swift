import HoldfastEngine
import HoldfastWire

/// How many attempts may be open at once, and who is next when one ends.
///
/// Starts wait in one queue for each deployment, and the queues take turns; a few slots beyond the limit are open to a
/// deployment that has next to none. So an endpoint that hangs with all its attempts holds up no other (rule 6: the
/// attempts are at most `limit` and `guaranteed` for each deployment). Of the starts that wait, too, only as many are
/// here; the rest waits in the store (`StoredStarts`).
struct AttemptSlots {
    /// A start that waits.
    struct Waiting: Equatable {
        var id: InvocationID
        var partition: PartitionIndex
        var epoch: UInt32
    }

    private struct Lane {
        var open = 0
        var queue = FIFO<Waiting>()
    }

    /// How many attempts may be open.
    let limit: Int
    /// How many of them a deployment may have even when all slots are taken.
    let guaranteed: Int
    /// How many starts may wait here.
    let waitingLimit: Int
    /// How many of them a deployment may have even when there are as many.
    let waitingGuaranteed: Int
    private(set) var open = 0
    private(set) var waitingCount = 0
    private var lanes: [DeploymentID: Lane] = [:]
    /// The lanes that have somebody waiting, in the order of their turns.
    private var turns = FIFO<DeploymentID>()

    init(limit: Int, waitingLimit: Int = 10_000) {
        self.limit = max(limit, 1)
        guaranteed = max(limit / 16, 1)
        self.waitingLimit = waitingLimit
        waitingGuaranteed = max(waitingLimit / 16, 1)
    }

    /// Takes a slot if there is one.
    mutating func take(for deployment: DeploymentID) -> Bool {
        let used = lanes[deployment]?.open ?? 0
        guard open < limit || used < guaranteed else { return false }
        lanes[deployment, default: Lane()].open += 1
        open += 1
        return true
    }

    /// Whether one more start of a deployment may wait here.
    func hasWaitingRoom(for deployment: DeploymentID) -> Bool {
        waitingCount < waitingLimit || waitingCount(for: deployment) < waitingGuaranteed
    }

    /// How many starts of a deployment are to be fetched from the store: none until half of its share is gone, so that
    /// each time it is worth a commit.
    func waitingShortage(for deployment: DeploymentID) -> Int {
        let count = waitingCount(for: deployment)
        return count * 2 < waitingGuaranteed ? waitingGuaranteed - count : 0
    }

    private func waitingCount(for deployment: DeploymentID) -> Int { lanes[deployment]?.queue.count ?? 0 }

    /// Queues a start that found no slot.
    mutating func wait(_ start: Waiting, for deployment: DeploymentID) {
        if lanes[deployment, default: Lane()].queue.isEmpty { turns.append(deployment) }
        lanes[deployment, default: Lane()].queue.append(start)
        waitingCount += 1
    }

    /// Gives a slot back.
    mutating func give(back deployment: DeploymentID) {
        guard let used = lanes[deployment]?.open, used > 0 else { return }
        open -= 1
        lanes[deployment]?.open = used - 1
        forgetIfUnused(deployment)
    }

    /// Removes the start whose turn it is, if there is a slot for it; the caller then takes the slot, or passes.
    mutating func next() -> Waiting? {
        for _ in 0..<turns.count {
            guard let deployment = turns.popFirst(), let lane = lanes[deployment] else { return nil }
            guard open < limit || lane.open < guaranteed else {
                turns.append(deployment)
                continue
            }
            guard let start = lanes[deployment]?.queue.popFirst() else { continue }
            waitingCount -= 1
            if lanes[deployment]?.queue.isEmpty == false { turns.append(deployment) }
            forgetIfUnused(deployment)
            return start
        }
        return nil
    }

    /// Lanes exist only while they are used: deployments come and go.
    private mutating func forgetIfUnused(_ deployment: DeploymentID) {
        guard let lane = lanes[deployment], lane.open == 0, lane.queue.isEmpty else { return }
        lanes[deployment] = nil
    }
}

/// A queue in one array, whose front moves.
struct FIFO<Element> {
    private var elements: [Element] = []
    private var head = 0

    var isEmpty: Bool { head == elements.count }
    var count: Int { elements.count - head }

    mutating func append(_ element: Element) { elements.append(element) }

    mutating func popFirst() -> Element? {
        guard head < elements.count else { return nil }
        defer {
            head += 1
            // Moving the rest once for as many removals keeps the average cost constant.
            if head >= 64, head * 2 >= elements.count {
                elements.removeFirst(head)
                head = 0
            }
        }
        return elements[head]
    }
}
