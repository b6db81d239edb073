import ModelEndpoint
import Synchronization

/// All events of an answer, up to the error that ended it, if one did.
final class CollectedAnswer: Sendable {
    private let state = Mutex<[ChatEvent]>([])

    var events: [ChatEvent] { state.withLock { $0 } }
    var last: ChatEvent? { events.last }
    var text: String {
        events.map { if case .text(let piece) = $0 { piece } else { "" } }.joined()
    }

    func read(_ stream: ChatStream) async throws {
        for try await event in stream { state.withLock { $0.append(event) } }
    }
}

extension ModelEndpoint {
    func collect(
        _ messages: [ChatMessage], model: String = "m", temperature: Double? = nil,
        outputTokenCountMax: Int? = nil, limits: ChatLimits = ChatLimits()
    ) async throws -> CollectedAnswer {
        let answer = CollectedAnswer()
        try await chat(
            messages, model: model, temperature: temperature,
            outputTokenCountMax: outputTokenCountMax, limits: limits
        ) { try await answer.read($0) }
        return answer
    }
}
