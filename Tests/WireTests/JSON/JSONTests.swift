import HoldfastWire
import Testing

struct JSONTests {
    @Test(arguments: [
        "null", "true", "false", "0", "-1", "9223372036854775807", "-9223372036854775808", "18446744073709551615",
        "1.5", "-0.0", "1e100", "\"\"", "\"a\"", "[]", "{}", "[1,[2,{}],\"x\"]",
        "{\"b\":1,\"a\":[null,{\"c\":\"é😀\"}]}",
        "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\u{7f}\"",
    ]) func `a compact document is written as it was read`(text: String) throws {
        #expect(try JSON(parsing: text).text == text)
    }

    static let readings: [(String, JSON)] = [
        (" [ 1 , 2 ] \r\n\t", [1, 2]),
        ("1.0", .number(1)), ("1e2", .number(100)), ("1E+2", .number(100)), ("-0", .number(-0.0)),
        ("12345678901234567890123", .number(1.2345678901234568e22)), ("18446744073709551616", .number(0x1p64)),
        ("9223372036854775808", .unsigned(1 << 63)), ("-9223372036854775809", .number(-0x1p63)),
        ("\"\\u0041\\u00e9\\uD83D\\uDE00\\/\"", "Aé😀/"),
        ("{\"a\":1,\"a\":2}", .object([.init("a", 1), .init("a", 2)])),
    ]

    @Test(arguments: readings) func `a document is read for what it means`(text: String, value: JSON) throws {
        #expect(try JSON(parsing: text) == value)
    }

    @Test(arguments: [
        ("", "EOF while parsing a value at line 1 column 0"),
        ("  ", "EOF while parsing a value at line 1 column 2"),
        ("x", "expected value at line 1 column 1"),
        ("nul", "EOF while parsing a value at line 1 column 3"),
        ("nulx", "expected ident at line 1 column 4"),
        ("1 2", "trailing characters at line 1 column 3"),
        ("[1", "EOF while parsing a list at line 1 column 2"),
        ("[1,]", "trailing comma at line 1 column 4"),
        ("[1 2]", "expected `,` or `]` at line 1 column 4"),
        ("{", "EOF while parsing an object at line 1 column 1"),
        ("{x", "key must be a string at line 1 column 2"),
        ("{\"a\" 1}", "expected `:` at line 1 column 6"),
        ("{\"a\":1 \"b\"}", "expected `,` or `}` at line 1 column 8"),
        ("{\"a\":1,}", "trailing comma at line 1 column 8"),
        ("{\n\"a\":\n  y}", "expected value at line 3 column 3"),
        ("01", "invalid number at line 1 column 2"),
        ("-", "EOF while parsing a value at line 1 column 1"),
        ("-x", "invalid number at line 1 column 2"),
        ("1.", "EOF while parsing a value at line 1 column 2"),
        ("1.x", "invalid number at line 1 column 3"),
        (".5", "expected value at line 1 column 1"),
        ("1e", "EOF while parsing a value at line 1 column 2"),
        ("1e999", "number out of range at line 1 column 5"),
        ("\"a", "EOF while parsing a string at line 1 column 2"),
        ("\"a\nb\"", "control character (\\u0000-\\u001F) found while parsing a string at line 2 column 0"),
        ("\"\\x\"", "invalid escape at line 1 column 3"),
        ("\"\\u12g4\"", "invalid escape at line 1 column 6"),
        ("\"\\ud800\"", "lone leading surrogate in hex escape at line 1 column 7"),
        ("\"\\ud800\\u0041\"", "lone leading surrogate in hex escape at line 1 column 13"),
        ("\"\\udc00\"", "lone leading surrogate in hex escape at line 1 column 7"),
        ("'a'", "expected value at line 1 column 1"),
        ("NaN", "expected value at line 1 column 1"),
        ("// x", "expected value at line 1 column 1"),
    ]) func `what is no document is refused, and the place is named`(text: String, message: String) {
        let error = #expect(throws: JSONError.self) { _ = try JSON(parsing: text) }
        #expect(error?.description == message)
    }

    @Test(arguments: ["22ff22", "22c022", "22eda08022"]) func `texts must be UTF-8`(hex: String) throws {
        let bytes = try #require(Bytes(hex: hex))
        let error = #expect(throws: JSONError.self) { _ = try JSON(parsing: bytes) }
        #expect(error?.what == "invalid unicode code point")
    }

    @Test func `nesting is bounded`() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(try JSON(parsing: nested(128)).text == nested(128))
        let error = #expect(throws: JSONError.self) { _ = try JSON(parsing: nested(129)) }
        #expect(error?.what == "recursion limit exceeded")
        #expect(throws: JSONError.self) { _ = try JSON(parsing: String(repeating: "[{\"a\":", count: 1_000_000)) }
        // Siblings are not nested.
        #expect(
            try JSON(parsing: "[" + Array(repeating: "[]", count: 500).joined(separator: ",") + "]").array?.count == 500
        )
    }

    @Test(arguments: [
        (0.0, "0.0"), (-0.0, "-0.0"), (1, "1.0"), (100, "100.0"), (0.5, "0.5"), (123.456, "123.456"),
        (1e15, "1000000000000000.0"), (1e16, "1e16"), (1.5e16, "1.5e16"),
        (12_345_678_901_234_568, "1.2345678901234568e16"),
        (1234567890123456, "1234567890123456.0"), (1e21, "1e21"), (1e100, "1e100"), (-2.5e-7, "-2.5e-7"),
        (1e-5, "0.00001"), (1e-6, "1e-6"), (0.00012, "0.00012"), (1.7976931348623157e308, "1.7976931348623157e308"),
        (.infinity, "null"), (.nan, "null"),
    ]) func `numbers are written in the shortest form`(value: Double, text: String) {
        #expect(JSON.number(value).text == text)
    }

    @Test func `members are found by name, the last one of several`() throws {
        let document = try JSON(parsing: "{\"a\":1,\"b\":{\"c\":[true,-2,1.5]},\"a\":\"x\"}")
        #expect(document["a"]?.string == "x")
        #expect(document["b"]?["c"]?.array?.count == 3)
        #expect(document["b"]?["c"]?.array?[1].int == -2)
        #expect(document["b"]?["c"]?.array?[1].uint == nil)
        #expect(document["b"]?["c"]?.array?[2].double == 1.5)
        #expect(document["b"]?["c"]?.array?[0].bool == true)
        #expect(document["z"] == nil)
        #expect(JSON.null.isNull && document["a"]?["b"] == nil)
    }

    @Test func `documents are built from literals`() {
        let document: JSON = ["a": 1, "b": [true, "x", 1.5], "c": .null, "d": JSON(UInt64.max)]
        #expect(document.text == "{\"a\":1,\"b\":[true,\"x\",1.5],\"c\":null,\"d\":18446744073709551615}")
        #expect(
            document.indentedText == """
                {
                  "a": 1,
                  "b": [
                    true,
                    "x",
                    1.5
                  ],
                  "c": null,
                  "d": 18446744073709551615
                }
                """)
        #expect(JSON.array([]).indentedText == "[]")
    }

    @Test func `random documents survive writing and reading, cut ones are refused`() throws {
        var random = FastRandom(seed: 5)
        for _ in 0..<500 {
            let document = randomDocument(&random, depth: 4)
            let bytes = document.bytes
            #expect(try JSON(parsing: bytes[...]) == document)
            #expect(try JSON(parsing: document.indentedText) == document)
            guard document.members != nil || document.array != nil else { continue }
            for cut in [0, bytes.count / 2, bytes.count - 1] {
                #expect(throws: JSONError.self) { _ = try JSON(parsing: bytes[..<cut]) }
            }
        }
    }

    @Test func `no input traps`() {
        var random = FastRandom(seed: 6)
        let alphabet = Array("{}[]\",:\\u0123456789abcdefE+-.truefalsn \u{1}é".utf8) + [0xFF]
        var read = 0
        for _ in 0..<50_000 {
            let bytes = (0..<Int(random.next() % 12)).map { _ in alphabet[Int(random.next() % UInt64(alphabet.count))] }
            if (try? JSON(parsing: bytes.dropFirst(Int(random.next() % 2)))) != nil { read += 1 }
        }
        #expect(read > 100, "some of the sample are documents")
    }

    private func randomDocument(_ random: inout FastRandom, depth: Int) -> JSON {
        func text() -> String {
            String(
                String.UnicodeScalarView(
                    (0..<random.next() % 6).map { _ in
                        Unicode.Scalar(UInt32(random.next() % 0x250)) ?? "😀"
                    }))
        }
        switch random.next() % (depth > 0 ? 9 : 7) {
        case 0: return .null
        case 1: return .bool(random.next() % 2 == 0)
        case 2: return .integer(Int64(truncatingIfNeeded: random.next()) >> Int64(random.next() % 64))
        case 3: return JSON(random.next())
        case 4: return .number(Double(bitPattern: random.next() & ~(1 << 62)))
        case 5, 6: return .string(text())
        case 7: return .array((0..<random.next() % 5).map { _ in randomDocument(&random, depth: depth - 1) })
        default:
            return .object(
                (0..<random.next() % 5).map { _ in .init(text(), randomDocument(&random, depth: depth - 1)) })
        }
    }
}
