import Testing

/// The rules of the house that a machine can check.
struct StyleTests {
    private static let fileLimit = 600
    private static let functionLimit = 70

    /// A file or function may be longer for a reason that stands at the top of the file, in a comment with these words.
    private func hasReason(_ file: Repository.File) -> Bool {
        file.lines.prefix(8).contains { $0.hasPrefix("//") && $0.contains("Long because") }
    }

    @Test func `files end before they get long`() {
        for file in Repository.sources + Repository.tests where file.lines.count > Self.fileLimit && !hasReason(file) {
            Issue.record("\(file.path) has \(file.lines.count) lines; \(Self.fileLimit) are enough")
        }
    }

    @Test func `functions end before they get long`() {
        for file in Repository.sources where !hasReason(file) {
            for function in functions(of: file) where function.count > Self.functionLimit {
                Issue.record("\(file.path):\(function.line) has a function of \(function.count) lines")
            }
        }
    }

    @Test func `nothing traps on purpose but a precondition`() {
        let banned = ["try!", "as!", "fatalError(", "assertionFailure(", "-Ounchecked"]
        for file in Repository.sources {
            for (number, line) in file.code.enumerated() {
                for word in banned where line.contains(word) {
                    Issue.record("\(file.path):\(number + 1) uses \(word)")
                }
            }
        }
    }

    @Test func `what steps around the compiler's proofs is said to be right`() {
        for file in Repository.sources {
            let lines = file.lines
            for (number, line) in file.code.enumerated()
            where line.contains("@unchecked Sendable") || line.contains("nonisolated(unsafe)") {
                let above = lines[max(0, number - 12)..<number]
                if !above.contains(where: { $0.drop { $0 == " " }.hasPrefix("//") }) {
                    Issue.record("\(file.path):\(number + 1) claims safety without a comment that proves it")
                }
            }
        }
    }

    @Test func `there is no work left in comments`() {
        for file in Repository.sources + Repository.tests where !file.path.hasPrefix("Tests/TidyTests") {
            for (number, line) in file.lines.enumerated() {
                for word in ["TODO", "FIXME", "XXX"] where words(of: String(line)).contains(word) {
                    Issue.record("\(file.path):\(number + 1) says \(word); docs/roadmap.md is the place")
                }
            }
        }
    }

    @Test func `types are named for what they are`() {
        let empty = ["Manager", "Helper", "Helpers", "Utils", "Util"]
        for file in Repository.sources {
            for (number, line) in file.code.enumerated() {
                let parts = line.split(separator: " ").map(String.init)
                guard
                    let index = parts.firstIndex(where: {
                        ["struct", "class", "enum", "actor", "protocol"].contains($0)
                    }),
                    index + 1 < parts.count
                else { continue }
                let name = String(parts[index + 1].prefix { $0.isLetter || $0.isNumber })
                for word in empty where name.hasSuffix(word) {
                    Issue.record("\(file.path):\(number + 1) names a type \(name)")
                }
            }
        }
    }

    @Test func `every test's name is a sentence`() {
        for file in Repository.tests {
            let code = file.lines
            for (number, line) in code.enumerated() {
                guard let start = line.range(of: " func `")?.upperBound, let end = line[start...].firstIndex(of: "`")
                else {
                    continue
                }
                let name = line[start..<end]
                if name.split(separator: " ").count < 3 {
                    Issue.record("\(file.path):\(number + 1): '\(name)' says little")
                }
            }
        }
    }

    /// Where functions begin, and how many lines they have; by their indentation, which the formatter guarantees.
    private func functions(of file: Repository.File) -> [(line: Int, count: Int)] {
        var found: [(line: Int, count: Int)] = []
        let lines = file.lines
        for (start, line) in lines.enumerated() {
            let indentation = line.prefix { $0 == " " }.count
            let parts = line.split(separator: " ")
            guard parts.contains("func") || parts.contains(where: { $0.hasPrefix("init(") }), !line.contains("///"),
                !line.drop(while: { $0 == " " }).hasPrefix("//")
            else { continue }
            let closing = String(repeating: " ", count: indentation) + "}"
            guard let end = lines[start...].firstIndex(where: { $0 == closing }) else { continue }
            if line.hasSuffix("}") { continue }
            found.append((start + 1, end - start + 1))
        }
        return found
    }
}

extension Substring {
    /// Where `part` stands first.
    fileprivate func range(of part: String) -> Range<Index>? {
        ranges(of: part).first
    }
}
