import HoldfastWire
import Testing

@testable import HoldfastRuntime

@Suite struct AdminRulesTests {
    private let now: Int64 = 1_767_608_430_123

    @Test func `a rule is stored and answered in its canonical form`() throws {
        let fake = AdminFake()
        let body = """
            [{"pattern":" tenant-a/* ","limits":{"concurrency":10,"other":1},"description":"free tier",
              "disabled":false,"precondition":{"type":"does_not_exist"}}]
            """
        let response = try fake.send("PUT", "/v4/limits/rules", body)
        #expect(response.status == 200)
        #expect(
            try response.json == [
                [
                    "pattern": "tenant-a/*", "limits": ["concurrency": 10], "description": "free tier",
                    "disabled": false, "version": 1, "last_modified_millis_since_epoch": .integer(now),
                ]
            ])
        let again = try fake.send("PUT", "/limits/rules", body)
        #expect(again.status == 409)
        #expect(
            try again.message
                == "rule precondition DoesNotExist for pattern tenant-a/* failed (actual version: Some(v1))")
        let bare = try fake.send("PUT", "/limits/rules", #"[{"pattern":"t"}]"#).json
        #expect(
            bare == [
                [
                    "pattern": "t", "limits": [:], "disabled": false, "version": 2,
                    "last_modified_millis_since_epoch": .integer(now),
                ]
            ])
    }

    @Test func `rules are removed by pattern`() throws {
        let fake = AdminFake()
        _ = try fake.send("PUT", "/limits/rules", #"[{"pattern":"t2"},{"pattern":"p"}]"#)
        let path = "/limits/rules/bulk-delete"
        let removed = try fake.send("POST", path, #"[{"pattern":"t2"},{"pattern":"nonexist"}]"#)
        #expect(try removed.json == ["t2"])
        let stale = try fake.send("POST", path, #"[{"pattern":"p","expected_version":99},{"pattern":"dup"}]"#)
        #expect(stale.status == 409)
        #expect(try stale.message == "rule precondition Matches(v99) for pattern p failed (actual version: Some(v1))")
        #expect(fake.registry.rules.rules.count == 1)
        #expect(try fake.send("POST", path, #"[{"pattern":"p","expected_version":1}]"#).json == ["p"])
    }

    @Test(arguments: [
        (
            #"[{"pattern":"t2","limits":{"concurrency":0}}]"#,
            "[0].limits.concurrency: invalid value: integer `0`, expected a nonzero u32"
        ),
        (#"[{"pattern":"a*"}]"#, nil), (#"[{}]"#, nil), (#"{}"#, nil),
        (#"[{"pattern":"a","limits":{"concurrency":-1}}]"#, nil),
        (#"[{"pattern":"a","precondition":{"type":"odd"}}]"#, nil),
        (#"[{"pattern":"a","precondition":{"type":"matches"}}]"#, nil), (#"[{"pattern":"a","disabled":"x"}]"#, nil),
    ])
    func `rules of another form are refused`(body: String, message: String?) throws {
        let fake = AdminFake()
        let response = try fake.send("PUT", "/limits/rules", body)
        #expect(response.status == 422)
        let found = try response.message
        if let message { #expect(found.hasSuffix(message)) }
        #expect(fake.registry.rules.rules.isEmpty)
    }
}
