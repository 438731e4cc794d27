import HoldfastWire
import Testing

struct AwakeableIDTests {
    static let invocation = InvocationID(
        partitionKey: 0x43c5_171a_2ba4_02b3, uuid: 0x0191d0f0_a1b2c3d4_e5f60718_293a4b5c)

    @Test func `known ids are read and written`() throws {
        let known: [(String, AwakeableID)] = [
            ("sign_1Q8UXGiukArMBkdDwobLD1OX2BxgpOktcAAAAEQ", .signal(Self.invocation, index: 17)),
            ("prom_1Q8UXGiukArMBkdDwobLD1OX2BxgpOktcAAAAAw", .entry(Self.invocation, index: 3)),
            (
                "sign_1PrDkbECjgdsBmMfEUQyCnioCP-csLbd2AAAAEQ",
                .signal(try InvocationID(text: "inv_1iQquVR0YgtU3C0O02QoJyl2CvVKOYvVPX"), index: 17)
            ),
            (
                "prom_1NMyOAvDK2CcBjUH4Rmb7eGBp0DNNDnmsAAAAAQ",
                .entry(try InvocationID(text: "inv_13q6r7rhzaG85fs0bfyqW8cubIUYJFjvBT"), index: 1)
            ),
        ]
        for (text, id) in known {
            #expect(try AwakeableID(text: text) == id)
            #expect(id.description == text)
        }
    }

    @Test(arguments: ["", "=", "=="]) func `padding is tolerated, also in part`(padding: String) throws {
        // 28 bytes are 38 characters; padded, 40.
        #expect(
            try AwakeableID(text: "sign_1Q8UXGiukArMBkdDwobLD1OX2BxgpOktcAAAAEQ\(padding)")
                == .signal(Self.invocation, index: 17))
    }

    @Test(arguments: [
        ("", "bad length"), ("prom_1abc", "bad length"), ("prom_1", "bad length"), ("foo", "bad format"),
        ("sign_1abc", "id doesn't match the expected type"),
        ("sign_1Q8UXGiukArMBkdDwobLD1OX2BxgpOktcAAAAEQAA", "id doesn't match the expected type"),
        ("sign_1Q8UXGiukArMBkdDwobLD1OX2BxgpOktcAAAAEQ===", "id doesn't match the expected type"),
        ("sign_2Q8UXGiukArMBkdDwobLD1OX2BxgpOktcAAAAEQ", "unrecognized codec version"),
        ("inv_1fmRNvSNVxNp2O9FJ1OlOzP5ytGEhn0IsV", "id doesn't match the expected type"),
        ("xyz_1Q8UXGiukArMBkdDwobLD1OX2BxgpOktcAAAAEQ", "unrecognized resource type: xyz"),
    ]) func `a text that is neither form is refused as the older one`(text: String, message: String) {
        let error = #expect(throws: IdentifierError.self) { _ = try AwakeableID(text: text) }
        #expect(error?.message == message)
    }

    @Test func `base64 without padding is its own inverse`() {
        var random = FastRandom(seed: 3)
        for count in 0..<100 {
            let bytes = (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            let text = Base64URL.encode(bytes)
            #expect(text.utf8.count == (count * 8 + 5) / 6)
            #expect(Base64URL.decode(text.utf8) == bytes)
        }
        #expect(Base64URL.encode([0xFB, 0xFF]) == "-_8")
    }

    @Test(arguments: ["A", "AB=", "A===", "AA==A", "+A", "A/", "AB", "====", "AAA==", "AA A"])
    func `what no bytes encode to is not decoded`(text: String) {
        // "AB": the unused bits of B are not zero.
        #expect(Base64URL.decode(text.utf8) == nil)
    }
}
