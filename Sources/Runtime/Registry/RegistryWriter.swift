import HoldfastEngine
import HoldfastStorage
import HoldfastWire

/// The one who changes the registry: changes are applied one after the other, and seen once they are durable.
///
/// Confined to one event loop, which is what orders them: each change is made on top of the one before, also if that
/// one is not durable yet. A crash then loses the latest changes, none of which anybody has seen (rule 1).
final class RegistryWriter {
    /// A change that waits for the disk.
    private struct Pending {
        let position: CommitPosition
        let registry: Registry
        /// Called once: with nothing if the change is durable, or with why nobody knows.
        let done: (RegistryError?) -> Void
    }

    private let store: any Store
    private let transaction: any Transaction
    private let requestDurable: (CommitPosition) -> Void
    private let publish: (Registry) -> Void
    /// With all changes, durable or not.
    private var latest: Registry
    private var pending: [Pending] = []
    private var end: RegistryError?

    /// - Parameters:
    ///   - registry: What the store holds.
    ///   - requestDurable: Asks for everything up to a position to become durable; `durable(upTo:)` is to follow.
    ///   - publish: Gives a registry that is durable to all event loops, before the change is answered.
    init(
        registry: Registry, store: any Store, requestDurable: @escaping (CommitPosition) -> Void,
        publish: @escaping (Registry) -> Void
    ) {
        latest = registry
        self.store = store
        transaction = store.transaction()
        self.requestDurable = requestDurable
        self.publish = publish
    }

    /// Changes the registry; `done` is called once the change is durable and published, or was refused.
    ///
    /// - Parameter body: The registry that is to follow, and what to tell the one who asked.
    func change<Value>(
        _ body: (Registry) throws(RegistryError) -> (registry: Registry, value: Value),
        done: @escaping (Result<Value, RegistryError>) -> Void
    ) {
        if let end { return done(.failure(end)) }
        let (changed, value): (Registry, Value)
        do throws(RegistryError) {
            (changed, value) = try body(latest)
        } catch {
            return done(.failure(error))
        }
        let changes = RegistryRecords.changes(from: latest, to: changed)
        // What changes nothing may still rest on a change that is not durable, and waits with it.
        guard !changes.isEmpty || !pending.isEmpty else { return done(.success(value)) }
        for (key, value) in changes {
            if let value {
                transaction.put(.metadata, key, value)
            } else {
                transaction.delete(.metadata, key)
            }
        }
        do throws(StorageError) {
            let position = try store.commit(transaction)
            latest = changed
            pending.append(
                Pending(position: position, registry: changed) { fault in
                    done(fault.map(Result.failure) ?? .success(value))
                })
            requestDurable(position)
        } catch {
            // The transaction keeps its writes; a store that refuses one commit gets no other from here.
            let fault = RegistryError.notStored(error)
            end = fault
            done(.failure(fault))
        }
    }

    /// All commits up to `position` are durable.
    func durable(upTo position: CommitPosition) {
        let ready = pending.prefix { $0.position <= position }
        guard let newest = ready.last else { return }
        pending.removeFirst(ready.count)
        publish(newest.registry)
        for change in ready { change.done(nil) }
    }

    /// Nothing becomes durable any more: what waits is answered that nobody knows.
    func ended(because reason: String) {
        let fault = RegistryError(
            status: 500,
            "The registry cannot be changed: \(reason). Restart the server to see what became of the change.")
        end = fault
        let unanswered = pending
        pending = []
        for change in unanswered { change.done(fault) }
    }
}

extension RegistryError {
    fileprivate static func notStored(_ error: StorageError) -> Self {
        Self(status: 500, "The registry was not changed: \(error.message)")
    }
}
