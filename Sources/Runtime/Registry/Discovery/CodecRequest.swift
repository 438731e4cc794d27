import HoldfastWire

/// A payload that a codec of a service is to convert, so that people can read it or write one (admin §9).
struct CodecRequest: Sendable {
    enum Direction: String, Sendable {
        /// From JSON to what handlers read.
        case encode
        /// From what handlers read to JSON.
        case decode

        /// Of the payload, if the caller names none.
        var contentType: String { self == .encode ? "application/json" : "application/octet-stream" }
        /// What the answer is to be.
        var accepted: String { self == .encode ? "*/*" : "application/json" }
    }

    let deployment: Deployment
    let service: String
    let direction: Direction
    /// May contain slashes.
    let codec: String
    let contentType: String?
    let payload: Bytes

    /// The path below the deployment's own, which is what request identity signs.
    var audience: String {
        let name = codec.split(separator: "/", omittingEmptySubsequences: false)
            .map { percentEncoded(String($0)) }.joined(separator: "/")
        return "/serdes/\(service)/\(direction.rawValue)/\(name)"
    }
}
