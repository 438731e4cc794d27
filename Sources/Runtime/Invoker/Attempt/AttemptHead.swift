import HoldfastEngine
import HoldfastServiceProtocol
import HoldfastTransport
import HoldfastWire

extension HTTPRequestHead {
    /// The head of an attempt's request: its path and its headers, in the order of their layers (discovery §10).
    ///
    /// A later layer overwrites what an earlier one said, in its place.
    ///
    /// - Parameter id: The text of the invocation's id.
    init(
        attempt start: AttemptStart, id: String, to deployment: Deployment, version: ProtocolVersion,
        identity: RequestIdentity?, additionalHeaders: [(name: String, value: String)], now: Timestamp
    ) throws(RequestIdentityError) {
        let target = start.target
        let route = "invoke/\(target.service)/\(target.handler)"
        let key = target.kind.isKeyed ? target.key : nil
        var headers = HTTPHeaders()
        headers.reserveCapacity(8)
        headers.add("content-type", version.contentType)
        headers.add("accept", version.contentType)
        headers.add("x-restate-invocation-id", id)
        if let key { headers.add("x-restate-service-key", percentEncoded(key)) }
        for header in deployment.additionalHeaders { headers.set(header.name, header.value) }
        if let identity {
            let token = try identity.token(audience: "/" + route, subject: key, now: now)
            headers.set("x-restate-signature-scheme", "v1")
            headers.set("x-restate-jwt-v1", token)
        }
        for header in additionalHeaders { headers.set(header.name, header.value) }
        self.init(method: "POST", path: deployment.address.path(appending: route), headers: headers)
    }
}

/// The text with everything but `A-Z a-z 0-9 - _ . ~` as `%XX`.
func percentEncoded(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var encoded: [UInt8] = []
    encoded.reserveCapacity(text.utf8.count)
    for byte in text.utf8 {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
            UInt8(ascii: "~"):
            encoded.append(byte)
        default:
            encoded.append(UInt8(ascii: "%"))
            encoded.append(digits[Int(byte >> 4)])
            encoded.append(digits[Int(byte & 15)])
        }
    }
    return String(decoding: encoded, as: UTF8.self)
}
