#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

import HoldfastEngine
import HoldfastStorage
import HoldfastTransport
import HoldfastWire

/// The server: wires partitions, invoker, ingress and admin on one event loop per core, over one store.
///
///     clients ──▶ IngressService ─┐                              ┌─▶ answers
///     operators ▶ AdminService ───┼─▶ LoopContext ─▶ PartitionLoop ─▶ Invoker ─▶ deployments
///                                 │        ▲              │
///                                 │   Router (mailboxes)  └─▶ Store, CommitPipeline
public final class Server {
    private let configuration: Configuration

    /// A server that has not been started.
    public init(configuration: Configuration) {
        self.configuration = configuration
    }

    /// Starts, serves until SIGTERM or SIGINT comes, and stops in order.
    ///
    /// - Throws: `ServerError` when the store can't be opened or an address can't be listened on.
    public func run() throws(ServerError) {
        let signals = Signals()
        let node = try Node(configuration: configuration)
        do throws(ServerError) {
            try node.start()
        } catch {
            // The loops run already, and what they work with must outlive them.
            node.stop()
            throw error
        }
        waiting: while true {
            switch signals.wait() {
            case SIGUSR1: Log.info("Options in force.", ["toml": configuration.toml])
            case SIGINT, SIGTERM: break waiting
            default: break
            }
        }
        Log.info("Stopping.")
        signals.endOnNext()
        node.stop()
        Log.info("Stopped.")
    }
}
