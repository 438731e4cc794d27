import HoldfastEngine
import HoldfastStorage
import HoldfastTransport
import HoldfastWire

// How the configuration speaks to the layers below, which do not know it.

extension RocksOptions {
    init(_ storage: Configuration.Storage) {
        self.init()
        // What is not configured stays as it was measured to be good.
        guard let memorySize = storage.memorySize else { return }
        memtablesSize = Int(Double(memorySize) * storage.memtablesRatio)
        memtableSize = max(4 << 20, memtablesSize / 2)
        blockCacheSize = max(8 << 20, memorySize - memtablesSize)
    }
}

extension HTTPClientOptions {
    init(_ client: Configuration.Client) {
        self.init()
        connectTimeout = client.connectTimeout.wholeMilliseconds
        http2IdleTimeout = client.http2IdleConnectionTimeout.wholeMilliseconds
        pingInterval = client.http2KeepAliveInterval.wholeMilliseconds
        pingJitter = client.http2KeepAliveJitter
        pingTimeout = client.http2KeepAliveTimeout.wholeMilliseconds
        maxStreamsPerConnection = client.http2StreamsPerConnectionLimit
        assumedMaxStreams = client.http2InitialMaxSendStreams ?? assumedMaxStreams
        streamWindowBytes = client.http2InitialStreamWindowSize
        connectionWindowBytes = client.http2InitialConnectionWindowSize
        maxFrameBytes = client.http2MaxFrameSize
    }
}

extension RequestIdentity {
    /// The headers that tell the endpoint of a path who asks. Without a signature the endpoint refuses the request.
    func headers(for path: String, now: Timestamp) -> [(name: String, value: String)] {
        guard let token = try? token(audience: path, now: now) else { return [] }
        return [("x-restate-signature-scheme", "v1"), ("x-restate-jwt-v1", token)]
    }
}
