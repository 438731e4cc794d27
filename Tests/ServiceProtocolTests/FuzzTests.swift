import HoldfastServiceProtocol
import HoldfastWire
import Testing

/// Whatever a peer sends is decoded or refused. A trap would end this process, which is the failure.
struct FuzzTests {
    private static let types = MessageType.all.map(\.type) + [MessageType(rawValue: 0x8888)]

    /// Decodes, and holds what is decoded to its word: it survives being written.
    private func decode(_ type: MessageType, _ version: ProtocolVersion, _ payload: Bytes) -> Bool {
        guard let message = try? AnyMessage(type: type, version: version, payload: payload) else { return false }
        let written = message.payload(version: version)
        let again = try? AnyMessage(type: type, version: version, payload: written)
        if type == .suspension, version < .v7 { return again != nil }
        if case .start(var start) = message, version < .v7 {
            (start.scope, start.limitKey, start.idempotencyKey) = (nil, nil, nil)
            #expect(again == .start(start))
        } else {
            #expect(again == message, "\(type) \(payload.hex)")
        }
        return true
    }

    @Test func `random bytes are decoded or refused`() {
        var random = FastRandom(seed: 31)
        var decoded = 0
        for _ in 0..<20_000 {
            let type = Self.types[Int(random.next() % UInt64(Self.types.count))]
            let version = ProtocolVersion.allCases[Int(random.next() % 3)]
            let bytes = (0..<Int(random.next() % 30)).map { _ in
                UInt8(truncatingIfNeeded: random.next() % 4 == 0 ? random.next() : random.next() % 0x80)
            }
            if decode(type, version, bytes.dropFirst(Int(random.next() % 3))) { decoded += 1 }
        }
        #expect(decoded > 200, "some of the sample are messages")
    }

    @Test(arguments: Fixtures.sdks) func `recorded frames that are cut or changed are decoded or refused`(
        sdk: String
    ) throws {
        var random = FastRandom(seed: 32)
        var (decoded, refused) = (0, 0)
        for frame in try Fixtures.frames(of: sdk) {
            for _ in 0..<20 {
                var bytes = Array(frame.payload)
                switch random.next() % 4 {
                case 0: bytes.removeLast(Int(random.next() % UInt64(bytes.count + 1)))
                case 1 where !bytes.isEmpty:
                    bytes[Int(random.next() % UInt64(bytes.count))] ^= 1 << UInt8(random.next() % 8)
                case 2 where !bytes.isEmpty:
                    bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
                default:
                    bytes.insert(
                        UInt8(truncatingIfNeeded: random.next()), at: Int(random.next() % UInt64(bytes.count + 1)))
                }
                if decode(frame.type, frame.version, bytes[...]) { decoded += 1 } else { refused += 1 }
            }
        }
        #expect(decoded > 100 && refused > 100, "the sample has both kinds")
    }

    @Test(arguments: Fixtures.sdks) func `changed streams of frames are cut or refused`(sdk: String) throws {
        var random = FastRandom(seed: 33)
        var stream: [UInt8] = []
        for frame in try Fixtures.frames(of: sdk).prefix(40) {
            writeFrame(type: frame.type, payload: frame.payload, into: &stream)
        }
        for _ in 0..<200 {
            var bytes = stream
            for _ in 0..<3 {
                bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
            }
            var reader = FrameReader(limit: 100_000)
            var total = 0
            var rest = bytes[...]
            while !rest.isEmpty {
                let size = Int(random.next() % 2000)
                reader.append(rest.prefix(size))
                rest = rest.dropFirst(size)
                while let frame = try? reader.next() { total += FrameHeader.size + frame.payload.count }
            }
            #expect(total <= bytes.count)
        }
    }

    @Test(arguments: Fixtures.sdks) func `changed manifests are read or refused`(sdk: String) throws {
        var random = FastRandom(seed: 34)
        let original = Array(try Fixtures.manifest(of: sdk))
        var read = 0
        for _ in 0..<500 {
            var bytes = original
            bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next() % 128)
            let manifest = try? Manifest(
                response: bytes[...], contentType: Manifest.mediaTypes.last, transport: .duplex)
            guard let manifest else { continue }
            try? manifest.check()
            read += 1
        }
        #expect((20...480).contains(read), "the sample has both kinds")
    }
}
