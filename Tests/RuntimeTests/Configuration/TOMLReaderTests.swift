import HoldfastWire
import Testing

@testable import HoldfastRuntime

struct TOMLReaderTests {
    @Test func `tables, dotted keys, arrays and inline tables make one tree`() throws {
        let document = try TOMLReader.read(
            """
            # a comment
            cluster-name = "test"   # another
            a.b.'c d' = 1

            [worker.invoker]
            inactivity-timeout = '1m'
            headers = { "x-a" = "1", y.z = true }
            list = [
              1, # one
              2.5,
              -0x10, 1_000,
            ]
            [[cluster]]
            name = "one"
            [[cluster]]
            name = "two"
            """)
        #expect(document["cluster-name"] == "test")
        #expect(document["a"]?["b"]?["c d"] == 1)
        let invoker = document["worker"]?["invoker"]
        #expect(invoker?["inactivity-timeout"] == "1m")
        #expect(invoker?["headers"] == ["x-a": "1", "y": ["z": true]])
        #expect(document["cluster"] == [["name": "one"], ["name": "two"]])
    }

    @Test func `numbers and booleans have their types`() throws {
        let document = try TOMLReader.read("a = 1_000\nb = 0x10\nc = 2.5\nd = 1e3\ne = false\nf = -7\ng = +1")
        #expect(document == ["a": 1000, "b": 16, "c": 2.5, "d": 1000.0, "e": false, "f": -7, "g": 1])
    }

    @Test func `strings know their escapes, and long strings their lines`() throws {
        let document = try TOMLReader.read(
            #"""
            a = "tab\t\"q\" \u00e9 \U0001F600"
            b = 'no \escape'
            c = """
            one
            two \
               still two"""
            """#)
        #expect(document == ["a": "tab\t\"q\" é 😀", "b": "no \\escape", "c": "one\ntwo still two"])
    }

    @Test(arguments: [
        ("a = ", 1), ("\n\na = b", 3), ("a = 1\na = 2", 2), ("a = \"x", 1), ("[a\nb = 1", 1), ("a = 1 2", 1),
        ("a = 1979-05-27", 1), ("a = 1\n[a]\n", 2), ("= 1", 1), ("a = [1,\n2", 2), ("a = {b = 1", 1),
        ("a = \"\\q\"", 1),
        ("a = \"\\ud800\"", 1), ("[[a]\n", 1), ("a = '''x", 1), ("a.b = 1\na.b.c = 2", 2), ("a", 1), ("a = nan", 1),
    ])
    func `a fault is reported with its line`(text: String, line: Int) {
        let error = #expect(throws: TOMLError.self) { try TOMLReader.read(text) }
        #expect(error?.line == line)
    }

    @Test func `deep nesting is refused and no prefix of a file traps`() {
        #expect(throws: TOMLError.self) { try TOMLReader.read("a = " + String(repeating: "[", count: 100_000)) }
        let text = "[[a.b]]\nc = \"x\\u0041\"\nd = {e = [1, '''y''', 2.5], \"f g\" = true} # end\n"
        for end in 0..<text.utf8.count { _ = try? TOMLReader.read(String(text.prefix(end))) }
    }
}
