import Glibc
import HoldfastWire
import Testing

@testable import HoldfastCommandLine

struct WebClientTests {
    /// A port at which the system accepts connections that nobody ever reads.
    private func withSilentPort(_ body: (UInt16) throws -> Void) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        try #require(listener >= 0)
        defer { close(listener) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(listener, address, size) == 0 && listen(listener, 4) == 0
                    && getsockname(listener, address, &size) == 0
            }
        }
        try #require(result)
        try body(UInt16(bigEndian: address.sin_port))
    }

    @Test func `a server that keeps silent is given up, and what it is told has the reason`() throws {
        try withSilentPort { port in
            let api = try WebAPI(what: "the admin API", url: "127.0.0.1:\(port)/")
            let error = #expect(throws: CommandError.self) { try api.send("GET", "/services", timeLimitMillis: 30) }
            #expect(error?.exitCode == .unreachable)
            #expect(error?.description.contains("gave no answer in time") == true)
        }
    }

    @Test func `an error's message has its code once`() {
        let body = #"{"message":"[META0003] [META0003] error when calling","restate_code":"META0003"}"#
        let answer = WebClient.Answer(status: 500, headers: .init(), body: Array(body.utf8))
        #expect(WebAPI.message(of: answer) == "[META0003] error when calling")
        #expect(WebAPI.message(of: .init(status: 500, headers: .init(), body: Array("a\nb".utf8))) == "a b")
    }
}
