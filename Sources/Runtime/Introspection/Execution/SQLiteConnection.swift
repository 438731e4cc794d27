import CHoldfastSQLite
import HoldfastEngine

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// An SQLite connection without a database: it has the tables of an introspection source only.
///
/// It never writes a file but SQLite's temporary ones, for sorting more than memory holds. Sendable, because its owner
/// lets one thread at a time use it (`QueryEngine`'s lock), which is all that SQLite asks for.
final class SQLiteConnection: @unchecked Sendable {
    private var handle: OpaquePointer?
    private var bindings: [TableBinding] = []
    private var module = UnsafeMutablePointer<sqlite3_module>.allocate(capacity: 1)
    /// What the tables read during a query.
    private var session: (any IntrospectionSession)?
    /// When the running query is stopped, in nanoseconds of the monotonic clock.
    private var deadline = UInt64.max
    /// What the source said when it failed; SQLite passes on only that it did.
    var failure: StorageError?

    init(tables: [TableSchema]) throws(QueryError) {
        module.initialize(to: VirtualTable.module())
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY | SQLITE_OPEN_NOMUTEX
        guard sqlite3_open_v2(":memory:", &handle, flags, nil) == SQLITE_OK, let handle else {
            throw QueryError(.failure, "SQLite cannot be started: \(message). Queries are not possible.")
        }
        SQLFunctions.register(in: handle)
        for table in tables {
            let binding = TableBinding(table, self)
            bindings.append(binding)
            sqlite3_create_module_v2(handle, table.name, module, Unmanaged.passUnretained(binding).toOpaque(), nil)
        }
        // Pages for sorting and grouping, in KiB; more goes to temporary files.
        sqlite3_exec(handle, "PRAGMA cache_size = -8192; PRAGMA temp_store = FILE", nil, nil, nil)
        sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 0)
        sqlite3_progress_handler(
            handle, 1000,
            { context in
                guard let context else { return 1 }
                let connection = Unmanaged<SQLiteConnection>.fromOpaque(context).takeUnretainedValue()
                return SQLiteConnection.now() > connection.deadline ? 1 : 0
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    deinit {
        sqlite3_close_v2(handle)
        module.deinitialize(count: 1)
        module.deallocate()
    }

    func rows(of table: TableSchema, where filter: RowFilter) throws(StorageError) -> any RowCursor {
        guard let session else { throw StorageError(.failed, "A table was read outside of a query.") }
        return try session.rows(of: table, where: filter)
    }

    /// Runs a query to its end and hands each row to `body`, which may stop it by an error.
    func run(
        _ sql: String, reading session: any IntrospectionSession, seconds: Double,
        _ body: (_ row: borrowing Row) throws(QueryError) -> Void
    ) throws(QueryError) {
        self.session = session
        deadline = Self.now() &+ UInt64(max(0, seconds) * 1e9)
        failure = nil
        defer {
            self.session = nil
            deadline = .max
        }
        var statement: OpaquePointer?
        guard sqlite3_prepare_v2(handle, sql, -1, &statement, nil) == SQLITE_OK, let statement else {
            throw error()
        }
        defer { sqlite3_finalize(statement) }
        while true {
            switch sqlite3_step(statement) {
            case SQLITE_ROW: try body(Row(statement: statement))
            case SQLITE_DONE: return
            default: throw error()
            }
        }
    }

    /// One row of an answer, while SQLite stands on it.
    struct Row: ~Copyable {
        fileprivate let statement: OpaquePointer

        func isNull(_ column: Int) -> Bool { sqlite3_column_type(statement, CInt(column)) == SQLITE_NULL }

        /// The integer, or nil when SQLite made something else of it, as in a sum of both.
        func integer(_ column: Int) -> Int64? {
            guard sqlite3_column_type(statement, CInt(column)) == SQLITE_INTEGER else { return nil }
            return sqlite3_column_int64(statement, CInt(column))
        }

        func isDouble(_ column: Int) -> Bool { sqlite3_column_type(statement, CInt(column)) == SQLITE_FLOAT }

        func double(_ column: Int) -> Double { sqlite3_column_double(statement, CInt(column)) }

        /// Calls `body` with the bytes of a text or of bytes.
        func withBytes<Result>(_ column: Int, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
            let isText = sqlite3_column_type(statement, CInt(column)) != SQLITE_BLOB
            let start =
                isText
                ? UnsafeRawPointer(sqlite3_column_text(statement, CInt(column)))
                : sqlite3_column_blob(statement, CInt(column))
            let count = start == nil ? 0 : Int(sqlite3_column_bytes(statement, CInt(column)))
            return body(UnsafeRawBufferPointer(start: start, count: count))
        }
    }

    private func error() -> QueryError {
        if let failure { return QueryError(.failure, failure.message) }
        switch sqlite3_errcode(handle) {
        case SQLITE_INTERRUPT: return .noAnswerInTime
        case SQLITE_NOMEM, SQLITE_TOOBIG, SQLITE_FULL:
            return QueryError(.limit, "The query needs more memory or disk than it may have. Ask for less.")
        case SQLITE_ERROR: return QueryError(.query, "The query cannot be run: \(message).")
        case SQLITE_MISMATCH: return QueryError(.query, "LIMIT and OFFSET take whole numbers.")
        default: return QueryError(.failure, "The query failed: \(message).")
        }
    }

    private var message: String { String(cString: sqlite3_errmsg(handle)) }

    private static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(clamping: time.tv_sec) &* 1_000_000_000 &+ UInt64(clamping: time.tv_nsec)
    }
}
