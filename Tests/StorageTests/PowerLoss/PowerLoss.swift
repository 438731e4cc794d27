@testable import HoldfastStorage

/// What a power loss keeps of the sectors that were not synced.
///
/// A disk may write them in any order, so any subset may be there, and of a sector that was written twice either. A
/// sector is written as a whole where it holds what is durable already; elsewhere it may come out as anything.
enum PowerLoss: Hashable, CustomStringConvertible {
    /// Everything was written in time.
    case nothing
    /// All is lost.
    case everything
    /// One sector is lost, the one with this index.
    case sector(Int)
    /// All but one are lost.
    case allBut(Int)
    /// Each sector, name and removal is lost or not, by chance, and lost ones may be garbled.
    case some(seed: UInt64)

    var description: String {
        switch self {
        case .nothing: "nothing is lost"
        case .everything: "everything is lost"
        case .sector(let index): "sector \(index) is lost"
        case .allBut(let index): "all but sector \(index) is lost"
        case .some(let seed): "some is lost, by seed \(seed)"
        }
    }

    /// The files that are there afterwards.
    func image(of before: RecordingDisk.Contents) -> [String: [UInt8]] {
        var chance = Chance(seed)
        var after = before
        for (index, sector) in before.unsynced.enumerated() {
            switch fate(of: index, &chance) {
            case .written: after.apply(sector)
            case .lost: break
            case .garbled where sector.holdsDurable: break
            case .garbled:
                let garbage = sector.bytes.map { _ in UInt8(truncatingIfNeeded: chance.next()) }
                after.apply(garbage[...], at: sector.offset, in: sector.file)
            }
        }
        for name in before.unnamed.sorted() where fate(of: nil, &chance) != .written { after.synced[name] = nil }
        for (name, bytes) in before.removed.sorted(by: { $0.key < $1.key }) where fate(of: nil, &chance) != .written {
            after.synced[name] = bytes
        }
        if let size = strayFile(&chance), let name = before.synced.keys.min() {
            // One that was being made ahead.
            after.synced["\(Files.directory(of: name))/9000"] = Array(repeating: 0, count: size)
        }
        return after.synced
    }

    private enum Fate {
        case written, lost, garbled
    }

    private var seed: UInt64 { if case .some(let seed) = self { seed } else { 0 } }

    private func fate(of index: Int?, _ chance: inout Chance) -> Fate {
        switch self {
        case .nothing: .written
        case .everything: .lost
        case .sector(let lost): index == lost ? .lost : .written
        case .allBut(let written): index == written ? .written : .lost
        case .some: [.written, .written, .written, .lost, .lost, .garbled][chance.below(6)]
        }
    }

    private func strayFile(_ chance: inout Chance) -> Int? {
        guard case .some = self, chance.below(4) == 0 else { return nil }
        return chance.below(33) * 512
    }
}

/// Random numbers that are the same for the same seed (SplitMix64).
struct Chance: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}
