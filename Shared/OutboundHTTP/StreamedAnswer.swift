import AsyncHTTPClient
package import NIOCore
package import NIOHTTP1

/// The head of an answer whose body is still coming.
package struct StreamedAnswer: Sendable {
    package let peer: String
    package let status: Int
    package let headers: HTTPHeaders
    package let body: OutboundBody
}

/// Bytes as they arrive, for one reader.
///
/// Throws `OutboundError`: `.timedOut` after too long a silence or at the end of all time,
/// `.tooLarge` over the limit, `.broken` when cut. It ends normally only when the peer ended it.
package struct OutboundBody: AsyncSequence, Sendable {
    package typealias Element = ByteBuffer

    let bytes: HTTPClientResponse.Body
    let peer: String
    let watchdog: Watchdog
    let byteCountMax: Int

    init(
        _ bytes: HTTPClientResponse.Body, peer: String, watchdog: Watchdog, byteCountMax: Int
    ) {
        self.bytes = bytes
        self.peer = peer
        self.watchdog = watchdog
        self.byteCountMax = byteCountMax
    }

    package func makeAsyncIterator() -> AsyncIterator { AsyncIterator(body: self) }

    package struct AsyncIterator: AsyncIteratorProtocol {
        private let body: OutboundBody
        private var bytes: HTTPClientResponse.Body.AsyncIterator
        private var byteCount = 0

        init(body: OutboundBody) {
            self.body = body
            bytes = body.bytes.makeAsyncIterator()
        }

        package mutating func next() async throws -> ByteBuffer? {
            body.watchdog.beginWaiting()
            defer { body.watchdog.endWaiting() }
            let buffer: ByteBuffer?
            do {
                buffer = try await bytes.next(isolation: #isolation)
            } catch {
                throw Task.isCancelled ? interruption : OutboundError(error, peer: body.peer)
            }
            // The library ends the sequence of a cancelled task as if the peer had ended it.
            if Task.isCancelled { throw interruption }
            byteCount += buffer?.readableBytes ?? 0
            if byteCount > body.byteCountMax { throw OutboundError.tooLarge(peer: body.peer) }
            return buffer
        }

        private var interruption: OutboundError {
            body.watchdog.isOver ? .timedOut(peer: body.peer) : .cancelled
        }
    }
}
