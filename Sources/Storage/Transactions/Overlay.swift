import HoldfastEngine
import HoldfastWire

/// The writes of one transaction: a nil value is a deletion. Of several writes to one key the last one counts.
///
/// Keys and values are kept as they were given, without a copy.
struct Overlay: Sendable {
    private var families: [OrderedMap<Bytes?>]
    /// Changes with every write, so that a scan notices what its visitor writes.
    private(set) var generation: UInt64 = 0

    init() {
        families = Array(repeating: OrderedMap(), count: Family.indexCount)
    }

    var isEmpty: Bool { families.allSatisfy(\.isEmpty) }

    mutating func write(_ family: Family, _ key: [UInt8], _ value: Bytes?) {
        generation &+= 1
        families[family.index].set(key, value)
    }

    /// Nil: not written; `.some(nil)`: deleted.
    func written(_ family: Family, _ key: [UInt8]) -> Bytes?? {
        families[family.index].isEmpty ? nil : families[family.index][key]
    }

    /// The first write to a key of the range, or nil.
    func first(in family: Family, atOrAfter lower: [UInt8], below upper: [UInt8]) -> OrderedMap<Bytes?>.Pair? {
        guard !families[family.index].isEmpty else { return nil }
        return families[family.index].pair(atOrAfter: lower).flatMap { compareBytes($0.key, upper) < 0 ? $0 : nil }
    }

    /// The first write behind `key`, or nil.
    func first(in family: Family, after key: Bytes, below upper: [UInt8]) -> OrderedMap<Bytes?>.Pair? {
        guard !families[family.index].isEmpty else { return nil }
        return families[family.index].pair(after: key).flatMap { compareBytes($0.key, upper) < 0 ? $0 : nil }
    }

    mutating func removeAll() {
        generation &+= 1
        for index in families.indices where !families[index].isEmpty { families[index].removeAll() }
    }

    /// Visits every write: family by family, each in key order.
    func forEach<Failure: Error>(
        _ body: (Family, [UInt8], Bytes?) throws(Failure) -> Void
    ) throws(Failure) {
        for family in Family.allCases where !families[family.index].isEmpty {
            try families[family.index].forEach { (pair) throws(Failure) in
                try body(family, pair.key, pair.value)
            }
        }
    }
}

extension Family {
    /// The place of the family in arrays that have one element per family.
    var index: Int { Int(rawValue) }
    /// The size of such arrays.
    static let indexCount = (allCases.map(\.index).max() ?? 0) + 1
}
