import HTTPService
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import ServiceRuntime
import Synchronization
import TestSupport
import Testing

@Suite("Event stream")
struct EventStreamTests {
    private func application(
        _ stream: EventStream, _ frames: some AsyncSequence<ByteBuffer, any Error> & Sendable
    ) -> some ApplicationProtocol {
        let router = serviceRouter()
        router.get("events") { _, _ in stream.response(frames: frames) }
        return HTTPService.application(
            router: router, settings: HTTPSettings(host: "127.0.0.1", port: 0),
            logger: Logger(label: "test"))
    }

    @Test("passes frames on as they are and ends with the sentinel's exact bytes")
    func bytes() async throws {
        let (frames, source) = AsyncThrowingStream.makeStream(of: ByteBuffer.self)
        source.yield(ByteBuffer(string: "id: 1\ndata: {}\n\n"))
        source.finish()
        try await application(EventStream(), frames).test(.live) { client in
            let response = try await client.execute(uri: "/events", method: .get)
            #expect(String(buffer: response.body) == "id: 1\ndata: {}\n\ndata: [DONE]\n\r\n")
            #expect(response.headers[.contentType] == "text/event-stream; charset=utf-8")
            #expect(response.headers[.cacheControl] == "no-cache, no-transform")
            #expect(response.headers.contains { $0.name.canonicalName == "x-accel-buffering" })
        }
    }

    /// What a client gets between three frames, before each of which a silence is told.
    private func between(_ keepAlive: Duration) async throws -> [String] {
        let (frames, source) = AsyncThrowingStream.makeStream(of: ByteBuffer.self)
        let found = Mutex<[String]>([])
        let stream = EventStream(keepAliveInterval: keepAlive)
        try await application(stream, frames).test(.live) { client in
            let port = try #require(client.port)
            try await RawConnection.connect(port: port) { connection in
                try await connection.send("GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
                for number in 1...3 {
                    source.yield(ByteBuffer())
                    source.yield(ByteBuffer(string: "data: \(number)\n\n"))
                    let text = await connection.text(before: "data: \(number)\n\n")
                    found.withLock { $0.append(text ?? "") }
                }
                source.finish()
                #expect(await connection.text(before: "data: [DONE]\n\r\n") != nil)
            }
        }
        return found.withLock { $0 }
    }

    @Test(
        "passes each frame on before there is a next, with a comment once a silence is long enough")
    func oneByOne() async throws {
        let comment = ": keep-alive\n\n"
        #expect(try await between(.zero).map { $0.ranges(of: comment).count } == [1, 1, 1])
        #expect(
            try await between(.seconds(3600)).map { $0.ranges(of: comment).count } == [0, 0, 0])
    }

    /// Nothing but silence, told again and again.
    private struct Silences: AsyncSequence {
        let ended: Signal

        final class AsyncIterator: AsyncIteratorProtocol {
            private let ended: Signal

            init(ended: Signal) { self.ended = ended }
            deinit { ended.fire() }

            func next() async throws -> ByteBuffer? {
                try await Task.sleep(for: .milliseconds(20))
                return ByteBuffer()
            }
        }

        func makeAsyncIterator() -> AsyncIterator { AsyncIterator(ended: ended) }
    }

    @Test("stops reading frames soon after the client is gone")
    func gone() async throws {
        let ended = Signal()
        let stream = EventStream(keepAliveInterval: .milliseconds(50))
        try await application(stream, Silences(ended: ended)).test(.live) { client in
            let port = try #require(client.port)
            try await RawConnection.connect(port: port) { connection in
                try await connection.send("GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
                #expect(await connection.text(before: ": keep-alive\n\n") != nil)
                #expect(!ended.hasFired)
            }
            try await ended.wait()
        }
    }
}
