import HoldfastEngine
import HoldfastServiceProtocol
import HoldfastWire

@testable import HoldfastRuntime

/// The handlers behind the recorded exchanges, as far as the exchanges call them.
final class RecordedHandlers {
    private var counters: [ObjectID: Int64] = [:]

    func run(_ request: InvokeRequest) -> FakePartition.Ending? {
        guard let input = try? InputCommand(decoding: request.input) else { return nil }
        let argument = try? JSON(parsing: input.value)
        switch (request.target.service, request.target.handler) {
        case ("Greeter", "greet"): return value(#""Hello \#(argument?.string ?? "")""#)
        case ("Greeter", "void"): return value("")
        case ("Greeter", "nap"), ("Greeter", "awk"): return nil
        case ("Greeter", "fail"): return failure(argument)
        case ("Counter", "add"):
            counters[request.target.object, default: 0] += argument?.int ?? 0
            return value("\(counters[request.target.object] ?? 0)")
        case ("Counter", "get"): return value("\(counters[request.target.object] ?? 0)")
        case ("Counter", "key"): return value(Self.escaped(request.target.key))
        case ("Quick", "run"):
            guard argument?.string != "fail" else {
                return .init(
                    completion: .failure(
                        Failure(code: 422, message: "quick failed", metadata: [.init(key: "a", value: "b")])))
            }
            return value(#""quick \#(argument?.string ?? "")""#)
        default: return raw(input, argument)
        }
    }

    private func raw(_ input: InputCommand, _ argument: JSON?) -> FakePartition.Ending? {
        switch argument?["do"]?.string {
        case "headers":
            let pairs = input.headers.map { #"["\#($0.key)", "\#($0.value)"]"# }
            return value("[\(pairs.joined(separator: ", "))]")
        case "empty": return value("")
        case "fail": return failure(argument)
        case "error":
            var ending = failure(argument)
            ending?.stacktrace = argument?["stack"]?.string
            return ending
        case "nothing": return .init(completion: .failure(Failure(code: 500, message: "unknown")))
        default: return .init(completion: .value(input.value))
        }
    }

    private func value(_ text: String) -> FakePartition.Ending { .init(completion: .value(Bytes(utf8: text))) }

    private func failure(_ argument: JSON?) -> FakePartition.Ending? {
        let metadata = argument?["meta"]?.members ?? []
        return .init(
            completion: .failure(
                Failure(
                    code: UInt32(argument?["code"]?.uint ?? 500), message: argument?["msg"]?.string ?? "",
                    metadata: metadata.map { .init(key: $0.key, value: $0.value.string ?? "") })))
    }

    /// As Python writes a text: ASCII only.
    private static func escaped(_ text: String) -> String {
        let units = text.utf16.map { unit in
            guard unit < 0x20 || unit > 0x7E else { return String(UnicodeScalar(UInt8(unit))) }
            let digits = String(unit, radix: 16)
            return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }
        return "\"" + units.joined() + "\""
    }
}
