/// One HTTP request at a time, for the commands.
enum WebClient {
    struct Answer {
        let status: Int
        /// Names in lower case.
        let headers: [(name: String, value: String)]
        let body: [UInt8]
    }

    enum Failure: Error {
        case badURL(String)
        case unreachable(String)
    }

    static func send(
        _ method: String, _ url: String, headers: [(String, String)], body: [UInt8]?
    ) throws(Failure) -> Answer {
        throw .unreachable("this build has no client")
    }
}
