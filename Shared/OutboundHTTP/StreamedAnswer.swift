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
    let idle: Duration
    let end: ContinuousClock.Instant
    let byteCountMax: Int

    init(
        _ bytes: HTTPClientResponse.Body, peer: String, idle: Duration,
        end: ContinuousClock.Instant, byteCountMax: Int
    ) {
        self.bytes = bytes
        self.peer = peer
        self.idle = idle
        self.end = end
        self.byteCountMax = byteCountMax
    }

    package func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(source: Source(bytes), body: self)
    }

    package struct AsyncIterator: AsyncIteratorProtocol {
        let source: Source
        let body: OutboundBody
        private var byteCount = 0

        init(source: Source, body: OutboundBody) {
            self.source = source
            self.body = body
        }

        package mutating func next() async throws -> ByteBuffer? {
            let limit = Swift.min(body.idle, body.end - .now)
            let buffer: ByteBuffer?
            do {
                let source = source
                buffer = try await withDeadline(limit, peer: body.peer) { try await source.next() }
            } catch {
                throw Task.isCancelled ? .cancelled : OutboundError(error, peer: body.peer)
            }
            // The library ends the sequence of a cancelled task as if the peer had ended it.
            if Task.isCancelled { throw OutboundError.cancelled }
            byteCount += buffer?.readableBytes ?? 0
            if byteCount > body.byteCountMax { throw OutboundError.tooLarge(peer: body.peer) }
            return buffer
        }
    }

    /// Holds the library's iterator, so that a clock can run beside the wait for its next bytes.
    actor Source {
        private var iterator: HTTPClientResponse.Body.AsyncIterator

        init(_ bytes: HTTPClientResponse.Body) { iterator = bytes.makeAsyncIterator() }

        func next() async throws -> ByteBuffer? {
            var iterator = iterator
            defer { self.iterator = iterator }
            return try await iterator.next(isolation: self)
        }
    }
}
