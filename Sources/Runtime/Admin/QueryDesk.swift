import Dispatch
import HoldfastTransport
import HoldfastWire

/// Runs the queries of all event loops, one after the other, on a thread of its own: they take milliseconds to
/// seconds, and no loop may wait for that.
final class QueryDesk: Sendable {
    private let engine: QueryEngine
    private let queue = DispatchQueue(label: "holdfast-queries")
    private let admission: RequestAdmission
    private let whenDurable: WhenDurable

    /// Calls `leave` on the loop that it is called on, when all that a query can have read is durable.
    typealias WhenDurable = @Sendable (_ loop: EventLoop, _ leave: @escaping () -> Void) -> Void

    /// - Parameter queryCountMax: How many queries may run or wait; further ones are answered with 429.
    init(
        engine: QueryEngine, queryCountMax: Int = 512, whenDurable: @escaping WhenDurable = { _, leave in leave() }
    ) {
        self.engine = engine
        self.whenDurable = whenDurable
        admission = RequestAdmission(limit: queryCountMax)
    }

    /// Runs a query; `done` is called on `loop`, once.
    ///
    /// - Parameter accept: The request's header, which decides between JSON and Arrow.
    func run(
        _ sql: String, accept: String?, now: Timestamp, on loop: EventLoop, done: @escaping (AdminResponse) -> Void
    ) {
        guard admission.enter() else {
            var refusal = Self.response(.tooManyQueries)
            refusal.headers.append(("retry-after", "1"))
            return done(refusal)
        }
        let done = LoopBound(done, on: loop)
        let format = QueryEngine.Format(accept: accept)
        queue.async { [self] in
            let response: AdminResponse
            do throws(QueryError) {
                let answer = try engine.run(sql, format: format, now: now)
                response = AdminResponse(
                    status: 200, headers: [("content-type", answer.contentType)], body: answer.body[...])
            } catch {
                response = Self.response(error)
            }
            admission.leave()
            done.perform { [whenDurable] done in whenDurable(loop) { done(response) } }
        }
    }

    /// Errors of queries have no code, not even a null one (admin §1.2).
    private static func response(_ error: QueryError) -> AdminResponse {
        .json(error.status, ["message": .string(error.message)])
    }
}
