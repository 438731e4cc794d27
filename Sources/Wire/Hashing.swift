import CHoldfastOpenSSL
import CHoldfastXXHash

// Pointers: each is passed to a C function that only reads as many bytes as it is told, and does not keep it.

/// The SHA-256 digest (32 bytes) of the concatenated parts.
public func sha256(_ parts: Bytes...) -> [UInt8] {
    let whole = Array(parts.joined())
    var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
    whole.withUnsafeBufferPointer { input in
        digest.withUnsafeMutableBufferPointer { output in
            _ = SHA256(input.baseAddress, input.count, output.baseAddress)
        }
    }
    return digest
}

/// XXH3 with 64 bits, seed 0 and the default secret.
func xxh3(_ bytes: [UInt8]) -> UInt64 {
    bytes.withUnsafeBufferPointer { XXH3_64bits($0.baseAddress, $0.count) }
}

/// SipHash-1-3 with both keys 0.
func sipHash13(_ bytes: [UInt8]) -> UInt64 {
    var state = SipState()
    var word: UInt64 = 0
    for (index, byte) in bytes.enumerated() {
        word |= UInt64(byte) << (8 * UInt64(index % 8))
        if index % 8 == 7 {
            state.absorb(word)
            word = 0
        }
    }
    state.absorb(word | UInt64(truncatingIfNeeded: bytes.count) << 56)
    return state.finish()
}

private struct SipState {
    var v0: UInt64 = 0x736f_6d65_7073_6575
    var v1: UInt64 = 0x646f_7261_6e64_6f6d
    var v2: UInt64 = 0x6c79_6765_6e65_7261
    var v3: UInt64 = 0x7465_6462_7974_6573

    mutating func absorb(_ word: UInt64) {
        v3 ^= word
        round()
        v0 ^= word
    }

    mutating func finish() -> UInt64 {
        v2 ^= 0xFF
        for _ in 0..<3 { round() }
        return v0 ^ v1 ^ v2 ^ v3
    }

    private mutating func round() {
        v0 &+= v1
        v1 = v1.rotated(left: 13) ^ v0
        v0 = v0.rotated(left: 32)
        v2 &+= v3
        v3 = v3.rotated(left: 16) ^ v2
        v0 &+= v3
        v3 = v3.rotated(left: 21) ^ v0
        v2 &+= v1
        v1 = v1.rotated(left: 17) ^ v2
        v2 = v2.rotated(left: 32)
    }
}

extension UInt64 {
    func rotated(left count: UInt64) -> UInt64 { self << count | self >> (64 - count) }
}
