import HoldfastEngine
import HoldfastStorage
import Testing

@Suite struct MemoryStoreTests {
    @Test func `a crash loses exactly the commits after the last sync`() throws {
        for syncAfter in 0...5 {
            let store = MemoryStore()
            for turn in 1...5 {
                try store.commit(["last": "\(turn)", "key\(turn)": "1"])
                if turn == syncAfter { try store.makeDurable() }
            }
            store.crash()
            let kept = (0..<syncAfter).map { "key\($0 + 1)=1" } + (syncAfter > 0 ? ["last=\(syncAfter)"] : [])
            #expect(try store.snapshot().pairs() == kept)
            #expect(store.latestPosition == CommitPosition(rawValue: UInt64(syncAfter)))
        }
    }

    @Test func `deletions that were not durable are undone by a crash`() throws {
        let store = MemoryStore()
        try store.commit(["a": "1"])
        try store.makeDurable()
        let transaction = store.transaction()
        transaction.delete("a")
        _ = try store.commit(transaction)
        store.crash()
        #expect(try store.snapshot().text("a") == "1")
    }

    @Test func `a commit that fails keeps the writes in their transaction`() throws {
        let store = MemoryStore()
        let transaction = store.transaction()
        transaction.put("a", "1")
        store.fail(with: StorageError(.failed, "no space"))
        #expect(throws: StorageError.self) { try store.commit(transaction) }
        #expect(throws: StorageError.self) { try store.makeDurable() }
        store.fail(with: nil)
        _ = try store.commit(transaction)
        #expect(try store.snapshot().text("a") == "1")
    }
}
