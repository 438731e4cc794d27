import HoldfastWire

/// The HTTP ingress of one event loop: what clients call, send to, and ask results of (ingress §1).
///
/// The layers of a request, outermost first: the declared length, CORS, the bound on requests in progress, routing.
final class IngressService {
    let door: any PartitionDoor
    let settings: IngressSettings
    /// Nil: any number of requests may be in progress.
    let admission: RequestAdmission?
    var random: FastRandom

    /// - Parameter admission: Shared by all loops.
    init(
        door: any PartitionDoor, settings: IngressSettings, admission: RequestAdmission?,
        random: FastRandom = FastRandom()
    ) {
        self.door = door
        self.settings = settings
        self.admission = admission
        self.random = random
    }
}
