import Foundation
import HoldfastServiceProtocol
import HoldfastWire

/// A frame that was recorded between an existing server and an SDK.
struct RecordedFrame {
    let version: ProtocolVersion
    let isFromSDK: Bool
    let type: MessageType
    let flags: UInt16
    let payload: Bytes
    let fields: JSON
}

enum Fixtures {
    static let sdks = ["go-1.2.0", "java-2.4.0", "python-1.3.0", "rust-0.13.0", "typescript-1.17.2"]
    /// The folder of these tests.
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()

    struct Unreadable: Error { let line: String }

    static func frames(of sdk: String) throws -> [RecordedFrame] {
        let file = folder.appending(path: "Fixtures/Frames/\(sdk).jsonl")
        return try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map { try frame(String($0)) }
    }

    static func manifest(of sdk: String) throws -> Bytes {
        Bytes(try Data(contentsOf: folder.appending(path: "Fixtures/Manifests/\(sdk).json")))
    }

    /// Reads a line of a recording, or of the reference.
    static func frame(_ line: String) throws -> RecordedFrame {
        let json = try JSON(parsing: line)
        guard let version = json["version"]?.uint.flatMap({ ProtocolVersion(rawValue: UInt8($0)) }),
            let type = json["type"]?.uint, let payload = json["payload"]?.string.flatMap({ Bytes(hex: $0) }),
            let fields = json["fields"]
        else { throw Unreadable(line: line) }
        return RecordedFrame(
            version: version, isFromSDK: json["from"]?.string == "sdk", type: MessageType(rawValue: UInt16(type)),
            flags: UInt16(json["flags"]?.uint ?? 0), payload: payload, fields: fields)
    }
}
