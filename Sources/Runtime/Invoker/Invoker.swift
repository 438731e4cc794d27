import HoldfastEngine
import HoldfastServiceProtocol
import HoldfastTransport
import HoldfastWire

/// Runs the attempts of the partitions on one event loop.
///
///     actions of a commit ──▶ startAttempt, forward, … ──▶ Attempt ⇄ HTTP exchange ⇄ SDK
///     commands            ◀── reports, startAttempt    ◀──────┘
///
/// It remembers only what dies with the process: which attempts are open, and who backs off until when. After a restart
/// the partitions start everything again, with fresh counters; only what waits in the store, since it was too much for
/// memory, keeps them.
final class Invoker {
    let settings: InvokerSettings
    let transport: any AttemptTransport
    /// The key that signs requests; nil: they are not signed.
    let identity: RequestIdentity?
    unowned let door: any InvokerDoor
    var random = FastRandom()

    private var series: [InvocationID: AttemptSeries] = [:]
    /// All whose exchange has not ended, those that only drain included.
    private var attempts: [Attempt] = []
    /// Of those, the ones of paused invocations that may finish steps.
    private var finishing: [InvocationID: Attempt] = [:]
    private var slots: AttemptSlots
    /// What the attempts hold in memory.
    var memory: AttemptMemory
    /// Starts beyond those that wait in `slots`.
    private var storedStarts = StoredStarts()
    private var backOffs = BackOffQueue()
    /// How many back off, whether their time is in `backOffs` or on its way to the store.
    private var backOffCount = 0
    private var pausedBackOffs = PausedBackOffs()
    private var alarm = Timestamp.distantFuture

    init(
        transport: any AttemptTransport, settings: InvokerSettings, identity: RequestIdentity?, door: any InvokerDoor
    ) {
        self.transport = transport
        self.settings = settings
        self.identity = identity
        self.door = door
        memory = AttemptMemory(limit: settings.memoryLimit)
        slots = AttemptSlots(limit: settings.attemptCountLimit, waitingLimit: settings.waitingCountLimit)
    }

    /// Milliseconds of the loop's clock, which never jumps.
    var now: Timestamp { transport.now }
    /// The time that people see.
    var wallClock: Timestamp { transport.wallClock }

    /// An invoker whose attempts run over HTTP, on the loop of its partitions.
    convenience init(
        loop: EventLoop, client: HTTPClient, configuration: Configuration, loopCount: Int, identity: RequestIdentity?,
        door: any InvokerDoor
    ) {
        self.init(
            transport: HTTPAttempts(loop: loop, client: client),
            settings: InvokerSettings(configuration, loopCount: loopCount), identity: identity, door: door)
    }

    // MARK: - What partitions want

    /// Opens an attempt, or queues it; it supersedes an older one of the same invocation.
    func startAttempt(_ start: AttemptStart, in partition: PartitionIndex) {
        admit(start, in: partition, takenUpFor: nil)
    }

    /// Starts of a deployment that waited in the store; those behind `last` wait still.
    func startDeferred(
        _ starts: [AttemptStart], for deployment: DeploymentID, last: UInt64?, in partition: PartitionIndex
    ) {
        storedStarts.answered(for: deployment, count: starts.count, last: last)
        for start in starts { admit(start, in: partition, takenUpFor: deployment) }
        takeUpStarts(for: deployment)
    }

    /// The process has begun, and a partition has starts of these deployments in the store.
    func foundDeferredStarts(for deployments: [DeploymentID], in partition: PartitionIndex) {
        for deployment in deployments {
            storedStarts.found(for: deployment, in: partition)
            takeUpStarts(for: deployment)
        }
    }

    /// Cuts off the attempt of an invocation, and forgets the invocation.
    func abortAttempt(_ id: InvocationID) { forget(id) }

    /// The invocation suspended or ended. Its attempt may drain, whether or not it has said its last word.
    func release(_ id: InvocationID) { forget(id) { $0.attempt?.dismiss() } }

    /// The invocation paused. Its attempt may finish the steps that it is in.
    func pauseAttempt(_ id: InvocationID) {
        forget(id) { series in
            if series.nextRetry != nil { pausedBackOffs.stopped(Self.live(series)) }
            guard let attempt = series.attempt else { return }
            finishing[id] = attempt
            attempt.finishSteps()
        }
    }

    /// The failure of the last attempt is recorded; the next one will have this epoch.
    func retryLater(_ id: InvocationID, epoch: UInt32) {
        guard let series = series[id] else { return }
        request(series.machine.retryRecorded(epoch: epoch), series)
    }

    /// The failure of the last attempt is recorded, and the store keeps the back-off.
    func backOffStored(_ id: InvocationID, epoch: UInt32) {
        guard let series = series[id] else { return }
        // Somebody who does not want to wait may have come before it was there.
        request(series.machine.retryRecorded(epoch: epoch), series)
        if series.machine.retryDue != nil { forget(id) }
    }

    /// Ends the back-off of an invocation, if there is one.
    func retryNow(_ id: InvocationID) {
        guard let series = series[id] else { return }
        request(series.machine.delayIsOver(), series)
    }

    /// Services were registered: whoever waits for one need not wait any longer.
    func registryChanged() {
        for series in series.values {
            guard let failure = series.lastFailure, Self.awaitsRegistration(failure) else { continue }
            request(series.machine.delayIsOver(), series)
        }
    }

    /// No deployment, no common version, an unknown callee.
    private static let curedByRegistration: Set = ["RT0011", "RT0013", "RT0018"]

    private static func awaitsRegistration(_ failure: AttemptFailure) -> Bool {
        failure.documentedCode.map(curedByRegistration.contains) ?? false
    }

    /// A new journal entry that an attempt of this epoch has to hear of.
    func forward(_ id: InvocationID, epoch: UInt32, index: UInt32, type: MessageType, payload: Bytes) {
        guard let series = series[id] else { return }
        if let attempt = series.attempt, attempt.start.epoch == epoch {
            attempt.forward(index: index, type: type, payload: payload)
        } else if series.waitingStart?.epoch == epoch {
            series.waitingStart?.learned(of: index)
        }
    }

    /// A command whose SDK asked for it is durable.
    func acknowledgeCommand(_ id: InvocationID, epoch: UInt32, commandIndex: UInt32) {
        guard let attempt = series[id]?.attempt, attempt.start.epoch == epoch else { return }
        attempt.acknowledge(commandIndex: commandIndex)
    }

    /// Cuts everything off.
    func shutDown() {
        series.removeAll()
        storedStarts = StoredStarts()
        for attempt in attempts { attempt.abort() }
        transport.cancelAlarm()
    }

    // MARK: - Slots

    private func admit(_ start: AttemptStart, in partition: PartitionIndex, takenUpFor turn: DeploymentID?) {
        // A former life of an id that is used again; its epochs have nothing to do with these.
        if let former = series[start.id], former.incarnation != start.incarnation { forget(start.id) }
        pausedBackOffs.started(start.id)
        finishing[start.id]?.abort()
        let series = series[start.id] ?? begin(start, in: partition)
        guard series.machine.started(epoch: start.epoch, isNewSeries: start.isNewSeries) else { return }
        series.partition = partition
        backsOffNoMore(series)
        series.waitingStart = nil
        series.attempt?.abort()
        do throws(AttemptError) {
            let route = try route(of: start)
            let deployment = route.deployment.id
            // A few that are on their way from the store may be overtaken, a backlog may not.
            let isNext =
                turn == deployment || !start.isNewSeries
                || !storedStarts.hasMore(than: slots.waitingGuaranteed, for: deployment)
            if isNext, slots.take(for: deployment) {
                open(series, start, on: route)
            } else {
                wait(series, start, for: deployment, takenUpFor: turn)
            }
        } catch {
            series.machine.slotGranted()
            failed(series, start, error, pin: start.pinned, policy: policy(of: start), after: [])
        }
    }

    private func begin(_ start: AttemptStart, in partition: PartitionIndex) -> AttemptSeries {
        let new = AttemptSeries(start, in: partition)
        series[start.id] = new
        return new
    }

    private func route(of start: AttemptStart) throws(AttemptError) -> AttemptRoute {
        try AttemptRoute(of: start, registry: door.registry, newestVersion: settings.newestVersion)
    }

    private func wait(
        _ series: AttemptSeries, _ start: AttemptStart, for deployment: DeploymentID,
        takenUpFor turn: DeploymentID? = nil
    ) {
        // What is taken up was asked for, since there is room; and who has failed before, or was here when the process
        // ended, comes before all that wait in the store.
        let isExpected =
            turn == deployment || !start.isNewSeries && slots.waitingCount < 2 * slots.waitingLimit
        // Nobody overtakes those that wait in the store.
        if isExpected || slots.hasWaitingRoom(for: deployment) && !storedStarts.hasAny(for: deployment) {
            series.waitingStart = start
            slots.wait(
                AttemptSlots.Waiting(id: start.id, partition: series.partition, epoch: start.epoch), for: deployment)
        } else {
            self.series[start.id] = nil
            storedStarts.add(for: deployment, in: series.partition)
            let backOff =
                series.machine.attempts > 0 ? series.backOff(due: wallClock, awaitsRegistration: false) : nil
            door.submit(
                .deferStart(start.id, epoch: start.epoch, for: deployment, behind: backOff), to: series.partition)
            takeUpStarts(for: deployment)
        }
    }

    /// Opens attempts while there are slots.
    private func openNext() {
        while let next = slots.next() {
            guard let series = series[next.id], series.machine.isWaiting(epoch: next.epoch),
                let start = series.waitingStart
            else { continue }
            series.waitingStart = nil
            do throws(AttemptError) {
                let route = try route(of: start)
                guard slots.take(for: route.deployment.id) else {
                    // Its service has moved to another deployment meanwhile.
                    wait(series, start, for: route.deployment.id)
                    continue
                }
                open(series, start, on: route)
            } catch {
                series.machine.slotGranted()
                failed(series, start, error, pin: start.pinned, policy: policy(of: start), after: [])
            }
        }
        for deployment in storedStarts.deployments { takeUpStarts(for: deployment) }
    }

    /// Asks for the next starts that wait in the store, if there is room for them.
    private func takeUpStarts(for deployment: DeploymentID) {
        let room = slots.waitingShortage(for: deployment)
        guard room > 0, let next = storedStarts.next(for: deployment) else { return }
        door.submit(.takeUpStarts(for: deployment, after: next.after, limit: room), to: next.partition)
    }

    private func open(_ series: AttemptSeries, _ start: AttemptStart, on route: AttemptRoute) {
        series.machine.slotGranted()
        series.lastStart = wallClock
        series.lastDeployment = route.deployment.id
        let attempt = Attempt(series, start, on: route, by: self)
        series.attempt = attempt
        attempt.place = attempts.count
        attempts.append(attempt)
        do throws(AttemptError) {
            try attempt.begin(on: route)
            watch(attempt)
        } catch {
            attemptFailed(attempt, error)
            attempt.abort()
        }
    }

    // MARK: - What attempts say

    func report(_ messages: [AttemptMessage], of attempt: Attempt) {
        let report = AttemptReport(
            id: attempt.start.id, epoch: attempt.start.epoch, incarnation: attempt.start.incarnation,
            deployment: attempt.pin, messages: messages)
        door.submit(.attempt(report), to: attempt.series.partition)
    }

    /// The attempt has ended, suspended or failed: its slot is free.
    func attemptIsOver(_ attempt: Attempt) {
        attempt.series.lastServer = attempt.server
        guard attempt.series.attempt === attempt else { return }
        attempt.series.attempt = nil
        if finishing[attempt.start.id] === attempt { finishing[attempt.start.id] = nil }
        slots.give(back: attempt.pin.deployment)
        openNext()
    }

    func attemptFailed(_ attempt: Attempt, _ error: AttemptError, after messages: [AttemptMessage] = []) {
        failed(
            attempt.series, attempt.start, error, pin: attempt.pin, policy: attempt.retryPolicy, after: messages)
        attemptIsOver(attempt)
    }

    /// The exchange has ended: nothing is left of the attempt.
    func exchangeIsOver(_ attempt: Attempt) {
        guard attempt.place < attempts.count, attempts[attempt.place] === attempt else { return }
        attempts.swapAt(attempt.place, attempts.count - 1)
        attempts[attempt.place].place = attempt.place
        attempts.removeLast()
        attemptIsOver(attempt)
    }

    private func failed(
        _ series: AttemptSeries, _ start: AttemptStart, _ error: AttemptError, pin: PinnedDeployment?,
        policy: RetryPolicy, after messages: [AttemptMessage]
    ) {
        let verdict = series.machine.failed(
            error, policy: policy, now: now, jitter: Double.random(in: 0..<1, using: &random))
        series.lastFailure = error.failure
        let next: AfterFailure
        switch verdict {
        case .retry(let due):
            next = backOff(series, until: due, after: error.failure)
        case .pause: next = .pause
        case .end: next = .end
        }
        log(series, error, next, pin)
        // Before anything was pinned the deployment of a failure is not looked at.
        let pin = pin ?? PinnedDeployment(deployment: DeploymentID(0), version: settings.newestVersion)
        let report = AttemptReport(
            id: start.id, epoch: start.epoch, incarnation: start.incarnation, deployment: pin,
            messages: messages + [.failed(error.failure, next: next)])
        door.submit(.attempt(report), to: series.partition)
    }

    /// The back-off waits here while there is room, else in the store.
    private func backOff(_ series: AttemptSeries, until due: Timestamp, after failure: AttemptFailure) -> AfterFailure {
        let nextRetry = wallClock.advanced(by: due.milliseconds(since: now))
        series.nextRetry = nextRetry
        backOffCount += 1
        guard backOffCount <= settings.backOffCountLimit else {
            return .retryStored(series.backOff(due: nextRetry, awaitsRegistration: Self.awaitsRegistration(failure)))
        }
        if backOffs.count > 2 * settings.backOffCountLimit {
            backOffs.removeAll { [series = self.series] id, due in series[id]?.machine.retryDue != due }
        }
        backOffs.insert(series.id, due: due)
        setAlarm(for: due)
        return .retry
    }

    private func backsOffNoMore(_ series: AttemptSeries) {
        guard series.nextRetry != nil else { return }
        series.nextRetry = nil
        backOffCount -= 1
    }

    private func policy(of start: AttemptStart) -> RetryPolicy {
        let registry = door.registry
        return registry.resolve(service: start.target.service, handler: start.target.handler)?.retryPolicy
            ?? registry.defaults.retryPolicy
    }

    private func log(_ series: AttemptSeries, _ error: AttemptError, _ next: AfterFailure, _ pin: PinnedDeployment?) {
        func fields() -> Log.Fields {
            [
                "invocation": series.id, "deployment": pin?.deployment, "attempt": series.machine.attempts,
                "code": error.failure.code, "documented": error.failure.documentedCode,
                "reason": error.failure.message, "command": error.failure.commandType,
                "name": error.failure.commandName,
                "retry_in": series.nextRetry.map { formatDuration(.milliseconds($0.milliseconds(since: wallClock))) },
            ]
        }
        switch next {
        case .retry, .retryStored: Log.info("An attempt failed; there will be another.", fields())
        case .pause: Log.warn("The last attempt failed: the invocation pauses until somebody resumes it.", fields())
        case .end: Log.warn("The last attempt failed: the invocation ends with its error.", fields())
        }
    }

    // MARK: - Forgetting

    /// Nothing comes of the invocation's attempt from here on, and its slot is given back.
    private func forget(_ id: InvocationID, end: (AttemptSeries) -> Void = { $0.attempt?.abort() }) {
        finishing[id]?.abort()
        guard let series = series.removeValue(forKey: id) else { return }
        end(series)
        backsOffNoMore(series)
    }

    private func request(_ action: AttemptMachine.Action, _ series: AttemptSeries) {
        guard case .requestStart(let epoch) = action else { return }
        backsOffNoMore(series)
        door.submit(.startAttempt(series.id, epoch: epoch), to: series.partition)
    }

    // MARK: - Time

    /// Looks after the attempt's deadline, which may only have come nearer than what the alarm is set to.
    func watch(_ attempt: Attempt) { setAlarm(for: attempt.deadline) }

    /// One alarm serves all: deadlines move with every message, and are looked at only when the nearest one of those
    /// that were set has come.
    private func setAlarm(for due: Timestamp) {
        guard due < alarm else { return }
        alarm = due
        transport.setAlarm(after: due.milliseconds(since: now)) { [unowned self] in alarmRang() }
    }

    private func alarmRang() {
        alarm = .distantFuture
        let now = now
        while let id = backOffs.removeDue(now: now) {
            guard let series = series[id] else { continue }
            request(series.machine.delayIsOver(now: now), series)
        }
        // From the back: an attempt that goes makes room by moving the last one, which was looked at already.
        for place in attempts.indices.reversed() where place < attempts.count {
            let attempt = attempts[place]
            if attempt.deadline <= now { attempt.deadlinePassed() }
        }
        let nearest = attempts.reduce(backOffs.nextDue ?? .distantFuture) { min($0, $1.deadline) }
        if nearest < .distantFuture { setAlarm(for: nearest) }
    }

    /// Whether hardly anything can come of its attempts soon: at most one runs, and another one is just ending.
    var isNearlyIdle: Bool { attempts.count <= 2 }

    // MARK: - Operators

    /// What runs, what backs off, and what was stopped while it backed off, in no order.
    var liveInvocations: [LiveInvocation] { series.values.map(Self.live) + pausedBackOffs.all }

    private static func live(_ series: AttemptSeries) -> LiveInvocation {
        LiveInvocation(
            id: series.id, partition: series.partition, isInFlight: series.machine.isOpen,
            attempts: series.machine.attempts, lastStart: series.lastStart, lastDeployment: series.lastDeployment,
            lastServer: series.attempt?.server ?? series.lastServer, nextRetry: series.nextRetry,
            lastFailure: series.lastFailure, awaitingOn: series.attempt?.awaitingOn)
    }
}

extension AttemptStart {
    /// A notification came while the start waits: it is replayed with the others.
    fileprivate mutating func learned(of index: UInt32) {
        guard index >= journalLength, index < .max else { return }
        journalLength = index + 1
    }
}
