import HoldfastWire
import Testing

@testable import HoldfastRuntime

@Suite struct IngressPathTests {
    @Test(arguments: [
        ("/Greeter/greet", "/Greeter/greet"), ("//Greeter/greet///", "/Greeter/greet"),
        ("/Greeter/greet///", "/Greeter/greet"), ("///Greeter/greet", "/Greeter/greet"),
        ("/Counter//key", "/Counter//key"), ("/Counter//", "/Counter"), ("/", "/"), ("////", "/"), ("", "/"),
        ("*", "/*"), ("/S/h#there", "/S/h"), ("/http://x/y", "/http://x/y"), ("S/h", "/S/h"),
    ])
    func `slashes at the ends go, empty segments within stay`(target: String, path: String) {
        #expect(IngressPath(target).bytes.lossyString == path)
    }

    @Test func `handlers see the cleaned path and the query as received`() {
        #expect(IngressPath("/S/h//?x=%C3%A4&y").text == "/S/h?x=%C3%A4&y")
        #expect(IngressPath("/S/h?").text == "/S/h?")
        #expect(IngressPath("/S/h/?x#y?z").text == "/S/h?x")
        #expect(IngressPath("/S/%2F").text == "/S/%2F")
    }

    @Test(arguments: [
        ("plain", "plain"), ("a%2Fb", "a/b"), ("a+b", "a+b"), ("%zz", "%zz"), ("%", "%"), ("%4", "%4"),
        ("%C3%A4", "ä"), ("%c3%a4", "ä"), ("%00", "\0"), ("ä", "ä"), ("%%41", "%A"), ("", ""), ("%+1", "%+1"),
    ])
    func `a segment is decoded, and what is no code stays`(segment: String, text: String) {
        #expect(PercentEncoding.decoded(segment: Bytes(utf8: segment)).lossyString == text)
    }

    @Test func `a query is decoded as forms are`() {
        let parameters = PercentEncoding.parameters(of: Bytes(utf8: "a=1+2&&b&c=%2B=x&=y&%61=%ff"))
        #expect(parameters.map(\.name) == ["a", "b", "c", "", "a"])
        #expect(parameters.map(\.value) == ["1 2", "", "+=x", "y", "\u{FFFD}"])
    }

    @Test(arguments: [
        ("ff", 0, 1), ("61c3", 1, nil), ("61c328", 1, 1), ("e282", 0, nil), ("e28261", 0, 2), ("eda080", 0, 1),
        ("f09f98", 0, nil), ("f09f9861", 0, 3), ("c3a4f5", 2, 1), ("c080", 0, 1), ("f8", 0, 1), ("80", 0, 1),
        ("e2ff", 0, 1),
    ])
    func `a fault is where the first character is none`(hex: String, valid: Int, faulty: Int?) throws {
        let bytes = try #require(Bytes(hex: hex))
        let fault = try #require(UTF8Fault(in: bytes))
        #expect(fault.validCount == valid)
        #expect(fault.faultyCount == faulty)
    }

    @Test func `valid texts have no fault`() {
        for text in ["", "a", "ä", "€", "😀", "a\0b"] { #expect(UTF8Fault(in: Bytes(utf8: text)) == nil) }
    }
}
