/// Why bytes are not a JSON document.
public struct JSONError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong.
    public let what: String
    /// The line on which it was noticed, from 1.
    public let line: Int
    /// The byte of that line at which it was noticed, from 1; 0 before the first.
    public let column: Int

    /// What is wrong and where, as clients of the ingress know it: `expected value at line 1 column 5`.
    public var description: String { "\(what) at line \(line) column \(column)" }
}
