import COpenSSL
import NIOCore

/// SHA-256 by libcrypto, a piece at a time.
final class SHA256Digest {
    private static let byteCount = 32
    private let context: OpaquePointer

    init() throws(ObjectStorageError) {
        guard let context = EVP_MD_CTX_new() else { throw Self.failure }
        self.context = context
        guard EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else { throw Self.failure }
    }

    deinit { EVP_MD_CTX_free(context) }

    static func of(_ buffer: ByteBuffer) throws(ObjectStorageError) -> [UInt8] {
        let digest = try SHA256Digest()
        try digest.update(buffer)
        return try digest.finish()
    }

    func update(_ buffer: ByteBuffer) throws(ObjectStorageError) {
        let result = buffer.withUnsafeReadableBytes {
            EVP_DigestUpdate(context, $0.baseAddress, $0.count)
        }
        guard result == 1 else { throw Self.failure }
    }

    func finish() throws(ObjectStorageError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Self.byteCount)
        guard EVP_DigestFinal_ex(context, &bytes, nil) == 1 else { throw Self.failure }
        return bytes
    }

    private static var failure: ObjectStorageError { .unavailable("libcrypto cannot hash") }
}
