package import AsyncHTTPClient
package import Logging
package import NIOCore
package import NIOHTTP1

/// Calls to one other process, each with a deadline and a byte limit.
///
/// Redirects are answers, not followed: an address comes from settings, and a peer that could
/// redirect us could make us call anything.
package struct OutboundHTTP: Sendable {
    package struct Request: Sendable {
        package var method: HTTPMethod
        package var url: String
        package var headers: [(String, String)]
        package var body: ByteBuffer?
        /// For everything: connecting, all attempts, and the waits between them.
        package var deadline: Duration
        package var responseByteCountMax: Int
        /// More than 1 only where doing it twice is the same as doing it once.
        package var attemptCountMax: Int

        package init(
            method: HTTPMethod, url: String, headers: [(String, String)] = [],
            body: ByteBuffer? = nil, deadline: Duration, responseByteCountMax: Int,
            attemptCountMax: Int = 1
        ) {
            self.method = method
            self.url = url
            self.headers = headers
            self.body = body
            self.deadline = deadline
            self.responseByteCountMax = responseByteCountMax
            self.attemptCountMax = attemptCountMax
        }
    }

    /// A whole answer, whatever its status.
    package struct Answer: Sendable {
        package let peer: String
        package let status: Int
        package let headers: HTTPHeaders
        package let body: ByteBuffer

        package init(peer: String, status: Int, headers: HTTPHeaders, body: ByteBuffer) {
            self.peer = peer
            self.status = status
            self.headers = headers
            self.body = body
        }
    }

    package let peer: String
    let client: HTTPClient
    let logger: Logger

    /// `peer` names the other side in logs and errors.
    package init(client: HTTPClient, peer: String, logger: Logger) {
        self.client = client
        self.peer = peer
        self.logger = logger
    }

    /// Any status is an answer. Answers of 429, 502, 503 and 504 and broken connections are tried
    /// again while attempts and time remain; the last answer is returned as it is.
    package func send(_ request: Request) async throws(OutboundError) -> Answer {
        let deadline = ContinuousClock.now + request.deadline
        var attempt = 1
        while true {
            let result = await outcome(of: request, until: deadline)
            let remaining = deadline - .now
            guard attempt < request.attemptCountMax,
                let wait = Retry.wait(after: result, attempt: attempt, remaining: remaining)
            else { return try result.get() }
            logger.info(
                "outbound call is repeated",
                metadata: [
                    "peer": "\(peer)", "attempt": "\(attempt)", "reason": "\(Retry.reason(result))",
                ])
            do { try await Task.sleep(for: wait) } catch { throw .cancelled }
            attempt += 1
        }
    }

    /// The head of an answer, and its body as it comes, for `read`. `request.deadline` is for the head;
    /// `idle` is the longest silence within the body, `total` the longest whole exchange.
    /// The exchange ends when `read` does, however much there is left.
    package func stream<Value: Sendable>(
        _ request: Request, idle: Duration, total: Duration,
        _ read: @escaping @Sendable (StreamedAnswer) async throws -> Value
    ) async throws -> Value {
        let end = ContinuousClock.now + total
        let response: HTTPClientResponse
        do {
            response = try await execute(request, within: min(request.deadline, total))
        } catch {
            throw OutboundError(error, peer: peer)
        }
        let watchdog = Watchdog(idle: idle, end: end)
        let answer = StreamedAnswer(
            peer: peer, status: Int(response.status.code), headers: response.headers,
            body: OutboundBody(
                response.body, peer: peer, watchdog: watchdog,
                byteCountMax: request.responseByteCountMax))
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            defer { group.cancelAll() }
            group.addTask { try await read(answer) }
            group.addTask {
                await watchdog.waitForSilence()
                return nil
            }
            while let value = try await group.next() {
                if let value { return value }
                // What reads is told that the time is over, and may yet end well.
                group.cancelAll()
            }
            throw OutboundError.cancelled
        }
    }

    private func outcome(
        of request: Request, until deadline: ContinuousClock.Instant
    ) async -> Result<Answer, OutboundError> {
        do {
            let answer = try await withDeadline(deadline - .now, peer: peer) {
                let response = try await execute(request, within: deadline - .now)
                return Answer(
                    peer: peer, status: Int(response.status.code), headers: response.headers,
                    body: try await response.body.collect(upTo: request.responseByteCountMax))
            }
            return .success(answer)
        } catch {
            return .failure(Task.isCancelled ? .cancelled : OutboundError(error, peer: peer))
        }
    }

    private func execute(
        _ request: Request, within limit: Duration
    ) async throws -> HTTPClientResponse {
        var outgoing = HTTPClientRequest(url: request.url)
        outgoing.method = request.method
        for (name, value) in request.headers { outgoing.headers.add(name: name, value: value) }
        if let body = request.body { outgoing.body = .bytes(body) }
        return try await client.execute(outgoing, deadline: .now() + TimeAmount(limit))
    }
}
