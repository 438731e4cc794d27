/// A table as queries see it.
public struct TableSchema: Sendable {
    /// A column: its name, its type, and what the source can do with it.
    public struct Column: Sendable {
        /// The name, in lower case.
        public let name: String
        let type: SQLType
        /// Whether it holds invocation ids, so that a literal that is none can be refused.
        let isInvocationID: Bool
    }

    /// The name, in lower case.
    public let name: String
    /// The columns, in the order of `SELECT *`.
    public let columns: [Column]
    /// The columns, by index, whose equality with a value lets the source find rows without reading all.
    public let keys: [Int]

    /// Whether a column may be null: all may but the derived status.
    func isNullable(_ column: Column) -> Bool {
        name != TableSchema.invocation.name || column.name != "status"
    }

    init(_ name: String, keys: [String] = [], _ columns: [Column]) {
        self.name = name
        self.columns = columns
        self.keys = keys.compactMap { key in columns.firstIndex { $0.name == key } }
    }
}
