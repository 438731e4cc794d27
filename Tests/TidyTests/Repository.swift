import Glibc

/// The files of this repository, as the tests of its own rules read them.
struct Repository {
    struct File {
        /// From the top of the repository: `Sources/Engine/Partition.swift`.
        let path: String
        let text: String

        var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }

        /// The folder below `Sources` that it belongs to: `Engine`.
        var layer: String? {
            let parts = path.split(separator: "/")
            return parts.count > 2 && parts[0] == "Sources" ? String(parts[1]) : nil
        }

        /// The lines without comments and without the contents of string literals, so that words are searched in code only.
        var code: [String] {
            var isInBlock = false
            return lines.map { line in
                if line.contains("\"\"\"") { isInBlock.toggle() }
                return isInBlock ? "" : Self.withoutText(line)
            }
        }

        private static func withoutText(_ line: Substring) -> String {
            var result = ""
            var isInString = false
            var previous: Character = " "
            for character in line {
                if character == "\"", previous != "\\" { isInString.toggle() }
                if !isInString {
                    if character == "/", previous == "/" { return String(result.dropLast()) }
                    result.append(character)
                }
                previous = character
            }
            return result
        }
    }

    static let root: String = {
        var parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
        parts.removeLast(3)
        return parts.joined(separator: "/")
    }()

    /// All Swift files of the program.
    static let sources: [File] = files(in: "Sources", suffix: ".swift")
    /// All Swift files of the tests.
    static let tests: [File] = files(in: "Tests", suffix: ".swift")

    static func read(_ path: String) -> String? {
        guard let file = fopen("\(root)/\(path)", "r") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&chunk, 1, chunk.count, file)
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += chunk[..<count]
        }
    }

    static func files(in folder: String, suffix: String) -> [File] {
        guard let directory = opendir("\(root)/\(folder)") else { return [] }
        defer { closedir(directory) }
        var found: [File] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard !name.hasPrefix(".") else { continue }
            let path = "\(folder)/\(name)"
            if entry.pointee.d_type == UInt8(DT_DIR) {
                found += files(in: path, suffix: suffix)
            } else if name.hasSuffix(suffix), let text = read(path) {
                found.append(File(path: path, text: text))
            }
        }
        return found.sorted { $0.path < $1.path }
    }
}
