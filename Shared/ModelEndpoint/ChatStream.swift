import FoundationEssentials
import NIOCore
import OutboundHTTP

/// A model's answer as it comes, for one reader. Throws `ModelError`.
///
/// It ends with `.finished`, or it throws: an answer that was cut is never mistaken for a whole
/// one. Pieces are fetched as they are asked for, so a slow reader slows the model; letting go of
/// the iterator, or cancelling its task, ends the exchange.
package struct ChatStream: AsyncSequence, Sendable {
    package typealias Element = ChatEvent

    /// The longest frame: a whole answer in one piece is fine, a flood without line ends is not.
    static let frameByteCountMax = 1 << 20

    private let body: OutboundBody
    private let outputByteCountMax: Int

    init(_ body: OutboundBody, outputByteCountMax: Int) {
        self.body = body
        self.outputByteCountMax = outputByteCountMax
    }

    package func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(
            bytes: body.makeAsyncIterator(),
            reading: Reading(outputByteCountMax: outputByteCountMax))
    }

    package struct AsyncIterator: AsyncIteratorProtocol {
        private var bytes: OutboundBody.AsyncIterator?
        private var reading: Reading
        /// What came before it in the same bytes is handed out first.
        private var failure: (any Error)?

        init(bytes: OutboundBody.AsyncIterator, reading: Reading) {
            self.bytes = bytes
            self.reading = reading
        }

        package mutating func next() async throws -> ChatEvent? {
            while true {
                if let event = reading.nextEvent() { return event }
                if let failure = reading.failure {
                    bytes = nil
                    throw failure
                }
                if let error = failure {
                    failure = nil
                    throw error
                }
                // Letting go of the bytes closes the connection of an answer we cut.
                if reading.isOver { bytes = nil }
                guard bytes != nil else { return nil }
                do {
                    try await read()
                } catch {
                    failure = error
                }
            }
        }

        private mutating func read() async throws {
            do {
                if let buffer = try await bytes?.next() {
                    reading.feed(buffer.readableBytesView)
                } else {
                    reading.end()
                }
            } catch let error as OutboundError {
                bytes = nil
                if error == .cancelled { throw ModelError.cancelled }
                // All that mattered had come; only the farewell is missing.
                if reading.finishIfPossible() { return }
                throw ModelError(error)
            }
        }
    }
}

/// Where in an answer we are. Pure: bytes in, events out.
struct Reading {
    private let decoder = JSONDecoder()
    private var parser = EventStreamParser(byteCountMax: ChatStream.frameByteCountMax)
    private var events: [ChatEvent] = []
    private var reason: ChatEvent.FinishReason?
    private var usage: TokenUsage?
    private var outputByteCount = 0
    private let outputByteCountMax: Int
    private(set) var isOver = false
    /// To be thrown when the events before it are taken.
    private(set) var failure: ModelError?

    init(outputByteCountMax: Int) { self.outputByteCountMax = outputByteCountMax }

    mutating func nextEvent() -> ChatEvent? {
        events.isEmpty ? nil : events.removeFirst()
    }

    mutating func feed(_ bytes: some Sequence<UInt8>) {
        do {
            for frame in try frames(of: bytes) where !isOver { try take(frame) }
        } catch {
            failure = error
        }
    }

    private mutating func frames(of bytes: some Sequence<UInt8>) throws(ModelError) -> [[UInt8]] {
        do { return try parser.feed(bytes) } catch { throw .undecodable }
    }

    /// The peer has ended the stream. Without a finish reason it was cut, whatever came before.
    mutating func end() {
        if !finishIfPossible() { failure = .broken }
    }

    mutating func finishIfPossible() -> Bool {
        if isOver { return true }
        guard let reason else { return false }
        finish(reason)
        return true
    }

    private mutating func finish(_ reason: ChatEvent.FinishReason) {
        isOver = true
        events.append(.finished(reason, usage: usage))
    }

    private mutating func take(_ frame: [UInt8]) throws(ModelError) {
        if frame.elementsEqual("[DONE]".utf8) {
            if !finishIfPossible() { throw .broken }
            return
        }
        let piece: Piece
        do {
            piece = try decoder.decode(Piece.self, from: Data(frame))
        } catch {
            throw .undecodable
        }
        if piece.choices == nil, let refusal = decodedRefusal(frame) {
            throw ModelError(status: refusal.status ?? 500, retryAfter: nil, refusal: refusal)
        }
        if let found = piece.usage {
            usage = TokenUsage(
                promptTokenCount: found.promptTokens ?? 0,
                completionTokenCount: found.completionTokens ?? 0)
        }
        guard let choice = piece.choices?.first else { return }
        if let text = choice.delta?.content, !text.isEmpty { take(text) }
        if let text = choice.finishReason { reason = ChatEvent.FinishReason(text) }
    }

    private mutating func take(_ piece: String) {
        // Nothing that keeps text takes a NUL.
        let text = piece.utf8.contains(0) ? piece.replacing("\0", with: "\u{FFFD}") : piece
        let room = outputByteCountMax - outputByteCount
        outputByteCount += text.utf8.count
        if outputByteCount <= outputByteCountMax {
            events.append(.text(text))
        } else {
            let fitting = text.prefix(fittingIn: room)
            if !fitting.isEmpty { events.append(.text(fitting)) }
            finish(.length)
        }
    }
}

extension ChatEvent.FinishReason {
    init(_ text: String) {
        switch text {
        case "stop", "eos", "end_turn": self = .stop
        case "length", "max_tokens": self = .length
        case "content_filter": self = .contentFilter
        default: self = .other(String(text.prefix(40)))
        }
    }
}

extension String {
    /// Whole characters only.
    fileprivate func prefix(fittingIn byteCount: Int) -> String {
        var fitting = ""
        var rest = byteCount
        for character in self {
            rest -= character.utf8.count
            if rest < 0 { break }
            fitting.append(character)
        }
        return fitting
    }
}

func unixSeconds() -> Double { Date().timeIntervalSince1970 }

/// Nil when the bytes are no error object.
func decodedRefusal(_ bytes: [UInt8]) -> Refusal? {
    // `try?`: not of that form is the ordinary case.
    try? JSONDecoder().decode(Refusal.self, from: Data(bytes))
}

/// One frame of a streamed answer, as far as we read it.
private struct Piece: Decodable {
    struct Choice: Decodable {
        let delta: Delta?
        let finishReason: String?

        private enum CodingKeys: String, CodingKey {
            case delta
            case finishReason = "finish_reason"
        }
    }
    struct Delta: Decodable {
        let content: String?
    }
    struct Usage: Decodable {
        let promptTokens: Int?
        let completionTokens: Int?

        private enum CodingKeys: String, CodingKey {
            case promptTokens = "prompt_tokens"
            case completionTokens = "completion_tokens"
        }
    }
    let choices: [Choice]?
    let usage: Usage?
}
