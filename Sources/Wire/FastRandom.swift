/// Random numbers at a few nanoseconds each, for identifiers that must be unique but not secret: xoshiro256**.
///
/// One per event loop, so that no two threads share it. The system's generator, which costs a system call, gives only
/// the seed.
public struct FastRandom: RandomNumberGenerator, Sendable {
    private var state: (UInt64, UInt64, UInt64, UInt64)

    /// A generator that the system seeds: no two are alike.
    public init() {
        var system = SystemRandomNumberGenerator()
        state = (system.next(), system.next(), system.next(), system.next())
        // All zeros is the one state that the generator never leaves.
        if state == (0, 0, 0, 0) { state.0 = 1 }
    }

    /// A generator whose numbers follow from `seed`, for tests and simulations.
    public init(seed: UInt64) {
        var mixer = seed
        func word() -> UInt64 {
            mixer &+= 0x9e37_79b9_7f4a_7c15
            var mix = mixer
            mix = (mix ^ mix >> 30) &* 0xbf58_476d_1ce4_e5b9
            mix = (mix ^ mix >> 27) &* 0x94d0_49bb_1331_11eb
            return mix ^ mix >> 31
        }
        state = (word(), word(), word(), word())
    }

    /// The next 64 random bits.
    public mutating func next() -> UInt64 {
        let result = (state.1 &* 5).rotated(left: 7) &* 9
        let shifted = state.1 << 17
        state.2 ^= state.0
        state.3 ^= state.1
        state.1 ^= state.2
        state.0 ^= state.3
        state.2 ^= shifted
        state.3 = state.3.rotated(left: 45)
        return result
    }

    /// A new ULID for a moment.
    public mutating func ulid(at time: Timestamp) -> ULID {
        ULID(timestamp: time, random: (UInt16(truncatingIfNeeded: next()), next()))
    }
}
