import Testing

@testable import HoldfastRuntime

@Suite struct RegistryAddressTests {
    @Test(arguments: [
        ("http://localhost:9080", "http://localhost:9080/", "localhost", 9080),
        ("HTTP://Host", "http://Host/", "Host", 80),
        ("https://h/a/b?q=1#frag", "https://h/a/b?q=1", "h", 443),
        ("http://u:p@h:1/x", "http://u:p@h:1/x", "h", 1),
        ("http://[::1]:9080/", "http://[::1]:9080/", "::1", 9080),
        ("http://h?q", "http://h/?q", "h", 80),
        ("ftp://h/", "ftp://h/", "h", 80),
    ])
    func `an absolute URI is taken apart and printed as given`(
        text: String, printed: String, host: String, port: Int
    ) throws {
        let address = try DeploymentAddress(text: text)
        #expect(address.description == printed)
        #expect(address.host == host)
        #expect(address.port == port)
        #expect(try DeploymentAddress(text: printed) == address)
    }

    @Test(arguments: ["foo", "/x", "h:9080", "/x/http://h"])
    func `a path or a bare host is not absolute`(text: String) {
        #expect(throws: DeploymentAddress.Fault.notAbsolute) { try DeploymentAddress(text: text) }
    }

    @Test(arguments: ["", "http://", "http:///x", "http://h:x/", "http://h:70000", "http://a b/", "h:9080/x", "1a://h"])
    func `other texts are no URIs`(text: String) {
        #expect(throws: DeploymentAddress.Fault.notURI) { try DeploymentAddress(text: text) }
    }

    @Test(arguments: [
        ("http://h:1/ok", "/ok/discover"), ("http://h:1", "/discover"), ("http://h:1/ok/", "/ok/discover"),
        ("http://h:1/ok//", "/ok//discover"), ("http://h:1/ok?q=1", "/ok/discover?q=1"),
        ("http://h:1?q", "/discover?q"),
    ])
    func `a request's path joins with one slash and keeps the query`(address: String, path: String) throws {
        #expect(try DeploymentAddress(text: address).path(appending: "discover") == path)
    }

    @Test(arguments: [
        ("http://h:1", "https://H:1/?x", true), ("http://h:1/a", "http://h:1/a/", false),
        ("http://h", "http://h:80", false), ("http://localhost:1", "http://127.0.0.1:1", false),
        ("http://h:1/A", "http://h:1/a", false),
    ])
    func `addresses are the same if authority and path are`(left: String, right: String, same: Bool) throws {
        #expect(try DeploymentAddress(text: left).isSameEndpoint(as: DeploymentAddress(text: right)) == same)
    }
}
