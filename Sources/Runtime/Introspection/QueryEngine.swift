import HoldfastEngine
import HoldfastWire
import Synchronization

/// Answers SQL queries over the tables of a source.
///
///     query ─▶ Parser ─▶ Translator ─▶ SQLite ─▶ VirtualTable ─▶ IntrospectionSource
///                          types ──────────────▶ JSONAnswer or ArrowAnswer
///
/// 1. A query never changes anything: the parser refuses every other statement, and SQLite has no database.
/// 2. A query reads one moment: the source's session.
/// 3. A query takes bounded time and gives a bounded answer (`QueryLimits`).
///
/// One query runs at a time; further threads wait. It takes milliseconds to seconds, so event loops never call it.
public final class QueryEngine: Sendable {
    /// What a query may take.
    public struct Limits: Sendable {
        /// Seconds until a query is stopped; clients give up after 13.
        public var seconds = 10.0
        /// Bytes of an answer: the largest journal entry there can be, in all its columns, is about 200 MiB.
        public var answerSize = 256 << 20
        /// Bytes of the text of a query.
        public var querySize = 2 << 20

        /// The defaults.
        public init() {}
    }

    /// How the answer is written.
    public enum Format: Sendable {
        /// `{"rows":[…]}`
        case json
        /// An Arrow IPC stream.
        case arrow

        /// What clients get for an `Accept` header: JSON if it is named and Arrow is not.
        public init(accept: String?) {
            let accept = accept?.lowercased() ?? ""
            self = accept.contains("application/json") && !accept.contains("arrow") ? .json : .arrow
        }

        /// The content type of the answer, to the letter.
        public var contentType: String {
            switch self {
            case .json: "application/json"
            case .arrow: "application/vnd.apache.arrow.stream"
            }
        }
    }

    /// The answer to a query.
    public struct Answer: Sendable {
        /// The value of the header `content-type`.
        public let contentType: String
        /// The whole body.
        public let body: [UInt8]
        /// How many rows it has.
        public let rowCount: Int
    }

    private let source: any IntrospectionSource
    private let limits: Limits
    private let tables: [String: TableSchema]
    private let connection: Mutex<SQLiteConnection?>

    /// Makes an engine over a source.
    public init(source: any IntrospectionSource, limits: Limits = Limits()) {
        self.source = source
        self.limits = limits
        let schemas = TableSchema.all + Catalog.schemas
        tables = Dictionary(schemas.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        connection = Mutex(nil)
    }

    /// Answers a query; `now` is what `now()` means in it.
    public func run(_ sql: String, format: Format, now: Timestamp) throws(QueryError) -> Answer {
        switch format {
        case .json: try run(sql, JSONAnswer.self, format, now)
        case .arrow: try run(sql, ArrowAnswer.self, format, now)
        }
    }

    private func run<Encoder: AnswerEncoder>(
        _ sql: String, _: Encoder.Type, _ format: Format, _ now: Timestamp
    ) throws(QueryError) -> Answer {
        guard sql.utf8.count <= limits.querySize else {
            throw QueryError(.query, "The query has more than \(limits.querySize >> 20) MiB.")
        }
        guard case .query(let query) = try Parser.statement(sql) else {
            return Answer(contentType: format.contentType, body: Encoder(columns: []).finish(), rowCount: 0)
        }
        let (text, columns) = try Translator.translate(query, tables: tables, now: Int64(clamping: now.millis))
        var encoder = Encoder(columns: columns)
        var rowCount = 0
        try connection.withLock { (connection) throws(QueryError) in
            // Made by the first query: a server that nobody asks needs no SQLite.
            if connection == nil { connection = try SQLiteConnection(tables: Array(tables.values)) }
            guard let sqlite = connection else { return }
            let session = try begin()
            try sqlite.run(text, reading: session, seconds: limits.seconds) { (row) throws(QueryError) in
                encoder.append(row)
                rowCount += 1
                guard encoder.size <= limits.answerSize else { throw .answerTooLarge(limits.answerSize) }
            }
        }
        return Answer(contentType: format.contentType, body: encoder.finish(), rowCount: rowCount)
    }

    private func begin() throws(QueryError) -> CatalogSession {
        do throws(StorageError) {
            return CatalogSession(try source.begin())
        } catch {
            throw QueryError(.failure, error.message)
        }
    }
}

/// A session that answers for the tables that describe the tables itself.
private final class CatalogSession: IntrospectionSession {
    private let session: any IntrospectionSession

    init(_ session: any IntrospectionSession) {
        self.session = session
    }

    func rows(of table: TableSchema, where filter: RowFilter) throws(StorageError) -> any RowCursor {
        if Catalog.schemas.contains(where: { $0.name == table.name }) {
            return Catalog.rows(of: table, describing: TableSchema.all)
        }
        return try session.rows(of: table, where: filter)
    }
}
