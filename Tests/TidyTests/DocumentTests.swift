import Testing

@testable import HoldfastRuntime

/// What documents claim, held against the program.
struct DocumentTests {
    @Test func `docs configuration lists exactly the options that there are`() throws {
        let text = try #require(Repository.read("docs/configuration.md"))
        #expect(text.contains(Configuration.optionsTable), "the table is not the program's: run `make docs`")
    }

    @Test func `docs errors lists exactly the codes that the program uses`() throws {
        let text = try #require(Repository.read("docs/errors.md"))
        let documented = Set(
            text.split(separator: "\n").compactMap { line -> String? in
                guard line.hasPrefix("| `") else { return nil }
                return String(line.dropFirst(3).prefix { $0 != "`" })
            })
        var used: Set<String> = []
        for file in Repository.sources {
            for line in file.lines where !line.drop(while: { $0 == " " }).hasPrefix("//") {
                used.formUnion(codes(in: line))
            }
        }
        for code in used.subtracting(documented).sorted() { Issue.record("docs/errors.md does not explain \(code)") }
        for code in documented.subtracting(used).sorted() {
            Issue.record("docs/errors.md explains \(code), which is never used")
        }
    }

    /// Words such as `RT0003` and `META0006`.
    private func codes(in line: Substring) -> [String] {
        words(of: String(line)).filter { word in
            let digits = word.drop { $0.isLetter }
            let letters = word.prefix { $0.isLetter }
            return digits.count == 4 && digits.allSatisfy(\.isNumber) && ["RT", "META"].contains(String(letters))
        }
    }

    @Test func `documents name only make targets that there are`() throws {
        let makefile = try #require(Repository.read("Makefile"))
        let targets = Set(
            makefile.split(separator: "\n").compactMap { line -> String? in
                guard let colon = line.firstIndex(of: ":"), line.first?.isLetter == true else { return nil }
                return String(line[..<colon])
            })
        for path in ["README.md", "docs/architecture.md", "docs/roadmap.md", "Examples/signup-python/README.md"] {
            let text = try #require(Repository.read(path), "\(path) is missing")
            for part in text.split(separator: "`") where part.hasPrefix("make ") && !part.contains("\n") {
                let target = String(part.dropFirst(5).prefix { $0.isLetter || $0.isNumber })
                #expect(targets.contains(target), "\(path) names `make \(target)`, which the Makefile does not have")
            }
        }
    }

    @Test func `files that documents name are there`() throws {
        for path in ["README.md", "docs/architecture.md", "docs/roadmap.md", "docs/errors.md", "docs/configuration.md"]
        {
            let text = try #require(Repository.read(path), "\(path) is missing")
            for part in text.split(separator: "](").dropFirst() {
                let link = part.prefix { $0 != ")" && $0 != "#" }
                guard !link.isEmpty, !link.contains("://") else { continue }
                let folder = path.split(separator: "/").dropLast().map { $0 + "/" }.joined()
                #expect(exists(folder + link) || exists(String(link)), "\(path) links to \(link), which is not there")
            }
        }
    }

    private func exists(_ path: String) -> Bool {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return Repository.read(parts.joined(separator: "/")) != nil
    }
}
