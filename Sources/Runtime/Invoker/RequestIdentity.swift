import CHoldfastOpenSSL
import HoldfastWire

/// The private key by which endpoints recognise this server, and the tokens that it signs (protocol §14, discovery §11).
///
/// One instance belongs to one event loop. Signing costs some 50 µs.
///
/// Pointers: `key` is owned by this object alone and freed with it; buffers are passed to C functions that do not keep
/// them.
final class RequestIdentity {
    /// The public key as users paste it into their SDK's configuration: `publickeyv1_…`.
    let publicKey: String
    /// How far `nbf` and `exp` are from the moment of signing, in seconds.
    let leeway: UInt64
    private let key: OpaquePointer
    /// The first part of each token, with the dot.
    private let joseHeader: String

    /// Reads the key from the text of a PEM file with exactly one PKCS#8 block.
    init(pem: [UInt8], leeway: UInt64 = 60) throws(RequestIdentityError) {
        let blocks = Self.count(of: Array("-----BEGIN ".utf8), in: pem)
        guard blocks == 1 else { throw .blockCount(blocks) }
        let parsed = pem.withUnsafeBytes { bytes -> OpaquePointer? in
            guard let bio = BIO_new_mem_buf(bytes.baseAddress, Int32(clamping: bytes.count)) else { return nil }
            defer { BIO_free(bio) }
            return PEM_read_bio_PrivateKey(bio, nil, nil, nil)
        }
        guard let parsed else { throw .unreadable }
        var raw = [UInt8](repeating: 0, count: 32)
        var length = raw.count
        guard EVP_PKEY_get_base_id(parsed) == NID_ED25519,
            EVP_PKEY_get_raw_public_key(parsed, &raw, &length) == 1, length == raw.count
        else {
            EVP_PKEY_free(parsed)
            throw .otherKind
        }
        key = parsed
        self.leeway = max(leeway, 1)
        publicKey = "publickeyv1_" + base58(raw)
        joseHeader = Base64URL.encode(#"{"typ":"JWT","alg":"EdDSA","kid":"\#(publicKey)"}"#.utf8) + "."
    }

    deinit { EVP_PKEY_free(key) }

    /// The key that the configuration names; nil when it names none. Each loop reads one for itself.
    static func configured(_ client: Configuration.Client) throws(RequestIdentityError) -> RequestIdentity? {
        guard let path = client.requestIdentityKeyFile else { return nil }
        guard let file = BIO_new_file(path, "r") else { throw .unreadableFile(path) }
        defer { BIO_free(file) }
        var pem = [UInt8](repeating: 0, count: keyFileSizeLimit)
        let count = BIO_read(file, &pem, Int32(clamping: pem.count))
        guard count > 0 else { throw .unreadableFile(path) }
        return try RequestIdentity(
            pem: Array(pem.prefix(Int(count))), leeway: client.requestIdentityExpiration.wholeMilliseconds / 1000)
    }

    /// A key takes some 120 bytes; comments may stand around it.
    private static let keyFileSizeLimit = 64 << 10

    /// The value of `x-restate-jwt-v1` for one request.
    ///
    /// - Parameters:
    ///   - audience: The path below the deployment's base path: `/discover` or `/invoke/S/h`.
    ///   - subject: The key of a virtual object or workflow, not encoded.
    func token(audience: String, subject: String? = nil, now: Timestamp) throws(RequestIdentityError) -> String {
        let seconds = now.millis / 1000
        var claims = Array(#"{"aud":"#.utf8)
        JSON.append(string: audience, to: &claims)
        let times =
            #","exp":\#(seconds &+ leeway),"iat":\#(seconds),"nbf":\#(seconds > leeway ? seconds - leeway : 0)"#
        claims.append(contentsOf: times.utf8)
        if let subject {
            claims.append(contentsOf: #","sub":"#.utf8)
            JSON.append(string: subject, to: &claims)
        }
        claims.append(UInt8(ascii: "}"))
        let signed = joseHeader + Base64URL.encode(claims)
        return signed + "." + Base64URL.encode(try signature(of: Array(signed.utf8)))
    }

    private func signature(of message: [UInt8]) throws(RequestIdentityError) -> [UInt8] {
        guard let context = EVP_MD_CTX_new() else { throw .unsigned }
        defer { EVP_MD_CTX_free(context) }
        var signature = [UInt8](repeating: 0, count: 64)
        var length = signature.count
        guard EVP_DigestSignInit(context, nil, nil, nil, key) == 1,
            EVP_DigestSign(context, &signature, &length, message, message.count) == 1, length == signature.count
        else { throw .unsigned }
        return signature
    }

    private static func count(of pattern: [UInt8], in text: [UInt8]) -> Int {
        guard text.count >= pattern.count else { return 0 }
        return (0...(text.count - pattern.count)).count { text[$0..<($0 + pattern.count)] == pattern[...] }
    }
}

/// Why the key for request identity cannot be used. It is read once, at the start.
struct RequestIdentityError: Error, Equatable, CustomStringConvertible {
    let description: String

    static func unreadableFile(_ path: String) -> Self {
        Self(
            description:
                "Cannot read the request identity key: there is no file '\(path)', it is empty, or this program "
                + "may not read it. Check worker.invoker.request-identity-private-key-pem-file.")
    }

    static func blockCount(_ count: Int) -> Self {
        Self(description: "Only one private key in PEM format is expected, found \(count)")
    }
    static let unreadable = Self(
        description: "Key was rejected: the PEM block holds no private key in PKCS#8 form without a passphrase")
    static let otherKind = Self(
        description: "Key was rejected: it is no ed25519 key; make one with `openssl genpkey -algorithm ed25519`")
    static let unsigned = Self(description: "The request could not be signed with the request identity key")
}

/// The text for `bytes` in Bitcoin's base 58 alphabet.
func base58(_ bytes: [UInt8]) -> String {
    let alphabet = Array("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz".utf8)
    var digits: [UInt8] = []  // Least significant first.
    for byte in bytes {
        var carry = UInt32(byte)
        for index in digits.indices {
            carry += UInt32(digits[index]) << 8
            digits[index] = UInt8(carry % 58)
            carry /= 58
        }
        while carry > 0 {
            digits.append(UInt8(carry % 58))
            carry /= 58
        }
    }
    let zeros = bytes.prefix { $0 == 0 }.map { _ in alphabet[0] }
    return String(decoding: zeros + digits.reversed().map { alphabet[Int($0)] }, as: UTF8.self)
}
