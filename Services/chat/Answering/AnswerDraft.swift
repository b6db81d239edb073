import Database
import Domain
import Synchronization

/// What there is of an answer so far, wherever its making is interrupted.
final class AnswerDraft: Sendable {
    struct Contents: Sendable {
        var text = ""
        var sources: [NumberedSource] = []
        var citations: [FinishedReply.Citation] = []
        var drawnFrom: [Message.ID] = []
        var promptTokenCount: Int?
        var completionTokenCount: Int?
        /// Of what was sent to the model; 0 before.
        var promptCharacterCount = 0

        /// As the endpoint counted, or about: a token has four characters.
        var usage: (promptTokens: Int, completionTokens: Int) {
            (
                promptTokenCount ?? (promptCharacterCount + 3) / 4,
                completionTokenCount ?? (text.count + 3) / 4
            )
        }
    }

    private let state = Mutex(Contents())

    var contents: Contents { state.withLock { $0 } }

    func change(_ body: (inout Contents) -> Void) { state.withLock { body(&$0) } }
}
