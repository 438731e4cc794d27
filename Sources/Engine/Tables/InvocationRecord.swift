import HoldfastServiceProtocol
import HoldfastWire

/// What is stored of an invocation besides its journal, under its id.
public struct InvocationRecord: Sendable {
    /// Where it is in its life.
    public internal(set) var status: InvocationStatus
    /// Which life of its id this is: timers, replies and expiries of former ones are dropped (rule 7).
    public internal(set) var incarnation: UInt64
    /// What it calls.
    public internal(set) var target: InvocationTarget
    /// Where it came from.
    public internal(set) var source: InvocationSource
    /// The command of another invocation that waits for the result since the beginning.
    var caller: CallerReference?
    /// Whether further callers are in the table of callers.
    var hasMoreCallers = false
    /// The key of an idempotent request.
    public internal(set) var idempotencyKey: String?
    /// The limit key, if any.
    public internal(set) var limitKey: String?
    /// The requested start time, if delayed.
    public internal(set) var executionTime: Timestamp?
    /// How long the result is kept, in milliseconds.
    public internal(set) var completionRetention: UInt64
    /// How long the journal is kept, in milliseconds.
    public internal(set) var journalRetention: UInt64
    /// Entries stored; 0 once the journal is gone.
    public internal(set) var journalLength: UInt32 = 0
    /// Commands among them.
    public internal(set) var commandCount: UInt32 = 0
    /// Events stored.
    public internal(set) var eventCount: UInt32 = 0
    /// What former lives of the id may have left in the store.
    var remains = JournalRows()
    /// Index of the last Output command.
    var outputIndex: UInt32?
    /// The deployment and version that its attempts run on.
    public internal(set) var pinned: PinnedDeployment?
    /// Grows with each start of an attempt: reports of former ones are dropped (rule 3).
    public internal(set) var epoch: UInt32 = 0
    /// Whether a command came since the last failure was recorded: then an equal failure is news.
    var hasProgressed = true
    /// When it was accepted.
    public internal(set) var created: Timestamp
    /// When its status changed last, or its journal grew.
    public internal(set) var modified: Timestamp
    /// When it became scheduled, if ever.
    public internal(set) var scheduled: Timestamp?
    /// When it was put into an inbox, if ever.
    public internal(set) var inboxed: Timestamp?
    /// When it was first started.
    public internal(set) var running: Timestamp?
    /// When it ended.
    public internal(set) var completed: Timestamp?
    /// Its place in the inbox while it waits there.
    var inboxSequence: UInt64 = 0
    /// Its place among the starts that wait in the store; 0: it does not wait there.
    var deferredSequence: UInt64 = 0
    /// The back-off that it waits in, or was paused in, or has behind it while it waits in the store for its start.
    public internal(set) var backOff: BackOff?
    /// What it waits for while suspended.
    public internal(set) var waitingFor: Future?
    /// Completions among those that only its own next attempt can bring: the results of its open steps.
    var openSteps: [UInt32] = []
    /// The seed of its random numbers, if it is not that of its id.
    var randomSeed: UInt64?
    /// How it ended.
    public internal(set) var result: Completion?

    init(_ request: InvokeRequest, incarnation: UInt64, now: Timestamp) {
        status = .invoked
        self.incarnation = incarnation
        target = request.target
        source = request.source
        idempotencyKey = request.idempotencyKey
        limitKey = request.limitKey
        executionTime = request.executionTime
        completionRetention = request.completionRetention
        journalRetention = request.journalRetention
        created = now
        modified = now
    }

    /// Whether its next try waits in the store for its time.
    public var isBackingOff: Bool { status == .invoked && backOff != nil && deferredSequence == 0 }

    /// When the result will be forgotten; nil while there is none.
    public var expires: Timestamp? { completed.map { $0.advanced(by: completionRetention) } }
}

/// The records of the partition's invocations.
///
///     partition · invocation id   →   version (1 byte) · record (protobuf)
public struct InvocationTable {
    let partition: PartitionIndex

    /// The table of one partition.
    public init(partition: PartitionIndex) { self.partition = partition }

    /// The invocation's record, or nil if there is none.
    public func record(_ id: InvocationID, _ store: any ReadableStore) throws(StorageError) -> InvocationRecord? {
        guard let value = try store.get(.invocations, key(id)) else { return nil }
        return try InvocationRecord(stored: value)
    }

    /// Whether there is a record that cannot be decoded.
    func isDamaged(_ id: InvocationID, _ store: any ReadableStore) throws(StorageError) -> Bool {
        guard let value = try store.get(.invocations, key(id)) else { return false }
        return (try? InvocationRecord(stored: value)) == nil
    }

    func put(_ record: InvocationRecord, _ id: InvocationID, _ store: any Transaction) {
        store.put(.invocations, key(id), record.stored[...])
    }

    func remove(_ id: InvocationID, _ store: any Transaction) {
        store.delete(.invocations, key(id))
    }

    /// Visits the records behind `previous`, in the order of ids, until `visit` returns false.
    public func all(
        after previous: InvocationID? = nil, _ store: any ReadableStore,
        _ visit: (_ id: InvocationID, _ record: InvocationRecord) throws(StorageError) -> Bool
    ) throws(StorageError) {
        try rows(after: previous, store) { id, value throws(StorageError) in
            try visit(id, try InvocationRecord(stored: value))
        }
    }

    /// Visits the records behind `previous` as they are stored, whether they can be decoded or not.
    func rows(
        after previous: InvocationID?, _ store: any ReadableStore,
        _ visit: (_ id: InvocationID, _ value: Bytes) throws(StorageError) -> Bool
    ) throws(StorageError) {
        let rows = Key(partition)
        var from = rows.bytes
        if let previous { from = key(previous) + [0] }
        try store.scan(.invocations, from: from, to: rows.end) { key, value throws(StorageError) in
            var reader = try StoreReader(key: key)
            return try visit(try reader.invocationID(), value)
        }
    }

    private func key(_ id: InvocationID) -> [UInt8] {
        var key = Key(partition, capacity: 26)
        key.append(id)
        return key.bytes
    }
}

extension InvocationRecord {
    private static let version: UInt8 = 1

    private enum Field {
        static let status: UInt32 = 1, incarnation: UInt32 = 2, target: UInt32 = 3, source: UInt32 = 4
        static let caller: UInt32 = 5, hasMoreCallers: UInt32 = 6, idempotencyKey: UInt32 = 7, limitKey: UInt32 = 8
        static let executionTime: UInt32 = 9, completionRetention: UInt32 = 10, journalRetention: UInt32 = 11
        static let journalLength: UInt32 = 12, commandCount: UInt32 = 13, eventCount: UInt32 = 14
        static let outputIndex: UInt32 = 15, deployment: UInt32 = 16, protocolVersion: UInt32 = 17, epoch: UInt32 = 18
        static let hasProgressed: UInt32 = 19, created: UInt32 = 20, modified: UInt32 = 21, scheduled: UInt32 = 22
        static let inboxed: UInt32 = 23, running: UInt32 = 24, completed: UInt32 = 25, inboxSequence: UInt32 = 26
        static let waitingFor: UInt32 = 27, result: UInt32 = 28, openSteps: UInt32 = 29, randomSeed: UInt32 = 30
        static let deferredSequence: UInt32 = 31, formerEntries: UInt32 = 32, formerEvents: UInt32 = 33
        static let backOff: UInt32 = 34
    }

    var stored: [UInt8] {
        var writer = ProtobufWriter(capacity: 256)
        writer.number(Field.status, UInt32(status.rawValue))
        writer.number(Field.incarnation, incarnation)
        writer.message(Field.target) { target.encode(into: &$0) }
        writer.message(Field.source) { source.encode(into: &$0) }
        if let caller { writer.message(Field.caller) { caller.encode(into: &$0) } }
        writer.bool(Field.hasMoreCallers, hasMoreCallers)
        writer.string(Field.idempotencyKey, optional: idempotencyKey)
        writer.string(Field.limitKey, optional: limitKey)
        writer.number(Field.executionTime, optional: executionTime?.millis)
        writer.number(Field.completionRetention, completionRetention)
        writer.number(Field.journalRetention, journalRetention)
        writer.number(Field.journalLength, journalLength)
        writer.number(Field.commandCount, commandCount)
        writer.number(Field.eventCount, eventCount)
        writer.number(Field.outputIndex, optional: outputIndex)
        if let pinned {
            writer.bytes(Field.deployment, pinned.deployment.bytes[...])
            writer.number(Field.protocolVersion, UInt32(pinned.version.rawValue))
        }
        writer.number(Field.epoch, epoch)
        writer.bool(Field.hasProgressed, hasProgressed)
        writer.number(Field.created, created.millis)
        writer.number(Field.modified, modified.millis)
        writer.number(Field.scheduled, optional: scheduled?.millis)
        writer.number(Field.inboxed, optional: inboxed?.millis)
        writer.number(Field.running, optional: running?.millis)
        writer.number(Field.completed, optional: completed?.millis)
        writer.number(Field.inboxSequence, inboxSequence)
        if let waitingFor { writer.bytes(Field.waitingFor, optional: waitingFor.encoded[...]) }
        if let result { writer.message(Field.result) { result.encode(into: &$0) } }
        writer.packed(Field.openSteps, openSteps)
        writer.number(Field.randomSeed, optional: randomSeed)
        writer.number(Field.deferredSequence, deferredSequence)
        writer.number(Field.formerEntries, remains.entries)
        writer.number(Field.formerEvents, remains.events)
        if let backOff { writer.message(Field.backOff) { backOff.encode(into: &$0) } }
        // The version in front costs one insertion of a short array; a record has some 200 bytes.
        return [Self.version] + writer.bytes
    }

    init(stored value: Bytes) throws(StorageError) {
        guard value.first == Self.version else {
            throw .damagedRecord("invocation", "its version is \(value.first.map(String.init) ?? "missing")")
        }
        do throws(WireError) {
            try self.init(fields: value.dropFirst())
        } catch {
            throw .damagedRecord("invocation", error.what)
        }
    }

    private init(fields: Bytes) throws(WireError) {
        var reader = ProtobufReader(fields)
        var record = InvocationRecord()
        var deployment: DeploymentID?
        var version: ProtocolVersion?
        while let field = try reader.next() {
            switch field.number {
            case Field.status: record.status = try field.stored(InvocationStatus.init(rawValue:))
            case Field.incarnation: record.incarnation = try field.u64
            case Field.target: record.target = try InvocationTarget(decoding: try field.bytes)
            case Field.source: record.source = try InvocationSource(decoding: try field.bytes)
            case Field.caller: record.caller = try CallerReference(decoding: try field.bytes)
            case Field.hasMoreCallers: record.hasMoreCallers = try field.bool
            case Field.idempotencyKey: record.idempotencyKey = try field.string
            case Field.limitKey: record.limitKey = try field.string
            case Field.executionTime: record.executionTime = try field.timestamp
            case Field.completionRetention: record.completionRetention = try field.u64
            case Field.journalRetention: record.journalRetention = try field.u64
            case Field.journalLength: record.journalLength = try field.u32
            case Field.commandCount: record.commandCount = try field.u32
            case Field.eventCount: record.eventCount = try field.u32
            case Field.outputIndex: record.outputIndex = try field.u32
            case Field.deployment: deployment = DeploymentID(bytes: try field.bytes)
            case Field.protocolVersion: version = ProtocolVersion(rawValue: UInt8(truncatingIfNeeded: try field.u32))
            case Field.epoch: record.epoch = try field.u32
            case Field.hasProgressed: record.hasProgressed = try field.bool
            case Field.created: record.created = try field.timestamp
            case Field.modified: record.modified = try field.timestamp
            case Field.scheduled: record.scheduled = try field.timestamp
            case Field.inboxed: record.inboxed = try field.timestamp
            case Field.running: record.running = try field.timestamp
            case Field.completed: record.completed = try field.timestamp
            case Field.inboxSequence: record.inboxSequence = try field.u64
            case Field.waitingFor: record.waitingFor = try field.future
            case Field.result: record.result = try Completion(decoding: try field.bytes)
            case Field.openSteps: try field.appendU32(to: &record.openSteps)
            case Field.randomSeed: record.randomSeed = try field.u64
            case Field.deferredSequence: record.deferredSequence = try field.u64
            case Field.formerEntries: record.remains.entries = try field.u32
            case Field.formerEvents: record.remains.events = try field.u32
            case Field.backOff: record.backOff = try BackOff(decoding: try field.bytes)
            default: break  // A field of a newer version.
            }
        }
        if let deployment, let version { record.pinned = PinnedDeployment(deployment: deployment, version: version) }
        self = record
    }

    private init() {
        status = .completed
        incarnation = 0
        target = InvocationTarget(service: "", handler: "", kind: .service)
        source = .engine
        completionRetention = 0
        journalRetention = 0
        hasProgressed = false
        created = Timestamp(millis: 0)
        modified = Timestamp(millis: 0)
    }
}
