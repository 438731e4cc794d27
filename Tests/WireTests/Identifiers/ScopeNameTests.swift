import HoldfastWire
import Testing

struct ScopeNameTests {
    @Test(arguments: ["a", "Tenant-1_x.y", String(repeating: "z", count: 36)])
    func `a scope of allowed characters is accepted`(scope: String) {
        #expect(ScopeName.fault(in: scope) == nil)
    }

    @Test(arguments: [
        ("", "value cannot be empty"),
        ("a b", "value contains characters outside the allowed set [a-zA-Z0-9_.-]"),
        ("a/b", "value contains characters outside the allowed set [a-zA-Z0-9_.-]"),
        ("ä", "value contains characters outside the allowed set [a-zA-Z0-9_.-]"),
        (String(repeating: "z", count: 37), "value too long: 37 bytes (max 36)"),
    ]) func `a scope that breaks a rule is refused with the text clients know`(scope: String, fault: String) {
        #expect(ScopeName.fault(in: scope) == fault)
    }

    @Test func `a limit key has at most two components`() throws {
        #expect(try LimitKey(text: "").components == [])
        #expect(try LimitKey(text: "a").components == ["a"])
        #expect(try LimitKey(text: "a/b").components == ["a", "b"])
        #expect(try LimitKey(text: "a/").components == ["a"])
        #expect(try LimitKey(text: "a/b/").components == ["a", "b"])
        #expect(try LimitKey(text: "a/b").description == "a/b")
        for text in ["/", "//", "a//", "/a", "a/b/c", "a b", "a/b/c/"] {
            #expect(throws: WireError.self, "\(text)") { _ = try LimitKey(text: text) }
        }
    }
}
