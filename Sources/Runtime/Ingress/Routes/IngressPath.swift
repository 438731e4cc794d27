import HoldfastWire

/// The path of a request as handlers see it: cleaned up, but still percent-encoded.
///
/// All slashes at the end go; a path that begins with two slashes or ends with one is trimmed to one leading slash.
/// Empty segments within it stay, since a key may be empty.
struct IngressPath {
    /// Begins with a slash.
    let bytes: Bytes
    /// What stands behind the question mark, as received; nil without one.
    let query: Bytes?

    /// Takes a request's path and query apart.
    init(_ text: String) {
        var path = Bytes(utf8: text)
        // What stands behind a `#` is no part of a request (RFC 9110 §7.1); some clients send it.
        if let mark = path.firstIndex(of: UInt8(ascii: "#")) { path = path[..<mark] }
        if let mark = path.firstIndex(of: UInt8(ascii: "?")) {
            query = path[(mark + 1)...]
            path = path[..<mark]
        } else {
            query = nil
        }
        bytes = Self.cleaned(path)
    }

    /// The path and the query, for the handler.
    var text: String {
        guard let query else { return bytes.lossyString }
        return "\(bytes.lossyString)?\(query.lossyString)"
    }

    /// The number of slashes, which decides whether the path can be one of the routes at all.
    var slashCount: Int { bytes.reduce(0) { $1 == slash ? $0 + 1 : $0 } }

    /// A reader of the segments, which stands before the first one.
    var segments: Segments { Segments(rest: bytes.dropFirst()) }

    /// Reads the segments of a path from left to right.
    struct Segments {
        /// Nil behind the last segment.
        private var rest: Bytes?

        init(rest: Bytes) { self.rest = rest }

        /// The next segment, which may be empty; nil when there is none.
        mutating func next() -> Bytes? {
            guard let path = rest else { return nil }
            guard let end = path.firstIndex(of: slash) else {
                rest = nil
                return path
            }
            rest = path[(end + 1)...]
            return path[..<end]
        }
    }

    private static func cleaned(_ path: Bytes) -> Bytes {
        let second = path.index(path.startIndex, offsetBy: 1, limitedBy: path.endIndex) ?? path.endIndex
        let beginsTwice = path.first == slash && second < path.endIndex && path[second] == slash
        guard beginsTwice || path.last == slash || path.first != slash else { return path }
        var inner = path
        while inner.last == slash { inner.removeLast() }
        while inner.first == slash { inner.removeFirst() }
        // With its slash still before it, the path needs no copy.
        if inner.startIndex > path.startIndex { return path[(inner.startIndex - 1)..<inner.endIndex] }
        return [slash] + inner
    }
}

private let slash = UInt8(ascii: "/")
