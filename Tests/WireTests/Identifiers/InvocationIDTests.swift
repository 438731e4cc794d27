import HoldfastWire
import Testing

struct InvocationIDTests {
    static let known: [(text: String, partitionKey: UInt64, uuid: UInt128?)] = [
        ("inv_1fmRNvSNVxNp2O9FJ1OlOzP5ytGEhn0IsV", 0x43c5_171a_2ba4_02b3, 0x0191d0f0_a1b2c3d4_e5f60718_293a4b5c),
        ("inv_1fmRNvSNVxNp0QGHxdcBOYZTbVbvHUMuQh", 0x43c5_171a_2ba4_02b3, nil),
        ("inv_19maBIcE9uRD2cN79SYc6Ef1KldA21IG1H", 0xada5_d6d1_8165_fe6c, nil),
        ("inv_1aiqX0vFEFNH1Umgre58JiCLgHfTtztYK5", 0x9ddd_3f37_ac7d_f077, 0x018ee70d_4997d029_7898bd5c_976db93e),
    ]

    @Test(arguments: known) func `the text form of a known id is read and written`(
        id: (text: String, partitionKey: UInt64, uuid: UInt128?)
    ) throws {
        let read = try InvocationID(text: id.text)
        #expect(read.partitionKey == id.partitionKey)
        if let uuid = id.uuid { #expect(read.uuid == uuid) }
        #expect(read.description == id.text)
    }

    @Test func `the stored form is the partition key and the uuid in network byte order`() throws {
        let id = InvocationID(partitionKey: 0x43c5_171a_2ba4_02b3, uuid: 0x0191d0f0_a1b2c3d4_e5f60718_293a4b5c)
        #expect(id.bytes.hex == "43c5171a2ba402b30191d0f0a1b2c3d4e5f60718293a4b5c")
        #expect(InvocationID(bytes: id.bytes[...]) == id)
        #expect(InvocationID(bytes: ([0] + id.bytes)[1...]) == id, "slices need not begin at 0")
        #expect(InvocationID(bytes: id.bytes.dropLast()) == nil)
        #expect(InvocationID(bytes: (id.bytes + [0])[...]) == nil)
    }

    @Test(arguments: [
        ("", "bad length"),
        ("inv_1abc", "bad length"),
        ("inv_", "bad length"),
        ("inv_1", "bad length"),
        ("inv_1fmRNvSNVxNp2O9FJ1OlOzP5ytGEhn0IsVx", "bad length"),
        ("foo", "bad format"),
        ("inv1fmRNvSNVxNp2O9FJ1OlOzP5ytGEhn0IsV", "bad format"),
        ("xyz_1fmRNvSNVxNp2O9FJ1OlOzP5ytGEhn0IsV", "unrecognized resource type: xyz"),
        ("INV_1fmRNvSNVxNp2O9FJ1OlOzP5ytGEhn0IsV", "unrecognized resource type: INV"),
        ("_1fmRNvSNVxNp2O9FJ1OlOzP5ytGEhn0IsV", "unrecognized resource type: "),
        ("dp_11nGQpCRmau6ypL82KH2TnP", "id doesn't match the expected type"),
        ("inv_2fmRNvSNVxNp2O9FJ1OlOzP5ytGEhn0IsV", "unrecognized codec version"),
        ("inv_1fmRNvSNVx-p2O9FJ1OlOzP5ytGEhn0IsV", "base62 decode error"),
        ("inv_1ZZZZZZZZZZZ2O9FJ1OlOzP5ytGEhn0IsV", "base62 decode error"),
        ("inv_1fmRNvSNVxNpZZZZZZZZZZZZZZZZZZZZZZ", "base62 decode error"),
        ("inv_1fmRNvSNVxNp2O9FJ1OlOzP5ytGEhn0Ié", "base62 decode error"),
    ]) func `a text that is no id is refused with the text clients know`(text: String, message: String) {
        let error = #expect(throws: IdentifierError.self) { _ = try InvocationID(text: text) }
        #expect(error?.message == message)
    }

    @Test func `ids sort as their stored form`() {
        var random = FastRandom(seed: 1)
        let ids = (0..<200).map { _ in
            InvocationID(partitionKey: random.next() % 4, uuid: UInt128(random.next()) << 64 | UInt128(random.next()))
        }
        let byBytes = ids.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
        #expect(ids.sorted() == byBytes)
    }
}

struct OtherIdentifierTests {
    @Test(arguments: [
        ("dp_11nGQpCRmau6ypL82KH2TnP", 0x019441f1_be4f1515_34e91b9a_2173692d as UInt128),
        ("dp_14LsPzGz9HBxXIeBoH5wYUh", 0x018ee708_9fc5c56a_602234f3_f5db949c),
    ]) func `a known deployment id is read and written`(text: String, value: UInt128) throws {
        let id = try DeploymentID(text: text)
        #expect(id.value == value)
        #expect(id.description == text)
        #expect(DeploymentID(bytes: id.bytes[...]) == id)
        #expect(DeploymentID(bytes: []) == nil)
    }

    @Test func `a known subscription id is read and written`() throws {
        let id = try SubscriptionID(text: "sub_11XHoawrCiWtv8kzhEyGtsR")
        #expect(id.value == 0x018f0f76_57e9ca15_27fb1189_59a77e40)
        #expect(id.description == "sub_11XHoawrCiWtv8kzhEyGtsR")
        #expect(SubscriptionID(bytes: id.bytes[...]) == id)
    }

    @Test(arguments: [
        ("dp_1", "bad length"), ("dp_11nGQpCRmau6ypL82KH2Tn", "bad length"),
        ("dp_11nGQpCRmau6ypL82KH2TnP0", "bad length"), ("dp", "bad format"),
        ("sub_11XHoawrCiWtv8kzhEyGtsR", "id doesn't match the expected type"),
        ("snap_13yBpep1H1jKGAzHhqkmCyt", "id doesn't match the expected type"),
        ("dp_21nGQpCRmau6ypL82KH2TnP", "unrecognized codec version"),
        ("dp_11nGQpCRmau6ypL82KH2Tn!", "base62 decode error"),
    ]) func `a text that is no deployment id is refused`(text: String, message: String) {
        let error = #expect(throws: IdentifierError.self) { _ = try DeploymentID(text: text) }
        #expect(error?.message == message)
    }

    @Test func `every number of 128 bits survives its text`() throws {
        var random = FastRandom(seed: 2)
        var numbers: [UInt128] = [0, 1, 61, 62, .max, .max - 1, 1 << 64, UInt128(UInt64.max)]
        for _ in 0..<2000 {
            let number = UInt128(random.next()) << 64 | UInt128(random.next())
            numbers.append(number >> UInt128(random.next() % 128))
        }
        for number in numbers {
            #expect(try DeploymentID(text: DeploymentID(number).description).value == number)
            let id = InvocationID(partitionKey: UInt64(truncatingIfNeeded: number), uuid: number)
            #expect(try InvocationID(text: id.description) == id)
        }
    }

    @Test func `a ULID holds its moment and prints in Crockford's base 32`() {
        let ulid = ULID(timestamp: Timestamp(millis: 0x018e_e70d_4997), random: (0xd029, 0x7898_bd5c_976d_b93e))
        #expect(ulid.value == 0x018ee70d_4997d029_7898bd5c_976db93e)
        #expect(ulid.timestamp.millis == 1_713_273_391_511)
        #expect(ULID(0).description == "00000000000000000000000000")
        #expect(ULID(.max).description == "7ZZZZZZZZZZZZZZZZZZZZZZZZZ")
        #expect(ULID(1 << 80).description == "00000000010000000000000000")
        #expect(ULID(timestamp: .distantFuture, random: (0, 0)).timestamp.millis == 0xFFFF_FFFF_FFFF)
    }
}
