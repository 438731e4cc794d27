import HoldfastServiceProtocol
import HoldfastWire
import Testing

struct RecordedFrameTests {
    @Test(arguments: Fixtures.sdks) func `every recorded frame decodes to its recorded fields`(sdk: String) throws {
        let frames = try Fixtures.frames(of: sdk)
        #expect(frames.count > 100)
        for frame in frames {
            let message = try AnyMessage(type: frame.type, version: frame.version, payload: frame.payload)
            let fields = message.fields(version: frame.version)
            #expect(
                recorded(fields).sorted == frame.fields.sorted, "\(frame.type) \(frame.payload.hex)")
        }
    }

    @Test(arguments: Fixtures.sdks) func `every recorded frame survives being written again`(sdk: String) throws {
        for frame in try Fixtures.frames(of: sdk) {
            let message = try AnyMessage(type: frame.type, version: frame.version, payload: frame.payload)
            let payload = message.payload(version: frame.version)
            let again = try AnyMessage(type: frame.type, version: frame.version, payload: payload)
            if frame.type == .suspension, frame.version < .v7 {
                #expect(leaves(again) == leaves(message))
            } else {
                #expect(again == message)
                // The engine's own messages come out byte for byte, as do those of all SDKs.
                #expect(payload.hex == frame.payload.hex, "\(frame.type)")
            }
        }
    }

    @Test(arguments: Fixtures.sdks) func `types are known and sent by who may send them`(sdk: String) throws {
        for frame in try Fixtures.frames(of: sdk) {
            let row = try #require(frame.type.row)
            #expect(row.since <= frame.version)
            #expect(row.sender == .either || row.sender == (frame.isFromSDK ? .sdk : .engine), "\(row.name)")
            #expect(frame.flags == (frame.type == .proposeRunCompletion && frame.version == .v7 ? 0x8000 : 0))
        }
    }

    @Test(arguments: Fixtures.sdks) func `recorded seeds follow from the recorded ids`(sdk: String) throws {
        for frame in try Fixtures.frames(of: sdk) where frame.type == .start {
            let message = try StartMessage(decoding: frame.payload)
            #expect(message.debugID == message.id.description)
            #expect(message.randomSeed == randomSeed(of: message.id))
        }
    }

    @Test(arguments: Fixtures.sdks) func `a stream of all recorded frames is cut as it was`(sdk: String) throws {
        let frames = try Fixtures.frames(of: sdk)
        var stream: [UInt8] = []
        for frame in frames { writeFrame(type: frame.type, flags: frame.flags, payload: frame.payload, into: &stream) }
        var reader = FrameReader(limit: 1000)
        var count = 0
        for start in stride(from: 0, to: stream.count, by: 777) {
            reader.append(stream[start..<min(start + 777, stream.count)])
            while let read = try reader.next() {
                #expect(
                    read == Frame(type: frames[count].type, flags: frames[count].flags, payload: frames[count].payload))
                count += 1
            }
        }
        #expect(count == frames.count)
    }

    private func leaves(_ message: AnyMessage) -> Set<Notification.ID> {
        guard case .suspension(let suspension) = message else { return [] }
        return Set(suspension.awaitingOn.leaves)
    }

    /// The fields as recordings give them: long values by their hash, lists of one element as that element, unless they
    /// are packed numbers.
    private func recorded(_ fields: JSON) -> JSON {
        switch fields {
        case .string(let text) where text.utf8.count > 200:
            ["length": JSON(text.utf8.count), "hash": .string(String(sha256(Bytes(utf8: text)).hex.prefix(32)))]
        case .array(let elements) where elements.count == 1 && elements[0].int == nil: recorded(elements[0])
        case .array(let elements): .array(elements.map(recorded))
        case .object(let members): .object(members.map { .init($0.key, recorded($0.value)) })
        default: fields
        }
    }
}
