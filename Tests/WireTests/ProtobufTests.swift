import HoldfastWire
import Testing

struct ProtobufTests {
    static func fields(_ hex: String) throws -> [String] {
        var reader = ProtobufReader(try #require(Bytes(hex: hex)))
        var fields: [String] = []
        while let field = try reader.next() {
            switch field.value {
            case .varint(let number): fields.append("\(field.number)=\(number)")
            case .fixed64(let number): fields.append("\(field.number)=\(number)u64")
            case .fixed32(let number): fields.append("\(field.number)=\(number)u32")
            case .bytes(let bytes): fields.append("\(field.number)=\(bytes.hex)")
            }
        }
        return fields
    }

    @Test func `fields come in their order`() throws {
        #expect(try Self.fields("") == [])
        #expect(try Self.fields("089601") == ["1=150"])
        #expect(try Self.fields("620374776f 5800".filter { $0 != " " }) == ["12=74776f", "11=0"])
        #expect(try Self.fields("1d01000000 110200000000000000".filter { $0 != " " }) == ["3=1u32", "2=2u64"])
        #expect(try Self.fields("08ffffffffffffffffff01") == ["1=18446744073709551615"])
        #expect(try Self.fields("08808080808000") == ["1=0"], "a varint may be longer than it has to be")
        #expect(try Self.fields("f8ffffff0f01") == ["536870911=1"])
    }

    @Test(arguments: [
        ("08", "a varint is cut off by the end of the message"),
        ("0880", "a varint is cut off by the end of the message"),
        ("80", "a varint is cut off by the end of the message"),
        ("08ffffffffffffffffff02", "a varint is longer than 64 bits"),
        ("0880808080808080808080800100", "a varint is longer than 64 bits"),
        ("0001", "a field has number 0"),
        ("8080808010", "a field number is above 536870911"),
        ("0a0261", "field 1 is cut off by the end of the message"),
        ("0affffffffffffffffff01", "field 1 is cut off by the end of the message"),
        ("0d010203", "field 1 is cut off by the end of the message"),
        ("0901", "field 1 is cut off by the end of the message"),
        ("0b0c", "field 1 has wire type 3, which this protocol does not use"),
        ("0c", "field 1 has wire type 4, which this protocol does not use"),
        ("0e", "field 1 has wire type 6, which this protocol does not use"),
    ]) func `what is no message is refused`(hex: String, what: String) {
        do {
            let fields = try Self.fields(hex)
            Issue.record("read \(fields)")
        } catch { #expect((error as? WireError)?.what == what) }
    }

    @Test func `a value of another type than the field's is refused`() throws {
        var number = ProtobufReader([0x08, 0x01])
        let field = try #require(try number.next())
        #expect(try field.u32 == 1)
        #expect(throws: WireError(what: "field 1 is a number where a sequence of bytes is expected")) {
            _ = try field.string
        }
        var text = ProtobufReader([0x12, 0x01, 0xFF])
        let other = try #require(try text.next())
        #expect(throws: WireError(what: "field 2 is not valid UTF-8")) { _ = try other.string }
        #expect(throws: WireError(what: "field 2 is a sequence of bytes where a number is expected")) {
            _ = try other.u64
        }
    }

    @Test func `repeated numbers are read packed, unpacked and mixed`() throws {
        var reader = ProtobufReader(try #require(Bytes(hex: "0801" + "0a03029601" + "0803")))
        var numbers: [UInt32] = []
        while let field = try reader.next() { try field.appendU32(to: &numbers) }
        #expect(numbers == [1, 2, 150, 3])

        var cut = ProtobufReader([0x0a, 0x02, 0x01, 0x80])
        let field = try #require(try cut.next())
        #expect(throws: WireError.self) { try field.appendU32(to: &numbers) }
    }

    @Test func `default values are left out, unless they are optional`() {
        var writer = ProtobufWriter()
        writer.number(1, 0 as UInt32)
        writer.string(2, "")
        writer.bytes(3, [])
        writer.bool(4, false)
        writer.packed(5, [] as [UInt32])
        writer.string(6, optional: nil)
        #expect(writer.bytes == [])
        writer.number(1, optional: 0 as UInt32)
        writer.string(2, optional: "")
        writer.value(5, [])
        writer.empty(4)
        #expect(writer.bytes.hex == "0800" + "1200" + "2a00" + "2200")
    }

    @Test func `a nested message has its length whatever its size`() throws {
        for count in [0, 1, 125, 126, 127, 128, 129, 16_380, 16_381, 16_382, 16_383, 16_384, 2_097_152] {
            let content = Bytes(repeating: 7, count: count)
            var writer = ProtobufWriter()
            writer.message(9) { $0.bytes(1, content) }
            writer.number(1, 5 as UInt32)
            var direct = ProtobufWriter()
            direct.value(9, content)
            direct.number(1, 5 as UInt32)
            #expect(writer.bytes == direct.bytes, "\(count) bytes")

            var reader = ProtobufReader(writer.bytes[...])
            var inner = ProtobufReader(try #require(try reader.next()).bytes)
            if count > 0 { #expect(try inner.next()?.bytes == content) }
            #expect(try inner.next() == nil)
            #expect(try reader.next()?.u32 == 5)
        }
    }

    @Test func `the size of a varint is the number of its bytes`() {
        for bits in 0..<64 as Range<UInt64> {
            for value in [1 << bits, (1 << bits) &- 1, 1 << bits | 1] as [UInt64] {
                var writer = ProtobufWriter()
                writer.number(1, optional: value)
                #expect(writer.bytes.count == 1 + ProtobufWriter.size(ofVarint: value), "\(value)")
            }
        }
    }

    @Test func `appending to a buffer keeps what is in it`() {
        var buffer: [UInt8] = [1, 2]
        ProtobufWriter.append(to: &buffer) { $0.string(1, "x") }
        #expect(buffer == [1, 2, 0x0a, 0x01, 0x78])
    }

    @Test func `no input traps`() {
        var random = FastRandom(seed: 4)
        var (read, refused) = (0, 0)
        for _ in 0..<20_000 {
            let bytes = (0..<Int(random.next() % 40)).map { _ in
                // Small numbers make plausible tags and lengths.
                UInt8(truncatingIfNeeded: random.next() % 3 == 0 ? random.next() : random.next() % 40)
            }
            var reader = ProtobufReader(bytes.dropFirst(Int(random.next() % 4)))
            do {
                while let field = try reader.next() {
                    var numbers: [UInt32] = []
                    try? field.appendU32(to: &numbers)
                    _ = try? field.string
                }
                read += 1
            } catch { refused += 1 }
        }
        #expect(read > 1000 && refused > 1000, "the sample has both kinds")
    }
}
