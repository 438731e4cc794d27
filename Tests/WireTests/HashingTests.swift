import Testing

@testable import HoldfastWire

struct HashingTests {
    @Test func `XXH3 of known inputs is the known one`() {
        #expect(xxh3([]) == 0x2d06_8005_38d3_94c2)
        #expect(xxh3([0xFF]) == 0xd6bc_ec3c_6b29_d72e)
    }

    @Test func `SHA-256 hashes the parts as one`() {
        let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        #expect(sha256(Bytes(utf8: "abc")).hex == digest)
        #expect(sha256(Bytes(utf8: "a"), [], Bytes(utf8: "bc")).hex == digest)
        #expect(sha256().hex == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }

    @Test func `SipHash of nothing is that of other implementations`() {
        // Rust's DefaultHasher over raw bytes: SipHash-1-3, keys 0.
        #expect(sipHash13([]) == 0xd1fb_a762_150c_532c)
    }
}
