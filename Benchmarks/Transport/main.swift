import HoldfastTransport
import HoldfastWire

/// A server to be measured with `h2load`, `curl` and the like:
///
///     TransportBenchmark [port] [loops]
///     h2load --requests=200000 --clients=8 --max-concurrent-streams=16 --data=body http://127.0.0.1:8081/echo
///
/// `/echo` answers with the request's body, `/stream` sends it back piece by piece, `/bytes/<n>` answers with n bytes,
/// `/<status>` with that status.
final class Echo: HTTPService {
    func received(_ exchange: ServerExchange) {
        let parts = exchange.request.path.split(separator: "/")
        switch parts.first {
        case "stream": stream(exchange)
        case "bytes":
            exchange.respond(
                .init(status: 200), body: Bytes(repeating: 120, count: parts.last.flatMap { Int($0) } ?? 0))
        case let status? where Int(status) != nil: exchange.respond(.init(status: Int(status) ?? 200), body: [])
        default: echo(exchange)
        }
    }

    private func echo(_ exchange: ServerExchange) {
        exchange.collectBody(limit: 32 << 20) { result in
            switch result {
            case .success(let body):
                exchange.respond(.init(status: 200, headers: ["content-type": "application/octet-stream"]), body: body)
            case .failure: exchange.respond(.init(status: 413), body: [])
            }
        }
    }

    private func stream(_ exchange: ServerExchange) {
        exchange.start(.init(status: 200))
        exchange.onWritable = { [unowned exchange] in exchange.resumeReading() }
        exchange.readBody(
            { [unowned exchange] in if !exchange.write($0) { exchange.pauseReading() } },
            end: { [unowned exchange] _ in exchange.finish() })
    }
}

let port = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 8081
let loops = CommandLine.arguments.dropFirst(2).first.flatMap { Int($0) } ?? 1
let group = try LoopGroup(count: loops)
let server = try HTTPServer(group: group) { _ in Echo() }
print("listening on \(try server.listen(host: "::", port: port))")
for loop in group.loops.dropFirst() { loop.start() }
group.loops[0].run()
