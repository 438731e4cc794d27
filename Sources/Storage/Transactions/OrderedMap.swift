import HoldfastWire

/// Values by key, in the keys' byte order.
///
/// The pairs lie in chunks of at most 128, so that an insertion moves few of them, and a copy of the map shares the
/// chunks that neither side changes. No chunk is empty, but the first of an empty map, which keeps its memory.
///
/// Cost: find, insert and remove O(log n) comparisons, and the move of one chunk.
struct OrderedMap<Value> {
    struct Pair {
        let key: [UInt8]
        var value: Value
    }

    /// Where a pair is, or would be inserted.
    private struct Index {
        var chunk: Int
        var offset: Int
    }

    private static var chunkCapacity: Int { 128 }

    private var chunks: [[Pair]] = [[]]
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    subscript(key: [UInt8]) -> Value? {
        let (index, found) = find(key)
        return found ? chunks[index.chunk][index.offset].value : nil
    }

    mutating func set(_ key: [UInt8], _ value: Value) {
        let (index, found) = find(key)
        if found {
            chunks[index.chunk][index.offset].value = value
            return
        }
        count += 1
        chunks[index.chunk].insert(Pair(key: key, value: value), at: index.offset)
        if chunks[index.chunk].count > Self.chunkCapacity {
            split(index.chunk, insertedAt: index.offset)
        }
    }

    mutating func remove(_ key: [UInt8]) {
        let (index, found) = find(key)
        guard found else { return }
        count -= 1
        chunks[index.chunk].remove(at: index.offset)
        if chunks[index.chunk].isEmpty, chunks.count > 1 {
            chunks.remove(at: index.chunk)
        }
    }

    mutating func removeAll() {
        count = 0
        chunks.removeSubrange(1...)
        chunks[0].removeAll(keepingCapacity: true)
    }

    /// The first pair whose key is at least `key`, or nil.
    func pair(atOrAfter key: [UInt8]) -> Pair? {
        pair(at: find(key).index)
    }

    /// The first pair whose key is greater than `key`, or nil.
    func pair(after key: Bytes) -> Pair? {
        var (index, found) = find(key)
        if found { index.offset += 1 }
        return pair(at: index)
    }

    func forEach<Failure: Error>(_ body: (Pair) throws(Failure) -> Void) throws(Failure) {
        for chunk in chunks {
            for pair in chunk { try body(pair) }
        }
    }

    /// A chunk that grew at its end is cut near there, because keys that arrive in order would otherwise leave every
    /// chunk half full.
    private mutating func split(_ chunk: Int, insertedAt offset: Int) {
        let size = chunks[chunk].count
        let cut = offset == size - 1 ? size - 1 : size / 2
        let tail = Array(chunks[chunk][cut...])
        chunks[chunk].removeSubrange(cut...)
        chunks.insert(tail, at: chunk + 1)
    }

    /// The pair at an index, which may be the end of its chunk.
    private func pair(at index: Index) -> Pair? {
        if index.offset < chunks[index.chunk].count { return chunks[index.chunk][index.offset] }
        return index.chunk + 1 < chunks.count ? chunks[index.chunk + 1][0] : nil
    }

    /// Where `key` is, or would be inserted.
    private func find(_ key: some RandomAccessCollection<UInt8>) -> (index: Index, found: Bool) {
        var low = 0
        var high = chunks.count - 1
        // The last chunk whose first key is at most `key`; the first chunk takes what is smaller than all.
        while low < high {
            let middle = (low + high + 1) / 2
            if compareBytes(chunks[middle][0].key, key) <= 0 { low = middle } else { high = middle - 1 }
        }
        let chunk = low
        low = 0
        high = chunks[chunk].count
        while low < high {
            let middle = (low + high) / 2
            let order = compareBytes(chunks[chunk][middle].key, key)
            if order == 0 { return (Index(chunk: chunk, offset: middle), true) }
            if order < 0 { low = middle + 1 } else { high = middle }
        }
        return (Index(chunk: chunk, offset: low), false)
    }
}

extension OrderedMap: Sendable where Value: Sendable {}
extension OrderedMap.Pair: Sendable where Value: Sendable {}
