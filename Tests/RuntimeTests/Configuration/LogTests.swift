import HoldfastWire
import Testing

@testable import HoldfastRuntime

struct LogTests {
    private let time = Timestamp(millis: 1_764_075_600_123)

    private func line(_ fields: Log.Fields, _ format: Log.Format) -> String {
        String(decoding: Log.line(.info, "Registered a deployment.", fields, at: time, format: format), as: UTF8.self)
    }

    @Test func `a text line has time, level, sentence and fields`() {
        #expect(
            line(["deployment": "dp_1", "services": 2, "reason": nil as String?], .text)
                == "2025-11-25T13:00:00.123Z INFO  Registered a deployment. deployment=dp_1 services=2\n")
    }

    @Test func `a value cannot fake another field or line`() {
        #expect(line(["reason": "a b=c\nx"], .text).hasSuffix("deployment. reason=\"a b=c\\nx\"\n"))
        #expect(line(["reason": ""], .text).hasSuffix("reason=\"\"\n"))
    }

    @Test func `a JSON line is one object`() throws {
        let json = try JSON(parsing: line(["invocation": "inv_1"], .json))
        #expect(json["level"] == "INFO")
        #expect(json["message"] == "Registered a deployment.")
        #expect(json["invocation"] == "inv_1")
        #expect(json["timestamp"] == "2025-11-25T13:00:00.123Z")
    }

    @Test(arguments: [
        ("info", Log.Level.info), ("warn,restate=info", .info), ("warn,holdfast=debug", .debug), ("DEBUG", .debug),
        ("restate=trace", .trace), ("error,hyper=debug", .error), ("off", .off), ("restate=warn,info", .warn),
    ])
    func `of a filter our part counts`(filter: String, level: Log.Level) {
        #expect(Log.Level(filter: filter) == level)
    }

    @Test func `a word that is no level is refused`() {
        #expect(Log.Level(filter: "loud") == nil)
        #expect(Log.Level(filter: "") == nil)
    }
}
