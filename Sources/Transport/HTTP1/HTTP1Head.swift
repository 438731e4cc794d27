/// Which messages a parser reads.
enum HTTP1MessageKind { case request, response }

/// A head as it was on the wire.
struct HTTP1Head {
    /// Empty for responses.
    let method: String
    /// Empty for responses.
    let target: String
    /// 0 for requests.
    let status: Int
    let headers: HTTPHeaders
    let minorVersion: Int
    let majorVersion: Int
    /// nil when the body has no declared length.
    let contentLength: Int?
    let isChunked: Bool

    /// Whether a body follows a request with this head.
    var hasBody: Bool { isChunked || (contentLength ?? 0) > 0 }

    /// Whether the body has a coding besides `chunked`, which nobody here can take off (RFC 9112 §6.1).
    var hasUnknownCoding: Bool {
        guard isChunked else { return false }
        let codings = headers.values("transfer-encoding").joined(separator: ",").utf8
        let chunked = codings.filter { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }
        return !chunked.elementsEqual("chunked".utf8) { $0.asciiLowercased == $1 }
    }

    var version: HTTPVersion { majorVersion == 1 && minorVersion == 1 ? .http1_1 : .http1_0 }

    /// Whether the sender lets the connection be used again.
    var keepsAlive: Bool {
        version == .http1_1 ? !headers.has("close", in: "connection") : headers.has("keep-alive", in: "connection")
    }

    /// Path and query, and the authority of an absolute target (`http://host:1/path`).
    var requestTarget: (path: String, authority: String?) {
        guard !target.utf8.starts(with: "/".utf8), let scheme = target.firstRange(of: "://") else {
            return (target, nil)
        }
        let rest = target[scheme.upperBound...]
        let end = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? rest.endIndex
        let path = String(rest[end...])
        return (path.hasPrefix("/") ? path : "/" + path, String(rest[..<end]))
    }
}
