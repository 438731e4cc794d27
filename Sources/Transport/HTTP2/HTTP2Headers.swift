import CHoldfastNGHTTP2

/// A head as it was received: pseudo headers apart, the others in order.
struct HTTP2HeaderBlock {
    var method = ""
    var path = ""
    var authority: String?
    var status: Int?
    var headers = HTTPHeaders()
    /// As RFC 9113 §6.5.2 counts: names, values and 32 bytes per line.
    var size = 0
    /// The limit was passed; lines are missing.
    var isTooLarge = false
    /// The path is not UTF-8: in a text its bytes would become others, and two paths one.
    var hasBrokenPath = false

    mutating func add(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) {
        let text = String(decoding: value, as: UTF8.self)
        guard name.first == UInt8(ascii: ":") else {
            return headers.add(String(decoding: name, as: UTF8.self), text)
        }
        switch String(decoding: name, as: UTF8.self) {
        case ":method": method = text
        case ":path":
            path = text
            hasBrokenPath = !text.utf8.elementsEqual(value)
        case ":authority": authority = text
        case ":status": status = Int(text)
        default: break
        }
    }
}

/// Lines of a head on their way out, in the form that the C library takes.
///
/// Names and values lie one after the other in `bytes`, so that a head costs two buffers and not two per line. The
/// library copies what it is given, hence the pointers are needed only during `withVectors`.
struct HTTP2HeaderLines {
    private var bytes: [UInt8] = []
    private var sizes: [(name: Int, value: Int)] = []

    init() {
        bytes.reserveCapacity(512)
        sizes.reserveCapacity(16)
    }

    mutating func add(_ headers: HTTPHeaders) {
        for line in headers where !HTTP1Writer.isConnectionHeader(line.name) && !line.name.isEmpty {
            // The host is the pseudo header `:authority`.
            if !line.name.isSameHeaderName(as: "host") { add(line.name, line.value) }
        }
    }

    mutating func add(_ name: String, _ value: String) {
        let start = bytes.count
        bytes.append(contentsOf: name.utf8)
        for index in start..<bytes.count { bytes[index] = bytes[index].asciiLowercased }
        let middle = bytes.count
        bytes.append(contentsOf: value.utf8)
        // Control characters make a head malformed, and the peer would answer by ending the stream.
        for index in middle..<bytes.count where bytes[index] < 0x20 && bytes[index] != 0x09 { bytes[index] = 0x20 }
        sizes.append((middle - start, bytes.count - middle))
    }

    mutating func withVectors<R>(_ body: (UnsafePointer<nghttp2_nv>?, Int) -> R) -> R {
        bytes.withUnsafeMutableBufferPointer { buffer in
            withUnsafeTemporaryAllocation(of: nghttp2_nv.self, capacity: sizes.count) { vectors in
                var next = buffer.baseAddress
                for (index, size) in sizes.enumerated() {
                    let value = next.map { $0 + size.name }
                    vectors.initializeElement(
                        at: index,
                        to: nghttp2_nv(name: next, value: value, namelen: size.name, valuelen: size.value, flags: 0))
                    next = value.map { $0 + size.value }
                }
                return body(vectors.baseAddress, sizes.count)
            }
        }
    }
}
