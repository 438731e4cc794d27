import Testing

@testable import HoldfastRuntime

@Suite struct InputValidationTests {
    private static let nothingAllowed =
        "Expected body and content-type to be empty, but wasn't with content-type "
    private static let absent = InputRules(isDeclared: false, isRequired: false)
    private static let none = InputRules(isDeclared: true, isRequired: false)
    private static let bad = InputRules(isDeclared: true, isRequired: true)

    private static func required(_ type: String, schema: String? = nil) -> InputRules {
        InputRules(isDeclared: true, isRequired: true, contentType: type, jsonSchema: schema)
    }
    private static func optional(_ type: String, schema: String? = nil) -> InputRules {
        InputRules(isDeclared: true, isRequired: false, contentType: type, jsonSchema: schema)
    }

    @Test(
        arguments: [
            (absent, nil, true, nil), (absent, "a/b", false, nil), (absent, "foo", false, nil),
            (absent, "", false, nil),
            (absent, nil, false, "Empty content-type"), (absent, "a/b", true, nil),
            (none, nil, true, nil), (none, "a/b", true, nothingAllowed + #"'Some("a/b")'"#),
            (none, nil, false, nothingAllowed + "'None'"),
            (bad, nil, true, "Bad configuration of the input validation rules"),
            (bad, "a/b", false, "Bad configuration of the input validation rules"),
            (required("a/b"), "a/b", true, nil), (required("a/b"), nil, true, "Empty content-type"),
            (required("a/b"), " a/b ; q=1", false, nil),
            (required("a/b"), "A/b", false, "Content-type 'A/b' does not match 'a/b'"),
            (required("a/b"), "a/bc", false, "Content-type 'a/bc' does not match 'a/b'"),
            (required("a/*"), "a/c;x", false, nil),
            (required("a/*"), "b/c", false, "Content-type 'b/c' does not match 'a/*'"),
            (required("a/*"), "ab/c", false, "Content-type 'ab/c' does not match 'a/*'"),
            (required("a/*"), "a", false, "Content-type 'a' does not match 'a/*'"),
            (required("a/*"), "", false, "Content-type '' does not match 'a/*'"),
            (required("*/*"), "whatever", true, nil), (required("*/*"), nil, false, "Empty content-type"),
            (optional("a/b"), nil, true, nil), (optional("a/b"), "a/b", true, nil),
            (optional("a/b"), "c/d", true, "Content-type 'c/d' does not match 'a/b'"),
            (optional("a/b", schema: "{}"), "a/b", true, "Empty body not allowed"),
            (optional("a/b", schema: "{}"), "c/d", true, "Content-type 'c/d' does not match 'a/b'"),
            (optional("a/b", schema: "{}"), nil, true, nil), (required("a/b", schema: "{}"), "a/b", false, nil),
        ] as [(InputRules, String?, Bool, String?)])
    func `one alternative must hold`(rules: InputRules, contentType: String?, isEmpty: Bool, fault: String?) {
        #expect(rules.fault(in: RequestContent(contentType: contentType, isEmpty: isEmpty)) == fault)
    }

    @Test(
        arguments: [
            (OutputRules(isDeclared: false, setContentTypeIfEmpty: false), "application/json", nil),
            (OutputRules(isDeclared: true, setContentTypeIfEmpty: true), nil, nil),
            (OutputRules(isDeclared: true, contentType: "a/b", setContentTypeIfEmpty: false), "a/b", nil),
            (OutputRules(isDeclared: true, contentType: "a/b", setContentTypeIfEmpty: true), "a/b", "a/b"),
        ] as [(OutputRules, String?, String?)])
    func `an answer has the declared content type`(rules: OutputRules, full: String?, empty: String?) {
        #expect(rules.contentType(isEmpty: false) == full)
        #expect(rules.contentType(isEmpty: true) == empty)
    }
}
