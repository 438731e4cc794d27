import HoldfastTransport
import HoldfastWire

/// What an invoker needs of the world: somebody who carries its attempts, and the time.
///
/// Attempts run over HTTP in a server; embedded programs and tests have other carriers.
protocol AttemptTransport: AnyObject {
    /// Begins an exchange. What comes of it is told to `attempt`, never within this call.
    func open(_ head: HTTPRequestHead, to deployment: Deployment, for attempt: Attempt) -> any AttemptStream

    /// Milliseconds of a clock that never jumps.
    var now: Timestamp { get }
    /// The time that people see.
    var wallClock: Timestamp { get }

    /// Calls `ring` once, after so many milliseconds. There is one alarm: setting it replaces the former one.
    func setAlarm(after milliseconds: UInt64, _ ring: @escaping () -> Void)
    /// Nobody wants to be woken any more.
    func cancelAlarm()
}

/// The way to an SDK. After `cancel`, and after the end was told, nothing more comes of it.
protocol AttemptStream: AnyObject {
    /// Sends bytes. False: there is enough under way; wait until the attempt is told that it is writable.
    func write(_ bytes: [UInt8]) -> Bool
    /// Ends the request; the response goes on.
    func finish()
    /// Cuts both directions off.
    func cancel()
}
