import Database
import Domain

/// What a member asked, checked and stored.
struct AskedQuestion: Sendable {
    let principal: Principal
    let turn: MessageStore.Turn
    let title: String
    let topK: Int
    let includesCitations: Bool
    let sources: Set<SourceKind>
    let context: JSONValue?
    /// An earlier answer of the conversation was still being written when this was asked.
    let waitsForTurn: Bool
    /// Its conversation is new, and called by the beginning of the question.
    var beginsConversation = false
}

/// One answer while it is being made. Requests view its log; nothing else connects them.
final class RunningAnswer: Sendable {
    let question: AskedQuestion
    let log = EventLog()
    let draft = AnswerDraft()
    let stop = StopSignal()

    init(_ question: AskedQuestion) { self.question = question }

    var id: Message.ID { question.turn.reply }
}
