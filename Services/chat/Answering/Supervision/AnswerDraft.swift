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
        /// Postgres has the two.
        var isRemembered = false
        var promptTokenCount: Int?
        var completionTokenCount: Int?
        /// Of what was sent to the model; 0 before.
        var promptCharacterCount = 0

        var keptSources: [FinishedReply.Source] {
            sources.map {
                .init(
                    chunk: $0.chunk.id, chunkCount: $0.chunk.joinedCount,
                    document: $0.documentID, score: $0.score)
            }
        }

        /// As the endpoint counted, or about.
        var usage: (promptTokens: Int, completionTokens: Int) {
            (
                promptTokenCount ?? AnswerDraft.tokenCount(ofCharacters: promptCharacterCount),
                completionTokenCount ?? AnswerDraft.tokenCount(ofCharacters: text.count)
            )
        }
    }

    /// About: a token has four characters.
    static func tokenCount(ofCharacters count: Int) -> Int { (count + 3) / 4 }

    private let state = Mutex(Contents())

    var contents: Contents { state.withLock { $0 } }

    /// What it draws on, when that is known and Postgres does not have it.
    var unremembered: Contents? {
        let contents = contents
        let isKnown = !contents.sources.isEmpty || !contents.drawnFrom.isEmpty
        return isKnown && !contents.isRemembered ? contents : nil
    }

    func change(_ body: (inout Contents) -> Void) { state.withLock { body(&$0) } }
}
