import Foundation
import HoldfastWire

/// All that one run has measured.
struct Report {
    /// A workload at one concurrency, and the ceiling of the store for it.
    struct Load {
        let workload: Workload
        let measured: Measurement
        /// Calls per second if there were nothing but group commits of the same bytes.
        let groupCommit: Double
    }

    let sleeperCount: Int
    var syncTimes: [Ceilings.SyncTimes] = []
    var network: [Measurement] = []
    var loads: [Load] = []
    var startMilliseconds: Double?
    var idleMiB: Double?
    var sleeping: Int?
    var sleepersMiB: Double?
    var restartMilliseconds: Double?

    init(sleeperCount: Int) { self.sleeperCount = sleeperCount }

    private func load(_ workload: Workload, _ concurrency: Int) -> Measurement? {
        loads.first { $0.workload == workload && $0.measured.concurrency == concurrency }?.measured
    }

    private var appended: Double { median(syncTimes.map(\.appended)) }
    private var overwritten: Double { median(syncTimes.map(\.overwritten)) }

    private func median(_ values: [Double]) -> Double { values.isEmpty ? 0 : values.sorted()[values.count / 2] }

    private var peakMiB: Double? { loads.map(\.measured.residentMiB).max() }

    // MARK: - JSON

    var json: JSON {
        .object([
            .init("processors", JSON(ProcessInfo.processInfo.activeProcessorCount)),
            .init("append_fdatasync_microseconds", .rounded(appended)),
            .init("overwrite_fdatasync_microseconds", .rounded(overwritten)),
            .init("network", .array(network.map(\.json))),
            .init("loads", .array(loads.map(json(of:)))),
            .init("start_milliseconds", number(startMilliseconds)),
            .init("idle_mib", number(idleMiB)),
            .init("sleepers", sleeping.map { JSON($0) } ?? .null),
            .init("sleepers_mib", number(sleepersMiB)),
            .init("restart_milliseconds", number(restartMilliseconds)),
            .init(
                "goals",
                .array(
                    goals.map { goal in
                        .object([
                            .init("name", .string(goal.name)), .init("measured", .rounded(goal.measured)),
                            .init("goal", .rounded(goal.limit)), .init("unit", .string(goal.unit)),
                            .init("reached", .bool(goal.isReached)),
                        ])
                    })),
        ])
    }

    private func number(_ value: Double?) -> JSON { value.map { JSON.rounded($0) } ?? .null }

    private func json(of load: Load) -> JSON {
        guard case .object(var members) = load.measured.json else { return .null }
        members.insert(.init("case", .string(load.workload.rawValue)), at: 0)
        members.append(.init("group_commit_per_second", .rounded(load.groupCommit)))
        return .object(members)
    }

    // MARK: - Goals

    struct Goal {
        let name: String
        let measured: Double
        let limit: Double
        let unit: String
        let isLowerBetter: Bool

        var isReached: Bool { isLowerBetter ? measured <= limit : measured >= limit }
    }

    /// What docs/architecture.md promises, as far as this run has measured it.
    var goals: [Goal] {
        var goals: [Goal] = []
        func most(_ name: String, _ measured: Double?, _ limit: Double, _ unit: String) {
            guard let measured else { return }
            goals.append(Goal(name: name, measured: measured, limit: limit, unit: unit, isLowerBetter: true))
        }
        func least(_ name: String, _ measured: Double?, _ limit: Double, _ unit: String) {
            guard let measured else { return }
            goals.append(Goal(name: name, measured: measured, limit: limit, unit: unit, isLowerBetter: false))
        }
        most("call, one at a time, median", load(.echo, 1).map { $0.median / appended }, 6, "fdatasyncs")
        most(
            "three steps, one at a time, median", load(.steps, 1).map { $0.median / appended }, 10, "fdatasyncs"
        )
        least("calls, 64 at a time", load(.echo, 64)?.callsPerSecond, 10_000, "per s")
        least("three steps, 64 at a time", load(.steps, 64)?.callsPerSecond, 4000, "per s")
        most("CPU per call, 64 at a time", load(.echo, 64)?.cpuMicrosecondsPerCall, 160, "µs")
        most("CPU per three steps, 64 at a time", load(.steps, 64)?.cpuMicrosecondsPerCall, 400, "µs")
        most("resident memory, idle", idleMiB, 40, "MiB")
        most("resident memory, under load", peakMiB, 150, "MiB")
        most("start to the first answered call", startMilliseconds, 100, "ms")
        most("restart with \(sleeperCount) sleepers", restartMilliseconds, 500, "ms")
        return goals
    }

    // MARK: - Table

    var table: String {
        var lines = [
            "",
            "fdatasync of 1 KiB: \(text(appended)) µs appended, \(text(overwritten)) µs overwritten in allocated space",
        ]
        let columns = [
            "at a time", "calls/s", "p50 µs", "p99 µs", "CPU µs", "own CPU", "bytes", "MiB", "of commits", "of network",
        ]
        lines += ["", row("", columns)]
        for echo in network { lines.append(row(echo.title, cells(echo) + ["", ""])) }
        for load in loads {
            let echo = network.first { $0.concurrency == load.measured.concurrency }
            lines.append(
                row(
                    load.workload.title,
                    cells(load.measured) + [
                        percent(load.measured.callsPerSecond, of: load.groupCommit),
                        percent(load.measured.callsPerSecond, of: echo?.callsPerSecond),
                    ]))
        }
        if !goals.isEmpty { lines += ["", row("", ["measured", "goal", "", ""])] }
        for goal in goals {
            lines.append(
                row(
                    goal.name,
                    [
                        text(goal.measured), (goal.isLowerBetter ? "≤ " : "≥ ") + text(goal.limit), goal.unit,
                        goal.isReached ? "reached" : "MISSED",
                    ]))
        }
        return lines.joined(separator: "\n")
    }

    private func cells(_ measured: Measurement) -> [String] {
        [
            "\(measured.concurrency)", text(measured.callsPerSecond), text(measured.median), text(measured.p99),
            text(measured.cpuMicrosecondsPerCall), text(measured.ownCPUMicrosecondsPerCall),
            text(measured.bytesPerCall), text(measured.residentMiB),
        ]
    }

    private func row(_ title: String, _ cells: [String]) -> String {
        ([title.padding(toLength: 36, withPad: " ", startingAt: 0)]
            + cells.map { cell in
                String(repeating: " ", count: max(0, 10 - cell.count)) + cell
            }).joined(separator: " ")
    }

    private func text(_ number: Double) -> String {
        number < 100 ? "\((number * 10).rounded() / 10)" : "\(Int(number.rounded()))"
    }

    private func percent(_ part: Double, of whole: Double?) -> String {
        guard let whole, whole > 0 else { return "" }
        return "\(Int((part / whole * 100).rounded())) %"
    }
}
