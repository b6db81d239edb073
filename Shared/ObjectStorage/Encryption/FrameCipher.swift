import COpenSSL
import NIOCore

/// AES-256-GCM over the frames of one object, by libcrypto.
///
/// The nonce is the frame's number and whether it is the last one: no two frames share it under an
/// object's own key, and none can be moved, repeated, left out or made the end. Every frame also
/// authenticates the header and the object's name, so none can come from another object.
final class FrameCipher {
    private static let nonceByteCount = 12
    private let context: OpaquePointer
    private let key: [UInt8]
    private let associated: [UInt8]

    /// - Parameter name: the key the object is stored under.
    init(
        _ key: EncryptionKey, header: SealedHeader, name: String
    ) throws(ObjectStorageError) {
        self.key = try key.objectKey(salt: header.salt)
        associated = header.bytes + Array(name.utf8)
        guard let context = EVP_CIPHER_CTX_new() else { throw Self.failure }
        self.context = context
    }

    deinit { EVP_CIPHER_CTX_free(context) }

    /// The sealed bytes with their tag behind them.
    func seal(
        _ plain: ByteBuffer, frame: Int, isLast: Bool
    ) throws(ObjectStorageError) -> ByteBuffer {
        let nonce = Self.nonce(frame: frame, isLast: isLast)
        guard EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), nil, key, nonce) == 1,
            authenticate(EVP_EncryptUpdate),
            var sealed = transform(plain, EVP_EncryptUpdate)
        else { throw Self.failure }
        var rest: CInt = 0
        var tag = [UInt8](repeating: 0, count: SealedLayout.tagByteCount)
        guard EVP_EncryptFinal_ex(context, &tag, &rest) == 1, rest == 0,
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, CInt(tag.count), &tag) == 1
        else { throw Self.failure }
        sealed.writeBytes(tag)
        return sealed
    }

    func open(
        _ sealed: ByteBuffer, frame: Int, isLast: Bool
    ) throws(ObjectStorageError) -> ByteBuffer {
        var sealed = sealed
        let count = sealed.readableBytes - SealedLayout.tagByteCount
        guard count >= 0, let body = sealed.readSlice(length: count),
            var tag = sealed.readBytes(length: SealedLayout.tagByteCount)
        else { throw .corrupt("a sealed frame is cut short") }
        let nonce = Self.nonce(frame: frame, isLast: isLast)
        guard EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), nil, key, nonce) == 1,
            authenticate(EVP_DecryptUpdate),
            let plain = transform(body, EVP_DecryptUpdate),
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, CInt(tag.count), &tag) == 1
        else { throw Self.failure }
        var rest: CInt = 0
        guard EVP_DecryptFinal_ex(context, &tag, &rest) == 1 else {
            throw .corrupt("a sealed frame is not the one that was written here")
        }
        return plain
    }

    private typealias Update = (
        OpaquePointer?, UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<CInt>?,
        UnsafePointer<UInt8>?, CInt
    ) -> CInt

    private func authenticate(_ update: Update) -> Bool {
        var count: CInt = 0
        return update(context, nil, &count, associated, CInt(associated.count)) == 1
    }

    /// Nil when libcrypto refuses.
    private func transform(_ input: ByteBuffer, _ update: Update) -> ByteBuffer? {
        let size = input.readableBytes
        var output = ByteBufferAllocator().buffer(capacity: size + SealedLayout.tagByteCount)
        guard size > 0 else { return output }
        var isDone = false
        output.writeWithUnsafeMutableBytes(minimumWritableBytes: size) { target in
            input.withUnsafeReadableBytes { source in
                var count: CInt = 0
                isDone =
                    update(
                        context, target.bindMemory(to: UInt8.self).baseAddress, &count,
                        source.bindMemory(to: UInt8.self).baseAddress, CInt(size)) == 1
                    && Int(count) == size
            }
            return isDone ? size : 0
        }
        return isDone ? output : nil
    }

    private static func nonce(frame: Int, isLast: Bool) -> [UInt8] {
        var nonce = [UInt8](repeating: 0, count: nonceByteCount)
        nonce[0] = isLast ? 1 : 0
        for index in 0..<8 {
            nonce[nonceByteCount - 1 - index] = UInt8(
                truncatingIfNeeded: UInt64(frame) >> (8 * UInt64(index)))
        }
        return nonce
    }

    private static var failure: ObjectStorageError { .unavailable("libcrypto cannot encrypt") }
}
