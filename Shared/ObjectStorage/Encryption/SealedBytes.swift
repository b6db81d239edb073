import NIOCore
import Synchronization

/// Plain bytes on their way, turned into a sealed object: the header, then frame after frame.
final class SealedBytes<Plain: AsyncSequence & Sendable>: AsyncSequence, Sendable
where Plain.Element == ByteBuffer {
    typealias Element = ByteBuffer
    typealias Failure = any Error

    private let plain: Plain
    private let name: String
    private let key: EncryptionKey
    private let byteCountMax: Int
    private let measured = Mutex<StoredObject?>(nil)

    init(_ plain: Plain, name: String, key: EncryptionKey, byteCountMax: Int) {
        self.plain = plain
        self.name = name
        self.key = key
        self.byteCountMax = byteCountMax
    }

    /// The plain bytes' count and hash; nil before their end.
    var stored: StoredObject? { measured.withLock { $0 } }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(bytes: self, plain: plain.makeAsyncIterator())
    }

    struct AsyncIterator: AsyncIteratorProtocol {
        private enum State {
            case beforeHeader
            case frames(FrameCipher, next: Int)
            case ended
        }

        fileprivate let bytes: SealedBytes
        fileprivate var plain: Plain.AsyncIterator
        private var state = State.beforeHeader
        private var incoming: IncomingBytes?
        private var waiting = ByteBuffer()

        fileprivate init(bytes: SealedBytes, plain: Plain.AsyncIterator) {
            self.bytes = bytes
            self.plain = plain
        }

        mutating func next(
            isolation actor: isolated (any Actor)? = #isolation
        ) async throws -> ByteBuffer? {
            switch state {
            case .beforeHeader: return try begin()
            case .frames(let cipher, let frame):
                let isLast = try await fill(isolation: actor)
                state = isLast ? .ended : .frames(cipher, next: frame + 1)
                let size = Swift.min(waiting.readableBytes, SealedLayout.frameByteCount)
                return try cipher.seal(
                    waiting.readSlice(length: size) ?? ByteBuffer(), frame: frame, isLast: isLast)
            case .ended: return nil
            }
        }

        private mutating func begin() throws -> ByteBuffer {
            let header = try SealedHeader(sealedBy: bytes.key)
            incoming = try IncomingBytes(byteCountMax: bytes.byteCountMax)
            state = .frames(
                try FrameCipher(bytes.key, header: header, name: bytes.name), next: 0)
            return ByteBuffer(bytes: header.bytes)
        }

        /// Until there is more than a frame: a full one may still be the last. True when it is.
        private mutating func fill(isolation actor: isolated (any Actor)?) async throws -> Bool {
            while waiting.readableBytes <= SealedLayout.frameByteCount {
                guard var more = try await plain.next(isolation: actor) else {
                    let stored = try incoming?.finish(key: bytes.name)
                    bytes.measured.withLock { $0 = stored }
                    return true
                }
                try incoming?.take(more)
                waiting.discardReadBytes()
                waiting.writeBuffer(&more)
            }
            return false
        }
    }
}
