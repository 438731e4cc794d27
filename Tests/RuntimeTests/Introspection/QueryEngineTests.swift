import HoldfastEngine
import HoldfastRuntime
import HoldfastWire
import Testing

/// The facts follow what clients of version 1.7 send, and what they were seen to receive.
@Suite struct QueryEngineTests {
    private let source = FixedSource.small()
    private func id(_ number: UInt64) -> String { InvocationID.numbered(number).description }

    @Test(arguments: [
        ("select 1 as a, 'x' as b, null as c, true as d", #"[{"a":1,"b":"x","d":true}]"#),
        (
            "SELECT 18446744073709551615 AS u, -5 as i, 1.5 as f, cast(2 as double) as g",
            #"[{"u":18446744073709551615,"i":-5,"f":1.5,"g":2.0}]"#
        ),
        ("select x'00ff41' as bin, 'it''s' as s, x'' as e", #"[{"bin":"00ff41","s":"it's","e":""}]"#),
        ("select now() as n, current_date as d", #"[{"n":"2023-12-14T15:50:00","d":"2023-12-14"}]"#),
        (
            "select interval '1 hour' as iv, now() - to_timestamp(0) as dur",
            #"[{"iv":"1 hours","dur":"PT1702569000S"}]"#
        ),
        ("select cast('2023-12-14T15:38:52.5Z' as timestamp) as t", #"[{"t":"2023-12-14T15:38:52.500"}]"#),
        (
            "select 7 / 2 as a, 7 % 4 as b, 7.0 / 2 as c, 1 + 2 * 3 as d, (1 + 2) * 3 as e",
            #"[{"a":3,"b":3,"c":3.5,"d":7,"e":9}]"#
        ),
        ("select case when 1 > 2 then 'a' when 2 > 1 then 'b' end as x", #"[{"x":"b"}]"#),
        ("select coalesce(null, 3) as a, greatest(1, null, 5) as b, least(4, 2) as c", #"[{"a":3,"b":5,"c":2}]"#),
        (
            "select 'Abc' like 'a%' as a, 'Abc' ilike 'a%' as b, 'a%c' like 'a\\%c' as c, 'axc' like 'a\\%c' as d",
            #"[{"a":false,"b":true,"c":true,"d":false}]"#
        ),
        ("select '{\"a\":{\"b\":\"c\"}}' -> 'a' ->> 'b' as x, 'no json' ->> 'a' as y", #"[{"x":"c"}]"#),
        (
            "select not true as a, null is null as b, 1 is not null as c, 5 between 1 and 9 as d",
            #"[{"a":false,"b":true,"c":true,"d":true}]"#
        ),
        ("select '5' = 5 as a, '2' :: int + 1 as b, 1 :: text || 'x' as c", #"[{"a":true,"b":3,"c":"1x"}]"#),
        (
            "select date_trunc('hour', timestamp '2023-12-14T15:38:52Z') as a, date_part('hour', now()) as b",
            #"[{"a":"2023-12-14T15:00:00","b":15}]"#
        ),
        (
            "select to_unixtime(date_bin(interval '60 seconds', to_timestamp(125), timestamp '1970-01-01T00:00:00')) as x",
            #"[{"x":120}]"#
        ),
        ("select date '2024-01-31' + interval '1 month' as x", #"[{"x":"2024-02-29"}]"#),
        ("values (1, 'a'), (2, 'b')", #"[{"column1":1,"column2":"a"},{"column1":2,"column2":"b"}]"#),
        ("select 1 as x union all select 2 order by x desc limit 1", #"[{"x":2}]"#),
        ("(select 1 as x) union (select 1) except select 2", #"[{"x":1}]"#),
        (
            "with t(n) as (values (1), (2), (3)) select sum(n) as s, count(*) filter (where n > 1) as c from t",
            #"[{"s":6,"c":2}]"#
        ),
        (
            "select 1+1, 'x', count(*), count(1)",
            #"[{"Int64(1) + Int64(1)":2,"Utf8(\"x\")":"x","count(*)":1,"count(Int64(1))":1}]"#
        ),
        ("SET x = y;;", "[]"), ("prepare p as select 1", "[]"),
        (
            "select make_array(1, 2) as a, ['x', 'y'] as b, [] as c, [7, 8][2] as d, array_length([1, 2, 3]) as e",
            #"[{"a":[1,2],"b":["x","y"],"c":[],"d":8,"e":3}]"#
        ),
        (
            "select encode('a?>', 'base64') as a, encode(x'00ff', 'hex') as b, trim(both 'x' from 'xax') as c, trim(leading from ' b') as d, bit_length('ä') as e",
            #"[{"a":"YT8+","b":"00ff","c":"a","d":"b","e":16}]"#
        ),
        ("select column1 as x from (values (1), (2), (3)) order by x limit 1, 1", #"[{"x":2}]"#),
        (
            "select substr('abc', 0, 2) as a, substr('abc', -1) as b, left('abc', -1) as c, right('abc', -1) as d, right('abc', 0) as e",
            #"[{"a":"a","b":"abc","c":"ab","d":"bc","e":""}]"#
        ),
        (
            "select upper('äb') as a, initcap('hello wORLD') as b, reverse('abc') as c, repeat('ab', 3) as d, lpad('7', 3, '0') as e, rpad('abc', 2) as f",
            #"[{"a":"ÄB","b":"Hello World","c":"cba","d":"ababab","e":"007","f":"ab"}]"#
        ),
        (
            "select translate('abc', 'ab', 'x') as a, concat_ws('-', 'a', null, 'b') as b, chr(65) as c, to_hex(255) as d, lower(null) as e",
            #"[{"a":"xc","b":"a-b","c":"A","d":"ff"}]"#
        ),
        (
            "select to_char(timestamp '2026-01-02T15:04:05.678', '%Y-%m-%d %I:%M %p %j %a %B %.3f %%') as a, to_char(to_timestamp(0), '%F %T') as b",
            #"[{"a":"2026-01-02 03:04 PM 002 Fri January .678 %","b":"1970-01-01 00:00:00"}]"#
        ),
        (
            "select date_part('week', date '2027-01-01') as a, date_part('week', timestamp '2026-11-25') as b, date_part('isodow', date '2026-11-29') as c",
            #"[{"a":53,"b":48,"c":7}]"#
        ),
        (
            #"select '{"a":{"b":[1,true,"x"]},"c.d":null}' ->> 'a' as a, json_get_int('{"a":[1,2]}', 'a', 1) as b, json_get_str('{"a":5}', 'a') as c, '[true]' ->> 0 as d"#,
            #"[{"a":"{\"b\":[1,true,\"x\"]}","b":2,"d":"true"}]"#
        ),
        (
            #"select json_length('[1,2]') as a, json_contains('{"a":null}', 'a') as b, json_object_keys('{"a":1,"b":2}') as c, json_as_text('{"a":1.5}', 'a') as d"#,
            #"[{"a":2,"b":true,"c":["a","b"],"d":"1.5"}]"#
        ),
        (
            "select arrow_typeof('x') as a, arrow_typeof(1) as b, arrow_cast(1500, 'Duration(Millisecond)') as c, arrow_cast(0, 'Timestamp(Millisecond, Some(\"+00:00\"))') as d",
            #"[{"a":"Utf8","b":"Int64","c":"PT1.5S","d":"1970-01-01T00:00:00Z"}]"#
        ),
        (
            "with t(x) as (values (1), (2), (4)) select percentile_cont(0.5) within group (order by x) as a, approx_percentile_cont(x, 0.75) as b, var_pop(x) as c, median(x) as d from t",
            #"[{"a":2.0,"b":3.0,"c":1.5555555555555554,"d":2.0}]"#
        ),
        ("select e'a\\nb''c' as a, $$it's \\n$$ as b", #"[{"a":"a\nb'c","b":"it's \\n"}]"#),
        ("select -9223372036854775808 as a, -1.5 as b, - (2) as c", #"[{"a":-9223372036854775808,"b":-1.5,"c":-2}]"#),
        ("select 5, -5, 1., -2.0", #"[{"Int64(5)":5,"Int64(-5)":-5,"Float64(1)":1.0,"Float64(-2)":-2.0}]"#),
        (
            "select max(x) as m from (values (18446744073709551615), (18446744073709551614)) t(x)",
            #"[{"m":18446744073709551615}]"#
        ),
    ])
    func `expressions have upstream's values and types`(sql: String, rows: String) throws {
        #expect(try source.rows(sql) == rows)
    }

    @Test func `a row leaves out nulls and keeps the order of its columns`() throws {
        let first = InvocationID.numbered(1)
        let row = try source.rows(
            "SELECT id, target_service_key, retry_count, created_at, completion_retention FROM sys_invocation WHERE id = '\(first)'"
        )
        #expect(
            row
                == #"[{"id":"\#(first)","retry_count":1,"created_at":"2023-12-14T15:38:52.500Z","completion_retention":"PT86400S"}]"#
        )
        let whole = try source.rows(
            "select created_at, partition_key as p from sys_invocation_status where id = '\(id(2))'")
        #expect(whole == #"[{"created_at":"2023-12-14T15:38:53Z","p":\#(InvocationID.numbered(2).partitionKey)}]"#)
    }

    @Test func `a derived table without a name lets the tables inside be named`() throws {
        let sql = """
            SELECT COUNT(1) FROM (SELECT
                *
            FROM sys_invocation inv
            LIMIT 50000
            )
            WHERE inv.target_service_name IN ('Greeter') AND status != 'completed'
            """
        #expect(try source.rows(sql) == #"[{"count(Int64(1))":1}]"#)
    }

    @Test func `columns that nobody uses are not read`() throws {
        let count = try source.rows(
            "SELECT COUNT(1) FROM (SELECT * FROM sys_invocation inv LIMIT 50000) WHERE status != 'x'")
        #expect(count == #"[{"count(Int64(1))":4}]"#)
        #expect(source.valuesRead.withLock { $0 } == 4)
    }

    @Test func `an id is looked up, and several are looked up one by one`() throws {
        _ = try source.rows(
            "SELECT id FROM sys_invocation inv WHERE inv.id in ('\(id(1))', '\(id(3))') AND status != 'completed'")
        let wanted = source.opened.withLock { $0.map { $0.filter.text("id") } }
        #expect(Set(wanted) == [id(1), id(3)])
        source.opened.withLock { $0 = [] }
        _ = try source.rows(
            "SELECT service_key, key FROM state WHERE service_name = 'Counter' AND service_key IN ('a', 'b') AND value_length <= 2048 LIMIT 1500"
        )
        let keys = source.opened.withLock {
            $0.map { "\($0.filter.text("service_name") ?? "-")/\($0.filter.text("service_key") ?? "-")" }
        }
        #expect(Set(keys) == ["Counter/a", "Counter/b"])
    }

    @Test func `lists of invocations are joined with their deployments`() throws {
        let rows = try source.rows(
            """
            SELECT inv.id, dp.id IS NOT NULL as pinned_deployment_exists, inv.retry_count as num_retries
            FROM sys_invocation inv
            LEFT JOIN sys_deployment dp ON dp.id = inv.pinned_deployment_id
            WHERE status != 'completed' AND inv.id in ('\(id(1))','\(id(2))','\(id(4))')
            ORDER BY inv.created_at DESC, inv.id
            """)
        // Nulls come first in descending order.
        #expect(
            rows
                == #"[{"id":"\#(id(4))","pinned_deployment_exists":false,"num_retries":4},{"id":"\#(id(2))","pinned_deployment_exists":false,"num_retries":2}]"#
        )
    }

    @Test(arguments: [
        (
            "FULL JOIN",
            #"[{"r":2,"s":"running"},{"r":4,"s":"running"},{"r":9},{"s":"completed"},{"s":"pending"}]"#
        ),
        ("RIGHT JOIN", #"[{"r":2,"s":"running"},{"r":4,"s":"running"},{"r":9}]"#),
    ])
    func `a join that keeps the right side's rows has each of them once`(join: String, expected: String) throws {
        let source = FixedSource([
            "sys_invocation": FixedSource.small().rows["sys_invocation"] ?? [],
            "sys_invocation_state": [2, 4, 9].map {
                ["id": .text(InvocationID.numbered($0).description), "retry_count": .unsigned($0)]
            },
        ])
        let rows = try source.rows(
            """
            SELECT state.retry_count AS r, inv.status AS s FROM sys_invocation inv
            \(join) sys_invocation_state state ON state.id = inv.id ORDER BY r IS NULL, r, s
            """)
        #expect(rows == expected)
    }

    @Test func `a row that two conditions find is there once`() throws {
        let rows = try source.rows(
            "SELECT id FROM sys_invocation WHERE id = '\(id(2))' OR target_service_name = 'Greeter' ORDER BY created_at"
        )
        #expect(rows == #"[{"id":"\#(id(1))"},{"id":"\#(id(2))"}]"#)
    }

    @Test func `groups have a first value in an order of its own`() throws {
        let rows = try source.rows(
            """
            SELECT target_service_name, target_handler_name, 'pending' as status, COUNT(1) as num_invocations,
                MIN(created_at) as oldest_at, FIRST_VALUE(id ORDER BY created_at ASC) as oldest_invocation
            FROM sys_invocation_status
            WHERE status == 'inboxed' OR target_service_name IN ('Greeter','Counter')
            GROUP BY target_service_name, target_handler_name ORDER BY target_service_name DESC
            """)
        #expect(
            rows
                == #"[{"target_service_name":"Greeter","target_handler_name":"run","status":"pending","num_invocations":2,"oldest_at":"2023-12-14T15:38:52.500Z","oldest_invocation":"\#(id(1))"},{"target_service_name":"Counter","target_handler_name":"run","status":"pending","num_invocations":2,"oldest_at":"2023-12-14T15:38:54Z","oldest_invocation":"\#(id(3))"}]"#
        )
    }

    @Test func `the first value of a group without an order is one of its values, and sums keep their type`() throws {
        let rows = try source.rows(
            """
            SELECT target_service_name as service_name, status as invocation_status, first_value(id) as lock,
                first_value(created_at) as invocation_created_at, 0 as num_pending, sum(retry_count) as num_retries
            FROM sys_invocation WHERE status != 'pending' AND target_service_name IN ('Counter')
            GROUP BY target_service_name, target_service_key, status
            """)
        #expect(
            rows
                == #"[{"service_name":"Counter","invocation_status":"running","lock":"\#(id(4))","num_pending":0,"num_retries":4}]"#
        )
    }

    @Test func `the overview's buckets are counted`() throws {
        let bucket = """
            CASE WHEN ss.status = 'inboxed' THEN 'pending' WHEN ss.status = 'invoked' AND sis.in_flight IS TRUE THEN \
            'running' WHEN ss.status = 'invoked' AND sis.retry_count > 0 THEN 'backing-off' WHEN ss.status = 'invoked' \
            THEN 'ready' WHEN ss.status = 'completed' AND ss.completion_result = 'success' THEN 'succeeded' WHEN \
            ss.status = 'completed' THEN 'failed' ELSE ss.status END
            """
        let rows = try source.rows(
            """
            SELECT ss.target_service_name AS service_name, \(bucket) AS bucket, COUNT(1) AS count \
            FROM sys_invocation_status ss LEFT JOIN sys_invocation_state sis ON sis.id = ss.id \
            WHERE ss.created_at > '2023-12-14T15:38:52.000Z' GROUP BY ss.target_service_name, \(bucket) ORDER BY bucket
            """)
        #expect(
            rows
                == #"[{"service_name":"Counter","bucket":"pending","count":1},{"service_name":"Greeter","bucket":"running","count":1},{"service_name":"Greeter","bucket":"succeeded","count":1}]"#
        )
    }

    @Test func `journals are read by index, which is a name here`() throws {
        let rows = try source.rows(
            "SELECT sj.index, raw, entry_json ->> 'Command' IS NOT NULL as has FROM sys_journal sj WHERE sj.id = '\(id(1))' ORDER BY index DESC LIMIT 2"
        )
        #expect(rows == #"[{"index":2,"raw":"00ff41","has":true},{"index":1,"raw":"00ff41","has":true}]"#)
        let one = try source.rows("SELECT entry_type, entry_json FROM sys_journal WHERE id = '\(id(1))' AND index = 1")
        #expect(one == #"[{"entry_type":"Command: Run","entry_json":"{\"Command\":{\"Run\":{\"name\":\"charge\"}}}"}]"#)
    }

    @Test func `filters with subqueries, LIKE and quotes select what they say`() throws {
        #expect(
            try source.rows(
                "SELECT id FROM sys_invocation inv WHERE inv.target_service_name IN (select name from sys_service where ty = 'virtual_object') AND status != 'running'"
            )
                == #"[{"id":"\#(id(3))"}]"#)
        #expect(
            try source.rows(
                "SELECT id FROM sys_invocation inv WHERE (inv.pinned_deployment_id IS NOT NULL AND inv.pinned_deployment_id NOT IN (select id from sys_deployment))"
            )
                == #"[{"id":"\#(id(2))"}]"#)
        #expect(
            try source.rows(
                "SELECT target FROM sys_invocation_status WHERE ((target = 'Counter/k1' AND target_service_ty = 'service') OR (target LIKE 'Counter/it''s/%' AND target_service_ty != 'service')) AND status != 'completed' LIMIT 500"
            )
                == #"[{"target":"Counter/it's/run"}]"#)
        #expect(
            try source.rows(
                #"SELECT DISTINCT service_key FROM state WHERE "service_name" = 'Counter' ORDER BY 1 LIMIT 301"#)
                == #"[{"service_key":"a"},{"service_key":"b"}]"#)
    }

    @Test func `text is escaped, bytes are hexadecimal, lists are lists`() throws {
        #expect(
            try source.rows("select value, value_utf8 from state order by service_key")
                == #"[{"value":""},{"value":"01","value_utf8":"\u0001\n\"ü"}]"#)
        #expect(
            try source.rows("select services, array_length(services) as n from sys_deployment")
                == #"[{"services":["Greeter","Coun\"ter"],"n":2}]"#)
        #expect(
            try source.rows(
                "select suspended_waiting_for_signals as s from sys_invocation where status = 'running' order by s limit 1"
            ) == #"[{"s":[1,17]}]"#)
    }

    @Test func `lists have elements, and groups by all are those of what is no aggregate`() throws {
        #expect(
            try source.rows(
                "select services[1] as a, services[-1] as b, services[3] as c, array_to_string(services, '+') as d from sys_deployment"
            )
                == #"[{"a":"Greeter","b":"Coun\"ter","d":"Greeter+Coun\"ter"}]"#)
        #expect(
            try source.rows(
                "select status, count(*) as n from sys_invocation group by all order by n desc, status limit 1")
                == #"[{"status":"running","n":2}]"#)
        #expect(
            try source.rows(
                "select * from sys_service a natural join (select name, 1 as x from sys_service) b order by name limit 1"
            )
                == #"[{"name":"Counter","public":false,"ty":"virtual_object","x":1}]"#)
    }

    @Test func `timestamps are compared with text and with each other`() throws {
        #expect(
            try source.rows("select count(*) as n from sys_invocation where created_at >= '2023-12-14T16:38:53+01:00'")
                == #"[{"n":2}]"#)
        #expect(
            try source.rows(
                "select count(*) as n from sys_invocation where to_timestamp(modified_at) <= now() - interval '1' hour")
                == #"[{"n":0}]"#)
        #expect(
            try source.rows("select modified_at - created_at as d from sys_invocation where id = '\(id(1))'")
                == #"[{"d":"PT0.5S"}]"#)
        #expect(
            try source.rows(
                "select max(created_at) as m, now() - min(created_at) > interval '1 minute' as old from sys_invocation")
                == #"[{"m":"2023-12-14T15:38:54Z","old":true}]"#)
        #expect(
            try source.rows("select completion_retention > interval '1 hour' as x from sys_invocation limit 1")
                == #"[{"x":true}]"#)
    }

    @Test func `the tables describe themselves`() throws {
        #expect(
            try source.rows(
                "SELECT COUNT(*) FROM information_schema.columns WHERE table_name = 'sys_journal' AND column_name IN ('version', 'entry_json', 'appended_at')"
            )
                == #"[{"count(*)":3}]"#)
        #expect(
            try source.rows(
                "select data_type, is_nullable from information_schema.columns where table_name = 'sys_invocation' and column_name = 'status'"
            ) == #"[{"data_type":"LargeUtf8","is_nullable":"NO"}]"#)
        #expect(try source.rows("show tables").contains(#""table_name":"sys_invocation","table_type":"VIEW""#))
        #expect(
            try source.rows("describe state").hasPrefix(
                #"[{"column_name":"partition_key","data_type":"UInt64","is_nullable":"YES"}"#))
        #expect(
            try source.rows(
                "select table_name from information_schema.tables where table_schema = 'information_schema' order by 1")
                == #"[{"table_name":"columns"},{"table_name":"schemata"},{"table_name":"tables"},{"table_name":"views"}]"#
        )
        #expect(
            try source.rows("select schema_name from restate.information_schema.schemata order by 1")
                == #"[{"schema_name":"information_schema"},{"schema_name":"public"}]"#)
        #expect(
            try source.rows(
                "select numeric_precision as n, numeric_precision_radix as r from information_schema.columns where column_name = 'journal_size' and table_name = 'sys_invocation'"
            ) == #"[{"n":32,"r":2}]"#)
        #expect(try source.rows("select count(*) as n from restate.public.sys_rules") == #"[{"n":0}]"#)
    }

    @Test(arguments: [
        ("", "expected a statement, found the end of the query"), ("selec 1", "found 'selec' at line 1, column 1"),
        ("select * from nope", "no table 'nope'"), ("select foo from state", "no column 'foo'"),
        ("select foo(1)", "no function 'foo'"), ("select * from other.state", "no table 'other.state'"),
        ("select 1 / 0", "divide by zero"), ("select 5 % (1 - 1)", "divide by zero"), ("select '1' + 1", "cannot join"),
        ("select status, count(*) from sys_invocation", "'sys_invocation.status' has several values in a group"),
        ("select id from sys_invocation group by status", "'sys_invocation.id' has several values"),
        ("select count(*) from sys_invocation having status = 'x'", "several values in a group"),
        ("select count(*) from sys_invocation order by status", "several values in a group"),
        ("select * from sys_invocation group by id", "several values in a group"),
        ("select 1; select 2", "expected the end of the query, found 'select'"),
        ("drop table state", "DROP is not supported"), ("delete from state", "DELETE is not supported"),
        ("pragma x", "PRAGMA is not supported"), ("explain select 1", "has no EXPLAIN"),
        ("select 'abc", "no closing quote"),
        ("select id from sys_invocation where id = 'nope'", "'nope' is not an invocation id"),
        ("select id from sys_inbox where id in ('zzz')", "'zzz' is not an invocation id"),
        ("select id from sys_invocation a join sys_deployment b on a.id = b.id", "Several tables have a column 'id'"),
        ("select 1 from sys_invocation where created_at > 'yesterday'", "'yesterday' is not a timestamp"),
        ("select cast('x' as int)", "'x' cannot be read as an integer"), ("select '{}' -> 'a' as x", "Use '->>'"),
        ("select count(*) from state where value ~ 'x'", "no regular expressions"),
        ("select sum(id) from sys_invocation", "'sum' needs a number"),
        (
            "select 1 where (((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((1",
            "nested more than"
        ),
    ])
    func `a mistake is explained, and is the caller's`(sql: String, message: String) throws {
        let error = #expect(throws: QueryError.self) { try source.rows(sql) }
        #expect(error?.status == 400)
        #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
    }

    @Test func `unsigned numbers have their own order`() throws {
        let keys = (1...4).map { InvocationID.numbered($0).partitionKey }
        #expect(keys.contains { $0 > UInt64(Int64.max) } && keys.contains { $0 <= UInt64(Int64.max) })
        func partitionKeys(_ sql: String) throws -> [UInt64] {
            try source.rows(sql).split { !$0.isNumber }.compactMap { UInt64($0) }
        }
        let all = "select partition_key as p from sys_invocation_status"
        #expect(try partitionKeys(all + " order by partition_key") == keys.sorted())
        #expect(try partitionKeys(all + " order by 1 desc") == keys.sorted(by: >))
        #expect(try partitionKeys(all + " order by p limit 2") == Array(keys.sorted().prefix(2)))
        #expect(try partitionKeys(all + " where partition_key > 5 order by p") == keys.sorted())
        #expect(
            try partitionKeys(all + " where partition_key > -1 and partition_key >= 0.5 order by p") == keys.sorted())
        #expect(
            try partitionKeys(all + " where partition_key between 1 and 18446744073709551615 order by p")
                == keys.sorted())
        #expect(try partitionKeys(all + " where partition_key not between 1 and 18446744073709551615").isEmpty)
        #expect(try partitionKeys(all + " where partition_key <= \(keys[1])") == keys.filter { $0 <= keys[1] })
        #expect(
            try partitionKeys("select min(partition_key), max(partition_key) from sys_invocation_status")
                == [keys.min(), keys.max()].compactMap(\.self))
        #expect(
            try partitionKeys("select max(partition_key) filter (where status <> 'x') as m from sys_invocation_status")
                == [keys.max()].compactMap(\.self))
    }

    @Test func `arithmetic with unsigned numbers is theirs`() throws {
        let key = InvocationID.numbered(3).partitionKey
        #expect(key > UInt64(Int64.max))
        #expect(
            try source.rows(
                "select partition_key + 1 as a, partition_key % 16 as b, coalesce(partition_key, 0) as c, greatest(partition_key, 5) as d, least(5, partition_key) as e from sys_invocation_status where target_service_key = 'a/b'"
            )
                == #"[{"a":\#(key + 1),"b":\#(key % 16),"c":\#(key),"d":\#(key),"e":5}]"#)
        #expect(
            try source.rows(
                "select retry_count / 2 as a, retry_count - 5 as b, 2 * retry_count as c from sys_invocation where retry_count = 3"
            )
                == #"[{"a":1.5,"b":-2,"c":6}]"#)
        let error = #expect(throws: QueryError.self) { try source.rows("select retry_count / 0 from sys_invocation") }
        #expect(error?.message.contains("divide by zero") == true)
    }

    @Test func `what a group shares and what is chosen of it can be selected`() throws {
        let rows = try source.rows(
            """
            select target_service_name || '!' as name, case when count(*) > 1 then 'some' end as n, max(journal_size) + 1 as m
            from sys_invocation group by target_service_name having n is not null and count(*) > 1 order by name, count(*)
            """)
        #expect(rows == #"[{"name":"Counter!","n":"some","m":9},{"name":"Greeter!","n":"some","m":5}]"#)
        #expect(
            try source.rows(
                "select upper(status) as s, count(*) as c from sys_invocation group by s order by c desc, s")
                == #"[{"s":"RUNNING","c":2},{"s":"COMPLETED","c":1},{"s":"PENDING","c":1}]"#)
        #expect(
            try source.rows("select 1 as one, count(*) as c, now() > max(created_at) as x from sys_invocation")
                == #"[{"one":1,"c":4,"x":true}]"#)
        #expect(
            try source.rows(
                "select name from sys_service s where exists (select count(*) from state where service_name = s.name having count(*) > 1)"
            )
                == #"[{"name":"Counter"}]"#)
    }

    @Test func `only an id that is looked up must be one`() throws {
        #expect(
            try source.rows(
                "select count(*) as n from sys_invocation where id <> 'nope' and id > 'inv' and id not in ('x')")
                == #"[{"n":4}]"#)
        #expect(try source.rows("select count(*) as n from sys_invocation where id like 'inv_%'") == #"[{"n":4}]"#)
    }

    @Test(arguments: [
        ("1969-12-28", 0, 7, 362, 52, "Sun 7 0 362"), ("1970-01-01", 4, 4, 1, 1, "Thu 4 4 001"),
        ("2024-12-30", 1, 1, 365, 1, "Mon 1 1 365"), ("2024-12-31", 2, 2, 366, 1, "Tue 2 2 366"),
    ])
    func `a day has its place in the week and in the year`(
        date: String, dow: Int, isodow: Int, doy: Int, week: Int, text: String
    ) throws {
        let parts = ["dow", "isodow", "doy", "week"].map { "date_part('\($0)', timestamp '\(date)') as \($0)" }
        #expect(
            try source.rows(
                "select \(parts.joined(separator: ", ")), to_char(timestamp '\(date)', '%a %u %w %j') as text")
                == #"[{"dow":\#(dow),"isodow":\#(isodow),"doy":\#(doy),"week":\#(week),"text":"\#(text)"}]"#)
    }

    @Test func `no number is too great or too small for a function`() throws {
        let edges = [
            "-9223372036854775808", "9223372036854775807", "18446744073709551615", "-1e308", "1e308", "-1", "1.5",
        ]
        let calls = [
            "lpad('a', ?)", "rpad('a', ?, 'b')", "repeat('ab', ?)", "substr('abc', ?)", "substr('abc', ?, ?)",
            "left('abc', ?)", "split_part('a-b', '-', ?)", "to_timestamp_seconds(?)", "from_unixtime(?)",
            "to_timestamp_millis(?) + interval '1 month'", "date_trunc('week', to_timestamp_millis(?))",
            "date_part('doy', to_timestamp_millis(?))", "to_char(to_timestamp_millis(?), '%Y')",
            "cast(? as timestamp)", "cast(? as date)", "cast(? as bigint)", "chr(?)", "make_array(1, 2)[?]", "? * ?",
            "? % ?", "round(1.25, ?)",
        ]
        for call in calls {
            for edge in edges {
                for format in [QueryEngine.Format.json, .arrow] {
                    do throws(QueryError) {
                        let query = "select \(call.replacing("?", with: edge)) as x"
                        _ = try QueryEngine(source: source).run(query, format: format, now: Timestamp(millis: 0))
                    } catch {
                        #expect(error.status == 400, "\(call) of \(edge): \(error.message)")
                    }
                }
            }
        }
    }

    @Test(arguments: ["'x'", "1.5", "null", "-1e308"]) func `a limit is a whole number`(limit: String) throws {
        let error = #expect(throws: QueryError.self) { try source.rows("select 1 as x limit \(limit)") }
        #expect(error?.status == 400)
    }

    @Test func `a source that fails is the server's fault`() throws {
        let error = #expect(throws: QueryError.self) { try source.rows("select * from sys_promise") }
        #expect(error?.status == 500)
        #expect(error?.message == "no rows of sys_promise")
    }

    @Test func `an answer beyond the limit and a query that takes too long are refused`() throws {
        var limits = QueryEngine.Limits()
        limits.answerSize = 100
        let small = QueryEngine(source: source, limits: limits)
        let error = #expect(throws: QueryError.self) {
            try small.run("select * from sys_invocation", format: .json, now: Timestamp(millis: 0))
        }
        #expect(error?.kind == .limit)
        limits = QueryEngine.Limits()
        limits.seconds = 0.01
        let hasty = QueryEngine(source: source, limits: limits)
        let long = "with a(n) as (values (1),(2),(3),(4),(5),(6),(7),(8)) select count(*) from "
        let late = #expect(throws: QueryError.self) {
            try hasty.run(
                long + (0..<9).map { "a a\($0)" }.joined(separator: ", "), format: .json, now: Timestamp(millis: 0))
        }
        #expect(late?.kind == .limit)
    }
}
