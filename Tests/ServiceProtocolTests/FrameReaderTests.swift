import HoldfastServiceProtocol
import HoldfastWire
import Testing

struct FrameReaderTests {
    static let frames = [
        Frame(type: .run, payload: [1, 2, 3]), Frame(type: .end, payload: []),
        Frame(type: .output, flags: FrameHeader.requestAck, payload: Bytes(repeating: 7, count: 300)),
        Frame(type: MessageType(rawValue: 0xFC01), flags: 3, payload: [9]),
    ]
    static let stream: [UInt8] = frames.reduce(into: []) { buffer, frame in
        writeFrame(type: frame.type, flags: frame.flags, payload: frame.payload, into: &buffer)
    }

    private func read(_ chunks: [Bytes], limit: Int = 1000) throws -> [Frame] {
        var reader = FrameReader(limit: limit)
        var frames: [Frame] = []
        for chunk in chunks {
            reader.append(chunk)
            while let frame = try reader.next() { frames.append(frame) }
        }
        #expect(reader.isBetweenFrames)
        return frames
    }

    @Test func `a header is type, flags and length in network byte order`() {
        #expect(Self.stream.prefix(8).elementsEqual([0x04, 0x11, 0, 0, 0, 0, 0, 3]))
        #expect(Self.stream[19...].prefix(8).elementsEqual([0x04, 0x01, 0x80, 0, 0, 0, 1, 44]))
        let header = FrameHeader(bytes: Self.stream[19..<27])
        #expect(header == FrameHeader(type: .output, flags: 0x8000, length: 300))
        #expect(FrameHeader(bytes: Self.stream[19..<26]) == nil)
    }

    @Test func `frames of one chunk are slices of it`() throws {
        let chunk = Self.stream[...]
        let frames = try read([chunk])
        #expect(frames == Self.frames)
        // A slice of the chunk keeps the chunk's indexes.
        #expect(frames[0].payload.startIndex == 8)
        #expect(frames[2].payload.startIndex == 27)
        #expect(frames.map(\.requestsAck) == [false, false, true, false])
    }

    @Test func `a stream cut in two anywhere is read the same`() throws {
        for cut in 0...Self.stream.count {
            #expect(try read([Self.stream[..<cut], Self.stream[cut...]]) == Self.frames, "cut at \(cut)")
        }
    }

    @Test(arguments: 1...9) func `a stream in small pieces is read the same`(size: Int) throws {
        let chunks = stride(from: 0, to: Self.stream.count, by: size).map { start in
            Self.stream[start..<min(start + size, Self.stream.count)]
        }
        #expect(try read(chunks) == Self.frames)
    }

    @Test func `chunks that were appended before anything is read are read in order`() throws {
        for (first, second) in [(3, 5), (8, 30), (12, 14), (100, 101), (0, 0)] {
            var reader = FrameReader(limit: 1000)
            reader.append(Self.stream[..<first])
            reader.append(Self.stream[first..<second])
            reader.append(Self.stream[second...])
            var frames: [Frame] = []
            while let frame = try reader.next() { frames.append(frame) }
            #expect(frames == Self.frames)
            #expect(reader.isBetweenFrames)
        }
    }

    @Test func `a stream may end between frames only`() throws {
        for end in 0...Self.stream.count {
            var reader = FrameReader(limit: 1000)
            reader.append(Self.stream[..<end])
            while try reader.next() != nil {}
            #expect(reader.isBetweenFrames == [0, 11, 19, 327, 336].contains(end), "\(end) bytes")
        }
    }

    @Test func `a frame above the limit is refused by its header, for good`() throws {
        #expect(try read([Self.stream[...]], limit: 300) == Self.frames)
        var reader = FrameReader(limit: 299)
        reader.append(Self.stream[..<27])
        #expect(try reader.next() == Self.frames[0])
        #expect(try reader.next() == Self.frames[1])
        for _ in 0..<2 {
            let error = #expect(throws: ProtocolError.self) { _ = try reader.next() }
            #expect(error?.code == .messageTooLarge)
            #expect(error?.message == "message Output has 300 bytes; the limit is 299 bytes (message-size-limit)")
            reader.append(Self.stream[...])
        }
        #expect(!reader.isBetweenFrames)
    }

    @Test func `a promised length costs no memory before it arrives`() throws {
        var reader = FrameReader(limit: Int(UInt32.max))
        reader.append([0x04, 0x01, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3])
        #expect(try reader.next() == nil)
        reader.append([4])
        #expect(try reader.next() == nil)
    }

    @Test func `a message is framed in place`() {
        var buffer: [UInt8] = [0xAA]
        writeFrame(RunCommand(resultCompletionID: 6, name: "step"), flags: FrameHeader.requestAck, into: &buffer)
        #expect(buffer.hex == "aa" + "0411800000000008" + "5806620473746570")
    }

    @Test func `random pieces of a random stream are read the same`() throws {
        var random = FastRandom(seed: 11)
        for _ in 0..<200 {
            let frames = (0..<Int(random.next() % 8)).map { _ in
                Frame(
                    type: MessageType(rawValue: UInt16(truncatingIfNeeded: random.next())),
                    flags: UInt16(truncatingIfNeeded: random.next()),
                    payload: Bytes((0..<Int(random.next() % 50)).map { _ in UInt8(truncatingIfNeeded: random.next()) }))
            }
            var stream: [UInt8] = []
            for frame in frames {
                writeFrame(type: frame.type, flags: frame.flags, payload: frame.payload, into: &stream)
            }
            var chunks: [Bytes] = []
            var rest = stream[...]
            while !rest.isEmpty {
                let size = Int(random.next() % 30)
                chunks.append(rest.prefix(size))
                rest = rest.dropFirst(size)
            }
            #expect(try read(chunks) == frames)
        }
    }
}
