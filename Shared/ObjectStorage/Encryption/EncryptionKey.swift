import COpenSSL
import FoundationEssentials

/// A secret that uploads are sealed with.
package struct EncryptionKey: Sendable, Hashable {
    static let byteCount = 32
    private static let idByteCount = 8

    private let bytes: [UInt8]
    /// Tells which key sealed an object, and nothing about the key.
    let id: [UInt8]

    /// - Parameter text: base64 of 32 bytes, as `openssl rand -base64 32` prints them. Nil when it is
    ///   not that, or clearly not random.
    package init?(_ text: String) {
        guard let data = Data(base64Encoded: text), data.count == Self.byteCount,
            Set(data).count > Self.byteCount / 4
        else { return nil }
        bytes = Array(data)
        let digest = Self.derive(from: bytes, Array("celine-assistant key id 1".utf8))
        guard let digest else { return nil }
        id = Array(digest.prefix(Self.idByteCount))
    }

    /// One object's own key, so that no two objects share a nonce.
    func objectKey(salt: [UInt8]) throws(ObjectStorageError) -> [UInt8] {
        let label = Array("celine-assistant object key 1".utf8)
        guard let key = Self.derive(from: bytes, label + salt) else {
            throw .unavailable("libcrypto cannot derive a key")
        }
        return key
    }

    /// HMAC-SHA-256 as a key derivation function: the input key is uniformly random, and labels
    /// keep the uses apart.
    private static func derive(from key: [UInt8], _ context: [UInt8]) -> [UInt8]? {
        var output = [UInt8](repeating: 0, count: byteCount)
        var count: UInt32 = 0
        let result = HMAC(
            EVP_sha256(), key, CInt(key.count), context, context.count, &output, &count)
        return result != nil && count == byteCount ? output : nil
    }
}

/// Prints its id alone.
extension EncryptionKey: CustomStringConvertible, CustomReflectable {
    package var description: String { id.map { String($0, radix: 16) }.joined(separator: ":") }
    package var customMirror: Mirror { Mirror(self, children: ["id": description]) }
}
