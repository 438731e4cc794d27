/// Why a server could not start.
public struct ServerError: Error, CustomStringConvertible {
    /// What happened, why, and what to do.
    public let description: String

    init(_ description: String) { self.description = description }

    /// Turns the errors of the layers below, whose messages say it all, into this one.
    static func wrap<Value>(_ body: () throws -> Value) throws(ServerError) -> Value {
        do {
            return try body()
        } catch {
            throw ServerError("\(error)")
        }
    }
}
