internal import Crypto
internal import FoundationEssentials

/// A pair of keys for the internal hop: the seed stays in the gateway, the services get the other.
package struct InternalKeys: Sendable {
    /// Base64 of the 32-byte Ed25519 seed: `INTERNAL_AUTH_KEY`.
    package let privateKey: String
    /// Base64 of the 32-byte Ed25519 public key: one of `INTERNAL_AUTH_PUBLIC_KEYS`.
    package let publicKey: String

    package static func generate() -> InternalKeys {
        let key = Curve25519.Signing.PrivateKey()
        return InternalKeys(
            privateKey: key.rawRepresentation.base64EncodedString(),
            publicKey: key.publicKey.rawRepresentation.base64EncodedString())
    }

    /// Why a setting holds no key. The setting's value is never repeated.
    package enum Problem: Error, CustomStringConvertible {
        case notAKey
        case noKeys

        package var description: String {
            switch self {
            case .notAKey: "is not the base64 of a 32-byte Ed25519 key"
            case .noKeys: "names no key"
            }
        }
    }

    static func signingKey(_ text: String) throws(Problem) -> Curve25519.Signing.PrivateKey {
        guard let bytes = Data(base64Encoded: text), bytes.count == 32 else { throw .notAKey }
        do {
            return try Curve25519.Signing.PrivateKey(rawRepresentation: bytes)
        } catch {
            throw .notAKey
        }
    }

    static func verifyingKey(_ text: String) throws(Problem) -> Curve25519.Signing.PublicKey {
        guard let bytes = Data(base64Encoded: text), bytes.count == 32 else { throw .notAKey }
        do {
            return try Curve25519.Signing.PublicKey(rawRepresentation: bytes)
        } catch {
            throw .notAKey
        }
    }

    /// Which of several public keys signed: the start of the key's digest.
    static func name(of key: Curve25519.Signing.PublicKey) -> String {
        Base64URL.encode(Array(SHA256.hash(data: key.rawRepresentation).prefix(9)))
    }
}
