import HoldfastTransport
import HoldfastWire

/// What clients ask for.
enum Workload: String, CaseIterable {
    case echo, state, steps

    /// What a table says.
    var title: String {
        switch self {
        case .echo: "call"
        case .state: "object call, one state write"
        case .steps: "three steps"
        }
    }

    /// Each lane calls an object of its own, so that no call waits for another one.
    func path(lane: Int) -> String {
        switch self {
        case .echo: "/Bench/echo"
        case .state: "/Account/account-\(lane)/add"
        case .steps: "/Steps/run"
        }
    }

    /// How many commits, one after the other, must be durable before a call is answered.
    var commitCount: Int {
        switch self {
        case .echo, .state: 2
        case .steps: 5
        }
    }

    /// The number of calls that are in progress at the same time.
    static let concurrencies = [1, 64, 512]
    static let body = Bytes(utf8: #"{"name":"Ada","amount":1815,"note":"a body of 64 bytes, or so"}"#)
}

/// A request that lanes repeat.
struct LoadRequest {
    var origin: HTTPOrigin
    var path: (_ lane: Int) -> String
    var status = 200

    static func ingress(port: Int, _ workload: Workload) -> LoadRequest {
        LoadRequest(origin: .local(port), path: workload.path(lane:))
    }
}

extension HTTPOrigin {
    static func local(_ port: Int) -> HTTPOrigin { HTTPOrigin(secure: false, host: "127.0.0.1", port: port) }
}
