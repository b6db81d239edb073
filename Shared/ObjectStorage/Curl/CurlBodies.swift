import CLibCurl
import Glibc
import NIOCore

/// What libcurl's callbacks read from and write to, while one request is under way.
final class CurlBodies {
    private let request: ByteBuffer
    private var sentByteCount = 0
    private let answerByteCountMax: Int
    private(set) var answer = ByteBuffer()
    private(set) var isAnswerTooLarge = false

    init(_ request: CurlRequest) {
        self.request = request.body
        answerByteCountMax = request.answerByteCountMax
    }

    private func send(into bytes: UnsafeMutablePointer<CChar>, countMax: Int) -> Int {
        let count = min(countMax, request.readableBytes - sentByteCount)
        request.withUnsafeReadableBytes { source in
            UnsafeMutableRawBufferPointer(start: bytes, count: count)
                .copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: source[sentByteCount...].prefix(count)))
        }
        sentByteCount += count
        return count
    }

    /// For sending the body once more, when a kept connection turns out to be closed.
    private func seek(_ offset: Int) -> Bool {
        guard (0...request.readableBytes).contains(offset) else { return false }
        sentByteCount = offset
        return true
    }

    /// Anything but the count makes libcurl give up.
    private func receive(_ bytes: UnsafeMutablePointer<CChar>, count: Int) -> Int {
        guard answer.readableBytes + count <= answerByteCountMax else {
            isAnswerTooLarge = true
            return 0
        }
        answer.writeBytes(UnsafeRawBufferPointer(start: bytes, count: count))
        return count
    }

    private static func of(_ context: UnsafeMutableRawPointer?) -> CurlBodies? {
        context.map { Unmanaged<CurlBodies>.fromOpaque($0).takeUnretainedValue() }
    }

    static let reading: clibcurl_transfer = { bytes, size, count, context in
        guard let bytes, let bodies = of(context) else { return Int(CURL_READFUNC_ABORT) }
        return bodies.send(into: bytes, countMax: size * count)
    }

    static let seeking: clibcurl_seek = { context, offset, origin in
        guard origin == SEEK_SET, let bodies = of(context), bodies.seek(Int(offset)) else {
            return CURL_SEEKFUNC_FAIL
        }
        return CURL_SEEKFUNC_OK
    }

    static let writing: clibcurl_transfer = { bytes, size, count, context in
        guard let bytes, let bodies = of(context) else { return 0 }
        return bodies.receive(bytes, count: size * count)
    }
}
