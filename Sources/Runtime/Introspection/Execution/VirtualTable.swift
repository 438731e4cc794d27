import CHoldfastSQLite
import HoldfastEngine
import HoldfastWire

/// A table of an introspection source, as SQLite calls it.
///
/// SQLite owns the two structs below, which begin with SQLite's own; each holds one reference to a Swift object.
enum VirtualTable {
    private struct Table {
        var base = sqlite3_vtab()
        let binding: Unmanaged<TableBinding>
    }

    private struct Cursor {
        var base = sqlite3_vtab_cursor()
        let state: Unmanaged<CursorState>
    }

    /// The functions that SQLite calls.
    static func module() -> sqlite3_module {
        var module = sqlite3_module()
        // Without `xCreate` the table is there from the start, under the module's name.
        module.xConnect = connect
        module.xDisconnect = disconnect
        module.xDestroy = disconnect
        module.xBestIndex = bestIndex
        module.xOpen = open
        module.xClose = close
        module.xFilter = filter
        module.xNext = next
        module.xEof = { cursor in VirtualTable.state(cursor).isAtEnd ? 1 : 0 }
        module.xColumn = column
        module.xRowid = { cursor, id in
            guard let identity = VirtualTable.state(cursor).identity() else { return SQLITE_ERROR }
            id?.pointee = identity
            return SQLITE_OK
        }
        return module
    }

    private static let connect:
        @convention(c) (
            OpaquePointer?, UnsafeMutableRawPointer?, CInt, UnsafePointer<UnsafePointer<CChar>?>?,
            UnsafeMutablePointer<UnsafeMutablePointer<sqlite3_vtab>?>?,
            UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
        ) -> CInt = { database, context, _, _, made, _ in
            guard let context, let made else { return SQLITE_MISUSE }
            let binding = Unmanaged<TableBinding>.fromOpaque(context)
            let result = sqlite3_declare_vtab(database, binding.takeUnretainedValue().declaration)
            guard result == SQLITE_OK else { return result }
            let table = UnsafeMutablePointer<Table>.allocate(capacity: 1)
            table.initialize(to: Table(binding: binding.retain()))
            made.pointee = UnsafeMutableRawPointer(table).assumingMemoryBound(to: sqlite3_vtab.self)
            return SQLITE_OK
        }

    private static let disconnect: @convention(c) (UnsafeMutablePointer<sqlite3_vtab>?) -> CInt = { base in
        guard let base else { return SQLITE_OK }
        let table = UnsafeMutableRawPointer(base).assumingMemoryBound(to: Table.self)
        table.pointee.binding.release()
        table.deinitialize(count: 1)
        table.deallocate()
        return SQLITE_OK
    }

    /// Tells SQLite which equalities the source can use: bit n of `idxNum` stands for the table's n-th key.
    private static let bestIndex:
        @convention(c) (UnsafeMutablePointer<sqlite3_vtab>?, UnsafeMutablePointer<sqlite3_index_info>?) -> CInt = {
            base, information in
            guard let base, let information else { return SQLITE_MISUSE }
            let keys = UnsafeMutableRawPointer(base).assumingMemoryBound(to: Table.self).pointee.binding
                .takeUnretainedValue().schema.keys
            var chosen: [Int: Int] = [:]
            for index in 0..<Int(information.pointee.nConstraint) {
                let constraint = information.pointee.aConstraint[index]
                if constraint.usable != 0, constraint.op == UInt8(SQLITE_INDEX_CONSTRAINT_EQ),
                    let key = keys.firstIndex(of: Int(constraint.iColumn)), chosen[key] == nil
                {
                    chosen[key] = index
                }
            }
            var mask: CInt = 0
            for (place, key) in chosen.keys.sorted().enumerated() {
                information.pointee.aConstraintUsage[chosen[key] ?? 0].argvIndex = CInt(place + 1)
                mask |= 1 << CInt(key)
            }
            information.pointee.idxNum = mask
            // The first key finds few rows by itself, the others fewer each.
            let cost = mask & 1 != 0 ? 10.0 : mask != 0 ? 10_000 / Double(chosen.count) : 1_000_000
            information.pointee.estimatedCost = cost
            information.pointee.estimatedRows = Int64(cost)
            return SQLITE_OK
        }

    private static let open:
        @convention(c) (
            UnsafeMutablePointer<sqlite3_vtab>?, UnsafeMutablePointer<UnsafeMutablePointer<sqlite3_vtab_cursor>?>?
        ) -> CInt = { base, made in
            guard let base, let made else { return SQLITE_MISUSE }
            let table = UnsafeMutableRawPointer(base).assumingMemoryBound(to: Table.self)
            let state = CursorState(table.pointee.binding.takeUnretainedValue())
            let cursor = UnsafeMutablePointer<Cursor>.allocate(capacity: 1)
            cursor.initialize(to: Cursor(state: .passRetained(state)))
            made.pointee = UnsafeMutableRawPointer(cursor).assumingMemoryBound(to: sqlite3_vtab_cursor.self)
            return SQLITE_OK
        }

    private static let close: @convention(c) (UnsafeMutablePointer<sqlite3_vtab_cursor>?) -> CInt = { base in
        guard let base else { return SQLITE_OK }
        let cursor = UnsafeMutableRawPointer(base).assumingMemoryBound(to: Cursor.self)
        cursor.pointee.state.release()
        cursor.deinitialize(count: 1)
        cursor.deallocate()
        return SQLITE_OK
    }

    private static let filter:
        @convention(c) (
            UnsafeMutablePointer<sqlite3_vtab_cursor>?, CInt, UnsafePointer<CChar>?, CInt,
            UnsafeMutablePointer<OpaquePointer?>?
        ) -> CInt = { base, mask, _, count, arguments in
            let state = VirtualTable.state(base)
            var filter = RowFilter()
            var place = 0
            for (key, column) in state.binding.schema.keys.enumerated() where mask >> CInt(key) & 1 != 0 {
                guard place < Int(count), let value = arguments?[place] else { return SQLITE_MISUSE }
                filter.values[state.binding.schema.columns[column].name] = SQLiteValue.read(value)
                place += 1
            }
            return state.begin(filter)
        }

    private static let next: @convention(c) (UnsafeMutablePointer<sqlite3_vtab_cursor>?) -> CInt = { base in
        VirtualTable.state(base).advance()
    }

    private static let column:
        @convention(c) (UnsafeMutablePointer<sqlite3_vtab_cursor>?, OpaquePointer?, CInt) -> CInt = {
            base, context, column in
            let state = VirtualTable.state(base)
            guard let value = state.value(Int(column)) else { return SQLITE_ERROR }
            SQLiteValue.setResult(context, value)
            return SQLITE_OK
        }

    private static func state(_ base: UnsafeMutablePointer<sqlite3_vtab_cursor>?) -> CursorState {
        guard let base else { preconditionFailure("SQLite names the cursor that it means") }
        return UnsafeMutableRawPointer(base).assumingMemoryBound(to: Cursor.self).pointee.state.takeUnretainedValue()
    }
}

/// One table of one connection.
final class TableBinding {
    let schema: TableSchema
    let declaration: String
    private unowned let connection: SQLiteConnection

    init(_ schema: TableSchema, _ connection: SQLiteConnection) {
        self.schema = schema
        self.connection = connection
        let columns = schema.columns.map { "\(Translator.quoted($0.name)) \($0.type.affinity)" }
        declaration = "CREATE TABLE t (\(columns.joined(separator: ", ")))"
    }

    func rows(_ filter: RowFilter) throws(StorageError) -> any RowCursor {
        try connection.rows(of: schema, where: filter)
    }

    func failed(_ error: StorageError) {
        connection.failure = error
    }
}

/// Where SQLite is in a table.
final class CursorState {
    let binding: TableBinding
    private var rows: (any RowCursor)?
    private(set) var isAtEnd = true

    init(_ binding: TableBinding) {
        self.binding = binding
    }

    func begin(_ filter: RowFilter) -> CInt {
        // Nothing equals null.
        guard !filter.values.values.contains(.null) else {
            isAtEnd = true
            return SQLITE_OK
        }
        do throws(StorageError) {
            rows = try binding.rows(filter)
        } catch {
            binding.failed(error)
            return SQLITE_ERROR
        }
        return advance()
    }

    func advance() -> CInt {
        do throws(StorageError) {
            isAtEnd = try rows?.next() != true
            return SQLITE_OK
        } catch {
            binding.failed(error)
            return SQLITE_ERROR
        }
    }

    func value(_ column: Int) -> SQLValue? {
        do throws(StorageError) {
            return try rows?.value(column) ?? .null
        } catch {
            binding.failed(error)
            return nil
        }
    }

    /// What SQLite recognises the row by when it meets it again in another scan of the same query, as right and full
    /// joins do: a digest of all that the row says, since rows have no number of their own.
    func identity() -> Int64? {
        var hasher = Hasher()
        for column in binding.schema.columns.indices {
            guard let value = value(column) else { return nil }
            hasher.combine(value)
        }
        return Int64(hasher.finalize())
    }
}
