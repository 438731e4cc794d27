/// Makes the body of an answer, row by row.
protocol AnswerEncoder {
    init(columns: [OutputColumn])

    /// Bytes so far, to keep within the limit.
    var size: Int { get }

    mutating func append(_ row: borrowing SQLiteConnection.Row)

    /// The whole body.
    consuming func finish() -> [UInt8]
}
