import HoldfastRuntime
import HoldfastWire
import Testing

@Suite struct ArrowAnswerTests {
    private func stream(_ sql: String) throws -> [UInt8] {
        let engine = QueryEngine(source: FixedSource.small())
        let answer = try engine.run(sql, format: .arrow, now: Timestamp(millis: 0))
        #expect(answer.contentType == "application/vnd.apache.arrow.stream")
        return answer.body
    }

    /// The messages of a stream: their metadata and bodies; fails unless it is framed as the format says.
    private func messages(_ stream: [UInt8]) throws -> [(metadata: [UInt8], body: [UInt8])] {
        var found: [(metadata: [UInt8], body: [UInt8])] = []
        var index = 0
        while true {
            try #require(stream.count >= index + 8)
            try #require(Array(stream[index..<index + 4]) == [0xff, 0xff, 0xff, 0xff])
            let size = Int(Reader(stream).int32(index + 4))
            index += 8
            if size == 0 { break }
            try #require(size % 8 == 0)
            let metadata = Array(stream[index..<index + size])
            index += size
            let bodySize = Int(Reader(metadata).int64(field: 3, of: Reader(metadata).root) ?? 0)
            found.append((metadata, Array(stream[index..<index + bodySize])))
            index += bodySize
        }
        #expect(index == stream.count)
        return found
    }

    @Test func `a count is one column of signed 64-bit integers that is never null`() throws {
        let messages = try messages(stream("SELECT count(*) FROM sys_service"))
        #expect(messages.count == 2)
        let schema = Reader(messages[0].metadata)
        let fields = try schema.tables(field: 1, of: schema.table(field: 2, of: schema.root))
        #expect(fields.count == 1)
        #expect(try schema.string(field: 0, of: fields[0]) == "count(*)")
        #expect(schema.byte(field: 1, of: fields[0]) == 0)
        #expect(schema.byte(field: 2, of: fields[0]) == 2)
        let type = try schema.table(field: 3, of: fields[0])
        #expect(schema.int32(field: 0, of: type) == 64)
        #expect(schema.byte(field: 1, of: type) == 1)
        #expect(messages[1].body == [2, 0, 0, 0, 0, 0, 0, 0])
    }

    @Test func `no rows are a schema and no batch`() throws {
        #expect(try messages(stream("SELECT id FROM sys_service s JOIN sys_deployment d ON d.id = s.name")).count == 1)
    }

    @Test func `nulls have no bit in the bitmap, and texts end where the offsets say`() throws {
        let messages = try messages(stream("select 'inv_1' as id union all select null order by id"))
        let batch = Reader(messages[1].metadata)
        let header = try batch.table(field: 2, of: batch.root)
        #expect(batch.int64(field: 0, of: header) == 2)
        #expect(try batch.pairs(field: 1, of: header) == [[2, 1]])
        #expect(try batch.pairs(field: 2, of: header) == [[0, 1], [8, 24], [32, 5]])
        // Piece by piece: one long sum of arrays takes the compiler too much time on a busy machine.
        var body: [UInt8] = [1, 0, 0, 0, 0, 0, 0, 0]
        body += [0, 0, 0, 0, 0, 0, 0, 0]
        body += [5, 0, 0, 0, 0, 0, 0, 0]
        body += [5, 0, 0, 0, 0, 0, 0, 0]
        body += Array("inv_1".utf8)
        body += [0, 0, 0]
        #expect(messages[1].body == body)
    }

    @Test func `what is never null says so, unless a join can make it null`() throws {
        func nullable(_ sql: String) throws -> [UInt8] {
            let schema = Reader(try messages(stream(sql))[0].metadata)
            return try schema.tables(field: 1, of: schema.table(field: 2, of: schema.root)).map {
                try #require(schema.byte(field: 1, of: $0))
            }
        }
        #expect(
            try nullable("select 1, 'x', true, null, status, id, count(*) over () from sys_invocation") == [
                0, 0, 0, 1, 0, 1, 0,
            ])
        #expect(try nullable("select i.status from sys_service s left join sys_invocation i on i.id = s.name") == [1])
        #expect(
            try nullable("select i.status from sys_invocation i left join sys_service s on i.target = s.name") == [0])
    }

    @Test func `every type is written with its number in the union`() throws {
        let messages = try messages(
            stream(
                """
                select true as a, 1 as b, journal_size as c, retry_count as d, 1.5 as e, 'x' as f, x'00' as g,
                    created_at as h, now() as i, completion_retention as j, current_date as k,
                    suspended_waiting_for_signals as l, null as m, [1, null] as n from sys_invocation
                """))
        let schema = Reader(messages[0].metadata)
        let fields = try schema.tables(field: 1, of: schema.table(field: 2, of: schema.root))
        #expect(fields.map { schema.byte(field: 2, of: $0) } == [6, 2, 2, 2, 3, 20, 19, 10, 10, 18, 8, 12, 1, 12])
        #expect(try schema.string(field: 1, of: schema.table(field: 3, of: fields[7])) == "+00:00")
        #expect(try schema.string(field: 1, of: schema.table(field: 3, of: fields[8])).isEmpty)
        #expect(try schema.tables(field: 5, of: fields[11]).count == 1)
        let batch = Reader(messages[1].metadata)
        let header = try batch.table(field: 2, of: batch.root)
        // A list has a node and a bitmap of its own before those of its elements.
        #expect(try batch.pairs(field: 1, of: header).count == 16)
        #expect(try batch.pairs(field: 1, of: header).suffix(3) == [[4, 4], [4, 0], [8, 4]])
        #expect(try batch.pairs(field: 2, of: header).allSatisfy { $0[0] % 8 == 0 })
    }
}

/// Reads FlatBuffers, from the format's description.
private struct Reader {
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    var root: Int { Int(int32(0)) }

    func int32(_ index: Int) -> Int32 { Int32(truncatingIfNeeded: number(index, 4)) }

    private func number(_ index: Int, _ size: Int) -> Int64 {
        (0..<size).reduce(0) { $0 | Int64(bytes[index + $1]) << Int64(8 * $1) }
    }

    /// Where a field of a table is; nil if it has its default.
    private func place(_ field: Int, _ table: Int) -> Int? {
        let vtable = table - Int(int32(table))
        let size = Int(number(vtable, 2))
        guard 4 + 2 * field < size else { return nil }
        let offset = Int(number(vtable + 4 + 2 * field, 2))
        return offset == 0 ? nil : table + offset
    }

    func byte(field: Int, of table: Int) -> UInt8? { place(field, table).map { bytes[$0] } }
    func int32(field: Int, of table: Int) -> Int32? { place(field, table).map { int32($0) } }
    func int64(field: Int, of table: Int) -> Int64? { place(field, table).map { number($0, 8) } }

    func table(field: Int, of table: Int) throws -> Int {
        let place = try #require(self.place(field, table))
        return place + Int(int32(place))
    }

    func string(field: Int, of table: Int) throws -> String {
        guard place(field, table) != nil else { return "" }
        let start = try self.table(field: field, of: table)
        return String(decoding: bytes[start + 4..<start + 4 + Int(int32(start))], as: UTF8.self)
    }

    func tables(field: Int, of table: Int) throws -> [Int] {
        let start = try self.table(field: field, of: table)
        return (0..<Int(int32(start))).map { start + 4 + 4 * $0 + Int(int32(start + 4 + 4 * $0)) }
    }

    func pairs(field: Int, of table: Int) throws -> [[Int]] {
        let start = try self.table(field: field, of: table)
        return (0..<Int(int32(start))).map { index in
            [Int(number(start + 4 + 16 * index, 8)), Int(number(start + 12 + 16 * index, 8))]
        }
    }
}
