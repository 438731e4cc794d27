import CHoldfastOpenSSL
import Foundation
import HoldfastWire
import Testing

@testable import HoldfastRuntime

@Suite struct InvokerRequestIdentityTests {
    private static let pem = """
        -----BEGIN PRIVATE KEY-----
        MC4CAQAwBQYDK2VwBCIEIPe++4ZTPQDF81otpoU/mOGHC2vOAVp9WbiCblvn3nXO
        -----END PRIVATE KEY-----

        """

    @Test func `the public key is printed as SDKs expect it`() throws {
        let identity = try RequestIdentity(pem: Array(Self.pem.utf8))
        #expect(identity.publicKey == "publickeyv1_AfQwmwfgEZhrWpvv8N52SHpRtZqGGaFr4AZN6qtYWSiY")
    }

    @Test func `a token names the path and the key, and its signature is right`() throws {
        let identity = try RequestIdentity(pem: Array(Self.pem.utf8))
        let token = try identity.token(
            audience: "/invoke/Counter/add", subject: "a/b \"ä\"", now: Timestamp(millis: 1_760_000_000_999))
        let parts = token.split(separator: ".")
        try #require(parts.count == 3)
        let header = try #require(Base64URL.decode(parts[0].utf8))
        #expect(
            String(decoding: header, as: UTF8.self)
                == #"{"typ":"JWT","alg":"EdDSA","kid":"publickeyv1_AfQwmwfgEZhrWpvv8N52SHpRtZqGGaFr4AZN6qtYWSiY"}"#)
        let claims = try #require(Base64URL.decode(parts[1].utf8))
        let expected =
            #"{"aud":"/invoke/Counter/add","exp":1760000060,"iat":1760000000,"nbf":1759999940,"sub":"a/b \"ä\""}"#
        #expect(String(decoding: claims, as: UTF8.self) == expected)
        let signature = try #require(Base64URL.decode(parts[2].utf8))
        #expect(verifies(signature, of: Array("\(parts[0]).\(parts[1])".utf8)))
        #expect(!verifies(signature, of: Array("\(parts[0]).\(parts[1])x".utf8)))
    }

    @Test func `discovery has no subject`() throws {
        let identity = try RequestIdentity(pem: Array(Self.pem.utf8), leeway: 5)
        let token = try identity.token(audience: "/discover", now: Timestamp(millis: 10_000))
        let claims = try #require(Base64URL.decode(token.split(separator: ".")[1].utf8))
        #expect(String(decoding: claims, as: UTF8.self) == #"{"aud":"/discover","exp":15,"iat":10,"nbf":5}"#)
    }

    @Test func `a file with another number of keys, or another kind of key, is refused`() {
        #expect(throws: RequestIdentityError.blockCount(2)) {
            try RequestIdentity(pem: Array((Self.pem + Self.pem).utf8))
        }
        #expect(throws: RequestIdentityError.blockCount(0)) { try RequestIdentity(pem: []) }
        #expect(throws: RequestIdentityError.unreadable) {
            try RequestIdentity(pem: Array("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n".utf8))
        }
        // An X25519 key.
        let other = """
            -----BEGIN PRIVATE KEY-----
            MC4CAQAwBQYDK2VuBCIEIPe++4ZTPQDF81otpoU/mOGHC2vOAVp9WbiCblvn3nXO
            -----END PRIVATE KEY-----

            """
        #expect(throws: RequestIdentityError.otherKind) { try RequestIdentity(pem: Array(other.utf8)) }
    }

    @Test func `the configuration names the file, or none`() throws {
        var client = Configuration.Client()
        #expect(try RequestIdentity.configured(client) == nil)
        let path = FileManager.default.temporaryDirectory.appending(
            path: "holdfast-identity-\(UInt64.random(in: 0 ... .max)).pem")
        try Data(Self.pem.utf8).write(to: path)
        defer { try? FileManager.default.removeItem(at: path) }
        client.requestIdentityKeyFile = path.path()
        #expect(
            try RequestIdentity.configured(client)?.publicKey
                == "publickeyv1_AfQwmwfgEZhrWpvv8N52SHpRtZqGGaFr4AZN6qtYWSiY")
        client.requestIdentityKeyFile = "/nonexistent/key.pem"
        #expect(throws: RequestIdentityError.unreadableFile("/nonexistent/key.pem")) {
            try RequestIdentity.configured(client)
        }
    }

    @Test func `base 58 keeps leading zeros`() {
        #expect(base58([0, 0, 1]) == "112")
        #expect(base58(Array("Hello World!".utf8)) == "2NEpo7TZRRrLZSi2U")
    }

    /// The raw public key is what the text form decodes to: the test decodes it on its own.
    private func verifies(_ signature: [UInt8], of message: [UInt8]) -> Bool {
        let raw = decode58("AfQwmwfgEZhrWpvv8N52SHpRtZqGGaFr4AZN6qtYWSiY")
        guard let key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, raw, raw.count),
            let context = EVP_MD_CTX_new()
        else { return false }
        defer {
            EVP_MD_CTX_free(context)
            EVP_PKEY_free(key)
        }
        guard EVP_DigestVerifyInit(context, nil, nil, nil, key) == 1 else { return false }
        return EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
    }

    private func decode58(_ text: String) -> [UInt8] {
        let alphabet = Array("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz".utf8)
        var bytes: [UInt8] = []
        for character in text.utf8 {
            var carry = alphabet.firstIndex(of: character) ?? 0
            for index in bytes.indices.reversed() {
                carry += Int(bytes[index]) * 58
                bytes[index] = UInt8(carry & 255)
                carry >>= 8
            }
            while carry > 0 {
                bytes.insert(UInt8(carry & 255), at: 0)
                carry >>= 8
            }
        }
        return bytes
    }
}
