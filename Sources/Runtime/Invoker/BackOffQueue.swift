import HoldfastEngine
import HoldfastWire

/// The invocations that wait for their next attempt, the nearest one first: a binary heap.
///
/// Entries are not taken out when a back-off ends early; the invocation's machine recognises those that come late, and
/// when they are many they are removed together.
/// Cost: insert and remove O(log n), 40 bytes each.
struct BackOffQueue {
    private struct Entry {
        var due: Timestamp
        var id: InvocationID
    }

    private var heap: [Entry] = []

    /// When the nearest one is due.
    var nextDue: Timestamp? { heap.first?.due }

    mutating func insert(_ id: InvocationID, due: Timestamp) {
        heap.append(Entry(due: due, id: id))
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].due < heap[parent].due else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    /// How many entries there are.
    var count: Int { heap.count }

    /// Removes the entries of back-offs that have ended.
    mutating func removeAll(where hasEnded: (_ id: InvocationID, _ due: Timestamp) -> Bool) {
        let rest = heap.filter { !hasEnded($0.id, $0.due) }
        heap = []
        for entry in rest { insert(entry.id, due: entry.due) }
    }

    /// Removes the nearest one, if it is due.
    mutating func removeDue(now: Timestamp) -> InvocationID? {
        guard let first = heap.first, first.due <= now else { return nil }
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child].due < heap[least].due
            {
                least = child
            }
            guard least != parent else { return first.id }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
