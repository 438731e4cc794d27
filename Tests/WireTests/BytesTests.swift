import HoldfastWire
import Testing

struct BytesTests {
    @Test func `texts become bytes and back`() {
        #expect(Bytes(utf8: "aé😀").hex == "61c3a9f09f9880")
        #expect(Bytes(utf8: "aé😀").utf8String == "aé😀")
        #expect(Bytes(hex: "61C3a9")?.utf8String == "aé")
        #expect(Bytes(hex: "6") == nil)
        #expect(Bytes(hex: "6g") == nil)
    }

    @Test(arguments: ["ff", "c3", "c080", "eda080", "f4908080", "80", "61e282"])
    func `bytes that are not UTF-8 are no text`(hex: String) throws {
        let bytes = try #require(Bytes(hex: hex))
        #expect(bytes.utf8String == nil)
        #expect(bytes.lossyString.contains("\u{FFFD}"))
    }

    @Test func `integers have network byte order`() {
        var bytes: [UInt8] = []
        bytes.append(bigEndian: 0x0102 as UInt16)
        bytes.append(bigEndian: 0x0304_0506 as UInt32)
        #expect(bytes == [1, 2, 3, 4, 5, 6])
        #expect(UInt32(bigEndian: bytes[2...]) == 0x0304_0506)
        #expect(UInt32(bigEndian: bytes[...]) == nil)
    }

    @Test func `moments do not overflow`() {
        #expect(Timestamp(millis: 5).advanced(by: 7) == Timestamp(millis: 12))
        #expect(Timestamp(millis: .max).advanced(by: 1) == .distantFuture)
        #expect(Timestamp(millis: 5).milliseconds(since: Timestamp(millis: 7)) == 0)
        #expect(Timestamp(millis: 7).milliseconds(since: Timestamp(millis: 5)) == 2)
    }
}
