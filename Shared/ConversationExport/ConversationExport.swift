internal import Database
package import Domain
package import NIOCore
package import Postgres

/// A conversation as a file, read and written a few messages at a time.
package struct ConversationExport: Sendable {
    private let pool: PostgresPool

    /// In one query: a message has some hundred kilobytes of sources.
    private static let messageCountMax = 20

    package init(pool: PostgresPool) { self.pool = pool }

    /// What is said while it is read may be in it or not.
    package func pieces(
        of conversation: Conversation, as form: ConversationForm, for principal: Principal
    ) -> some AsyncSequence<ByteBuffer, any Error> & Sendable {
        Pieces(export: self, conversation: conversation, form: form, principal: principal)
    }

    private struct Pieces: AsyncSequence, Sendable {
        let export: ConversationExport
        let conversation: Conversation
        let form: ConversationForm
        let principal: Principal

        func makeAsyncIterator() -> Iterator { Iterator(pieces: self) }

        struct Iterator: AsyncIteratorProtocol {
            private enum Place {
                case beginning
                case messages(after: Int)
                case end
            }

            let pieces: Pieces
            private var place = Place.beginning
            private var isFirst = true

            init(pieces: Pieces) { self.pieces = pieces }

            mutating func next() async throws -> ByteBuffer? {
                let form = pieces.form
                switch place {
                case .beginning:
                    place = .messages(after: 0)
                    return try form.beginning(of: pieces.conversation)
                case .messages(let sequence):
                    let messages = try await pieces.export.messages(
                        of: pieces.conversation, after: sequence, for: pieces.principal)
                    guard let last = messages.last else {
                        place = .end
                        return form.end
                    }
                    place = .messages(after: last.message.sequence)
                    var bytes = ByteBuffer()
                    for message in messages {
                        bytes.writeImmutableBuffer(try form.bytes(of: message, isFirst: isFirst))
                        isFirst = false
                    }
                    return bytes
                case .end: return nil
                }
            }
        }
    }

    private func messages(
        of conversation: Conversation, after sequence: Int, for principal: Principal
    ) async throws -> [ExportedMessage] {
        try await pool.read { session in
            let store = MessageStore(session)
            let found = try store.list(
                in: conversation.id, after: sequence, limit: Self.messageCountMax)
            let references = try store.references(of: found.map(\.id), for: principal)
            return found.map { ExportedMessage($0, references[$0.id] ?? MessageReferences()) }
        }
    }
}
