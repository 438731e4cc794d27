/// The seed of an invocation's random numbers, the same in every attempt: `StartMessage.random_seed`.
public func randomSeed(of id: InvocationID) -> UInt64 {
    var bytes: [UInt8] = [24, 0, 0, 0, 0, 0, 0, 0]
    id.append(to: &bytes)
    return sipHash13(bytes)
}

/// A seed that differs between two lives of one identifier, such as a workflow that is run again after a purge.
///
/// It has to be stored with the invocation.
public func uniqueRandomSeed(of id: InvocationID, createdAt: Timestamp) -> UInt64 {
    let high = UInt64(truncatingIfNeeded: id.uuid >> 64)
    let low = UInt64(truncatingIfNeeded: id.uuid)
    var mix = high ^ low.rotated(left: 21) ^ createdAt.millis.rotated(left: 43)
    mix = (mix ^ mix >> 30) &* 0xbf58_476d_1ce4_e5b9
    mix = (mix ^ mix >> 27) &* 0x94d0_49bb_1331_11eb
    return mix ^ mix >> 31
}
