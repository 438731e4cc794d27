import HoldfastEngine
import HoldfastStorage
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// The two stores, which keep the same promises.
enum StoreKind: String, CaseIterable, CustomTestStringConvertible {
    case memory, rocks

    var testDescription: String { rawValue }

    /// Runs `body` on an empty store of this kind.
    func with(_ body: (any Store) throws -> Void) throws {
        switch self {
        case .memory:
            try body(MemoryStore())
        case .rocks:
            try withTemporaryDirectory { directory in
                let store = try RocksStore.open(directory: directory, options: RocksOptions(), partitions: 4)
                try body(store)
                store.close()
            }
        }
    }
}

extension ReadableStore {
    /// The pairs of a range as text.
    func pairs(_ family: Family = .state, from lower: String = "", to upper: String = "~") throws -> [String] {
        var found: [String] = []
        try scan(family, from: Array(lower.utf8), to: Array(upper.utf8)) { key, value in
            found.append("\(String(decoding: key, as: UTF8.self))=\(String(decoding: value, as: UTF8.self))")
            return true
        }
        return found
    }

    func text(_ key: String, _ family: Family = .state) throws -> String? {
        try get(family, Array(key.utf8)).map { String(decoding: $0, as: UTF8.self) }
    }
}

extension Transaction {
    func put(_ key: String, _ value: String, _ family: Family = .state) {
        put(family, Array(key.utf8), Array(value.utf8)[...])
    }

    func delete(_ key: String, _ family: Family = .state) {
        delete(family, Array(key.utf8))
    }
}

extension Store {
    /// Commits pairs.
    @discardableResult
    func commit(_ pairs: KeyValuePairs<String, String>) throws -> CommitPosition {
        let transaction = transaction()
        for (key, value) in pairs { transaction.put(key, value) }
        return try commit(transaction)
    }
}
