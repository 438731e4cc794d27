import Foundation
import HoldfastWire

/// Files beside the tests.
enum FileBytes {
    /// The content of a file below `Tests/RuntimeTests`.
    static func read(_ path: String, from file: String = #filePath) -> Bytes? {
        let folder = URL(filePath: file).deletingLastPathComponent().deletingLastPathComponent()
        return (try? Data(contentsOf: folder.appending(path: path))).map { Bytes($0) }
    }
}
