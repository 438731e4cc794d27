import HoldfastEngine
import HoldfastServiceProtocol
import HoldfastWire

/// A client that wants one thing, and tries again until it has it.
struct SimulatedClient {
    enum State: Equatable {
        /// Nothing is under way.
        case idle
        case waiting(RequestID)
        case done
    }

    enum Wish {
        /// The handler's result.
        case call
        /// That the handler runs, whenever that is.
        case send
    }

    let request: InvokeRequest
    let seed: UInt64
    let wish: Wish
    /// Only a client whose request has an identity may repeat it.
    let mayRepeat: Bool
    var state = State.idle

    mutating func connectionLost() {
        guard case .waiting = state else { return }
        state = mayRepeat ? .idle : .done
    }
}

/// The world outside: clients, operators, and whoever completes awakeables.
extension Simulation {
    // MARK: - Clients

    func clientActs() {
        let idle = clients.indices.filter { clients[$0].state == .idle }
        if !isDraining, clients.count < 4 + options.steps / 60, idle.isEmpty || chance(2) {
            clients.append(newClient())
            submitRequest(of: clients.count - 1)
        } else if let index = idle.first {
            submitRequest(of: index)
        } else if let index = clients.indices.last, case .waiting(let request) = clients[index].state, chance(10) {
            // It hangs up, and tries again later.
            probe("client hung up")
            submit(.forget(clients[index].request.id, request), for: clients[index].request.id)
            clients[index].connectionLost()
        }
    }

    private func newClient() -> SimulatedClient {
        let services: [Program.Service] = [.plain, .object(level: 1), .object(level: 1), .workflow, .workflowHelper]
        let service = services[index(services.count)]
        let level = service == .plain ? 0 : 1
        let target = Self.target(service, key: index(3), level: level)
        let seed = random.next() >> 8 | 1
        let key = service != .workflow && !chance(4) ? "client \(clients.count)" : nil
        let retention: UInt64 = [0, 300, 100_000][index(3)]
        let input = Input(seed: seed, level: level, service: service)
        let wish: SimulatedClient.Wish = chance(3) ? .send : .call
        let request = InvokeRequest(
            id: invocationID(of: target, idempotencyKey: key), target: target, source: .ingress(nil),
            input: InputCommand(value: Bytes(utf8: input.text)).payload, idempotencyKey: key,
            executionTime: wish == .send && chance(3) ? now.advanced(by: UInt64(index(300))) : nil,
            completionRetention: retention, journalRetention: chance(2) ? retention : 0)
        return SimulatedClient(
            request: request, seed: seed, wish: wish, mayRepeat: key != nil || service == .workflow)
    }

    private func submitRequest(of index: Int) {
        nextRequest += 1
        let id = RequestID(loop: 0, serial: nextRequest)
        let client = clients[index]
        clients[index].state = .waiting(id)
        submit(.invoke(client.request, client.wish == .call ? .client(id) : .sender(id)), for: client.request.id)
    }

    func deliver(_ answer: Answer, to request: RequestID) throws {
        if case .operation(.restarted(let id)) = answer, !known.contains(id) { known.append(id) }
        guard let index = clients.firstIndex(where: { $0.state == .waiting(request) }) else { return }
        clients[index].state = .done
        let client = clients[index]
        switch answer {
        case .submitted(let id, _, _):
            guard id == client.request.id else { throw violated("an answer is about \(id), and not what was asked") }
            ledger.accept(id)
        case .result(let result):
            guard result.id == client.request.id else {
                throw violated("a result is that of \(result.id), and not of \(client.request.id)")
            }
            switch result.completion {
            case .failure(let failure):
                guard [409, 418, 500].contains(failure.code) else { throw violated("a client got \(failure)") }
            case .value(let value):
                // A workflow may have been run by somebody else's request.
                guard value.lossyString == "ok \(client.seed)" || client.request.target.kind == .workflowRun else {
                    throw violated("a client of \(client.seed) got \(value.lossyString)")
                }
            }
        case .unknown, .notCompleted, .signalled, .operation, .stateMutationAccepted, .failed:
            throw violated("a client got \(answer)")
        }
    }

    // MARK: - Others

    func completeAwakeable(keep: Bool) {
        guard !awakeables.isEmpty else { return }
        let index = index(awakeables.count)
        let (id, signal) = awakeables[index]
        // Whoever is not sure that it arrived says it again: the first one counts.
        if !keep { awakeables.remove(at: index) }
        let value = Bytes(utf8: "completed \(random.next() % 1000)")
        submit(.signal(id, .signal(.signal(signal), .value(value)), nil), for: id)
    }

    func operatorActs() {
        guard !known.isEmpty else { return }
        let id = known[index(known.count)]
        switch index(9) {
        case 0:
            ledger.disturbed.insert(id)
            submit(.cancel(id, nil), for: id)
        case 1:
            ledger.disturbed.insert(id)
            submit(.kill(id, nil), for: id)
        case 2...3: submit(.pause(id, nil), for: id)
        case 4...5: submit(.resume(id, .keep, nil), for: id)
        case 6: submit(.purge(id, nil), for: id)
        case 7: submit(.purgeJournal(id, nil), for: id)
        default:
            nextRequest += 1
            let newID = InvocationID(partitionKey: id.partitionKey, uuid: UInt128(random.next()) << 64 | 1)
            // Only from the beginning: what the programs write names the invocation that wrote it.
            submit(
                .restart(
                    RestartRequest(id: id, newID: newID, from: 0, deployment: .keep),
                    RequestID(loop: 1, serial: nextRequest)),
                for: id)
            probe("restart as new asked for")
        }
    }
}
