import Foundation
import Testing

/// The scripts of `Scripts/`: commands, a line of dashes, the actions that they released.
///
/// `GOLDEN=1 swift test --filter ConversationTests` writes what came into the scripts; the difference is for review.
struct ConversationTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Scripts")

    static let scripts: [String] = {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path())) ?? []
        return names.filter { $0.hasSuffix(".txt") }.sorted()
    }()

    @Test func `there are scripts`() {
        #expect(Self.scripts.count >= 10)
    }

    @Test(arguments: scripts) func `a script's commands release the actions below its line`(script: String) throws {
        let file = Self.folder.appending(path: script)
        let text = try String(contentsOf: file, encoding: .utf8)
        let world = try World()
        var written: [String] = []
        for block in text.split(separator: "\n\n", omittingEmptySubsequences: true) {
            let lines = block.split(separator: "\n", omittingEmptySubsequences: true).map(String.init)
            let input = lines.prefix { $0 != "----" }
            let commands = input.filter { !$0.hasPrefix("#") }
            guard !commands.isEmpty else {
                written.append(input.joined(separator: "\n"))
                continue
            }
            let expected = Array(lines.dropFirst(input.count + 1))
            let released = try world.run(commands)
            written.append((input + ["----"] + released).joined(separator: "\n"))
            if ProcessInfo.processInfo.environment["GOLDEN"] == nil {
                let place = "\(script), behind: \(commands.last ?? "")"
                #expect(released.joined(separator: "\n") == expected.joined(separator: "\n"), "\(place)")
            }
        }
        if ProcessInfo.processInfo.environment["GOLDEN"] != nil {
            try (written.joined(separator: "\n\n") + "\n").write(to: file, atomically: true, encoding: .utf8)
        }
    }
}
