import HoldfastWire

/// Rows under headings, in columns that are as wide as they must be.
struct Table {
    private let headings: [String]
    private var rows: [[String]] = []

    init(_ headings: String...) { self.headings = headings }

    mutating func add(_ cells: String...) { rows.append(cells) }

    mutating func add(cells: [String]) { rows.append(cells) }

    var isEmpty: Bool { rows.isEmpty }

    init(columns headings: [String]) { self.headings = headings }

    var text: String {
        let all = [headings] + rows.map { $0.map(Self.oneLine) }
        let widths = headings.indices.map { column in all.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0 }
        return all.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                line += cell
                if column < row.count - 1 { line += String(repeating: " ", count: widths[column] - cell.count + 2) }
            }
            return String(line.reversed().drop { $0 == " " }.reversed())
        }.joined(separator: "\n")
    }

    /// Line ends and control characters would break the table, or worse, the terminal.
    static func oneLine(_ text: String) -> String {
        String(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : Character($0) })
    }
}

extension JSON {
    /// A value as a person wants to read it in a table.
    var cell: String {
        switch self {
        case .null: ""
        case .string(let text): text
        default: text
        }
    }
}
