import HoldfastWire

/// Writes the parts of HTTP/1 messages.
enum HTTP1Writer {
    static func responseLine(_ status: Int, to output: inout OutputBuffer) {
        output.append("HTTP/1.1 ")
        output.append(decimal: min(max(status, 100), 999))
        output.append(" ")
        output.append(reasons[status] ?? "")
        output.append("\r\n")
    }

    static func requestLine(_ method: String, _ path: String, to output: inout OutputBuffer) {
        text(method, to: &output, spaces: false)
        output.append(" ")
        text(path, to: &output, spaces: false)
        output.append(" HTTP/1.1\r\n")
    }

    static func line(_ name: String, _ value: String, to output: inout OutputBuffer) {
        text(name, to: &output, spaces: true)
        output.append(": ")
        text(value, to: &output, spaces: true)
        output.append("\r\n")
    }

    static func chunk(_ bytes: Bytes, to output: inout OutputBuffer) {
        guard !bytes.isEmpty else { return }  // An empty chunk would be the end.
        output.append(hexadecimal: bytes.count)
        output.append("\r\n")
        output.append(bytes)
        output.append("\r\n")
    }

    static func lastChunk(to output: inout OutputBuffer) { output.append("0\r\n\r\n") }

    /// Lines that describe the connection and not the message: this layer writes them itself.
    static func isConnectionHeader(_ name: String) -> Bool {
        connectionHeaders.contains { name.isSameHeaderName(as: $0) }
    }

    /// Control characters would let a value end its line and begin others (response splitting): they become spaces, or
    /// nothing where there may be no space.
    private static func text(_ text: String, to output: inout OutputBuffer, spaces: Bool) {
        if text.utf8.allSatisfy({ $0 > 0x20 || (spaces && ($0 == 0x20 || $0 == 0x09)) }) {
            output.append(text)
        } else if spaces {
            for byte in text.utf8 { output.append(byte < 0x20 && byte != 0x09 ? UInt8(0x20) : byte) }
        } else {
            for byte in text.utf8 where byte > 0x20 { output.append(byte) }
        }
    }

    private static let connectionHeaders = [
        "connection", "transfer-encoding", "keep-alive", "upgrade", "proxy-connection",
    ]

    private static let reasons: [Int: String] = [
        100: "Continue", 101: "Switching Protocols", 200: "OK", 201: "Created", 202: "Accepted", 204: "No Content",
        206: "Partial Content", 301: "Moved Permanently", 302: "Found", 303: "See Other", 304: "Not Modified",
        307: "Temporary Redirect", 308: "Permanent Redirect", 400: "Bad Request", 401: "Unauthorized",
        403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 406: "Not Acceptable",
        408: "Request Timeout", 409: "Conflict", 410: "Gone", 411: "Length Required", 412: "Precondition Failed",
        413: "Payload Too Large", 414: "URI Too Long", 415: "Unsupported Media Type", 417: "Expectation Failed",
        422: "Unprocessable Entity", 429: "Too Many Requests", 431: "Request Header Fields Too Large",
        500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable",
        504: "Gateway Timeout", 505: "HTTP Version Not Supported",
    ]
}
