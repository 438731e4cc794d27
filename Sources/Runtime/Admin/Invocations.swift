import HoldfastEngine
import HoldfastWire

extension AdminAPI {
    /// The most invocations that one batch may name.
    static let batchSizeMax = 1000

    /// One operation on one invocation.
    func operate(_ operation: InvocationOperation, _ call: AdminCall) throws(AdminError) {
        let id = try invocationID(call)
        var choice = operation.defaultDeployment
        if let text = try call.query("deployment"), operation == .resume || operation == .restart {
            choice = try Self.deploymentChoice(text) { .queryValue("deployment", $0) }
        }
        var from: UInt32 = 0
        if operation == .restart, let text = try call.query("from") {
            guard let index = UInt32(text) else { throw .queryValue("from", "'\(text)' is no journal index") }
            from = index
        }
        operate(operation, on: id, choice, from: from) { result in
            switch result {
            case .success(.done): call.respond(.empty(200))
            case .success(.accepted): call.respond(.empty(202))
            case .success(.restarted(let id)):
                call.respond(.json(200, ["new_invocation_id": .string(id.description)]))
            case .success(.refused(let refusal)):
                call.respond(.error(AdminError(refusal.status, refusal.message)))
            case .failure(let error): call.respond(.error(error))
            }
        }
    }

    /// The older way, which answers before anything is known of the invocation.
    func deleteInvocation(_ call: AdminCall) throws(AdminError) {
        let id = try invocationID(call)
        let mode = try call.query("mode") ?? "cancel"
        let operations: [String: InvocationOperation] = [
            "cancel": .cancel, "Cancel": .cancel, "kill": .kill, "Kill": .kill, "purge": .purge, "Purge": .purge,
        ]
        guard let operation = operations[mode] else {
            throw AdminError(
                400,
                "Failed to deserialize query string: mode: unknown variant `\(mode)`, expected one of `Cancel`, "
                    + "`cancel`, `Kill`, `kill`, `Purge`, `purge`")
        }
        operate(operation, on: id, .keep, from: 0) { result in
            switch result {
            case .success: call.respond(.empty(202))
            case .failure(let error): call.respond(.error(error))
            }
        }
    }

    /// One operation on many invocations (admin §6.3). All are asked at once, and answered in the order of the request.
    func operateBatch(_ operation: InvocationOperation, _ call: AdminCall) throws(AdminError) {
        let fields = try JSONFields(body: call)
        let ids = try Self.invocationIDs(fields)
        guard ids.count <= Self.batchSizeMax else { throw .batchTooLarge(ids.count, limit: Self.batchSizeMax) }
        var choice = operation.defaultDeployment
        if let text = try fields.string("deployment"), operation == .resume || operation == .restart {
            choice = try Self.deploymentChoice(text) { .field("deployment", $0) }
        }
        guard !ids.isEmpty else { return call.respond(.json(200, ["succeeded": [], "failed": []])) }
        let batch = BatchResult(ids)
        for (index, id) in ids.enumerated() {
            operate(operation, on: id, choice, from: 0) { result in
                if let document = batch.record(result, at: index) { call.respond(.json(200, document)) }
            }
        }
    }

    /// Asks the invocation's partition, with the deployment resolved against the registry.
    private func operate(
        _ operation: InvocationOperation, on id: InvocationID, _ choice: DeploymentChoice, from: UInt32,
        done: @escaping (Result<InvocationOperation.Result, AdminError>) -> Void
    ) {
        resolve(choice, for: id) { [environment] deployment in
            let newID = InvocationID(partitionKey: id.partitionKey, uuid: environment.makeULID().value)
            environment.ask(
                id.partitionKey,
                { operation.command(id, deployment: deployment, from: from, newID: newID, $0) }
            ) { answer in
                switch answer {
                case .operation(let outcome): done(.success(operation.result(of: outcome, id)))
                case .failed(let message): done(.failure(.store(message)))
                default: done(.failure(.engineAnswer))
                }
            }
        }
    }

    private func resolve(
        _ choice: DeploymentChoice, for id: InvocationID, _ done: @escaping (DeploymentChange) -> Void
    ) {
        switch choice {
        case .keep: done(.keep)
        case .specific(let id):
            done(
                registry.deployment(id).map { .specific($0.id, versions: $0.protocolVersions) }
                    ?? .specificMissing)
        case .latest:
            environment.target(of: id) { [self] target in
                let deployment = target.flatMap { registry.activeDeployment(ofService: $0.service) }
                done(deployment.map { .latest($0.id, versions: $0.protocolVersions) } ?? .latestMissing)
            }
        }
    }

    private func invocationID(_ call: AdminCall) throws(AdminError) -> InvocationID {
        do {
            return try InvocationID(text: call.parameter("invocation_id"))
        } catch {
            throw .field("invocation_id", error.message)
        }
    }

    private static func invocationIDs(_ fields: JSONFields) throws(AdminError) -> [InvocationID] {
        let elements = try fields.required("invocation_ids", fields.array("invocation_ids"))
        var ids: [InvocationID] = []
        for (index, element) in elements.enumerated() {
            guard let text = element.string else { throw fields.fault("invocation_ids[\(index)]", element, "a string") }
            do {
                ids.append(try InvocationID(text: text))
            } catch {
                throw .bodyShape("invocation_ids[\(index)]: \(error)")
            }
        }
        return ids
    }

    private static func deploymentChoice(
        _ text: String, _ fault: (String) -> AdminError
    ) throws(AdminError) -> DeploymentChoice {
        do {
            return try DeploymentChoice(text: text)
        } catch {
            throw fault(error.message)
        }
    }
}

/// Gathers what became of each invocation of a batch.
private final class BatchResult {
    private let ids: [InvocationID]
    private var results: [Result<InvocationOperation.Result, AdminError>?]
    private var missing: Int

    init(_ ids: [InvocationID]) {
        self.ids = ids
        results = Array(repeating: nil, count: ids.count)
        missing = ids.count
    }

    /// The answer, once all results are here.
    func record(_ result: Result<InvocationOperation.Result, AdminError>, at index: Int) -> JSON? {
        results[index] = result
        missing -= 1
        return missing == 0 ? document : nil
    }

    private var document: JSON {
        var succeeded: [JSON] = []
        var failed: [JSON] = []
        for (id, result) in zip(ids, results) {
            let text = JSON.string(id.description)
            switch result {
            case .success(.done), .success(.accepted): succeeded.append(text)
            case .success(.restarted(let new)):
                succeeded.append(["old_invocation_id": text, "new_invocation_id": .string(new.description)])
            case .success(.refused(let refusal)):
                failed.append(["invocation_id": text, "error": .string(refusal.briefMessage)])
            case .failure(let error): failed.append(["invocation_id": text, "error": .string(error.message)])
            case nil: break
            }
        }
        return ["succeeded": .array(succeeded), "failed": .array(failed)]
    }
}
