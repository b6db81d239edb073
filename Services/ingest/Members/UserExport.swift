import ConversationExport
import Database
import Domain
import FoundationEssentials
import HTTPService
import Hummingbird
import Logging
import NIOCore
import ObjectStorage
import Postgres

/// All that a member owns as a ZIP archive: `uploads/` with the bytes as they came, `uploads.json`,
/// and each conversation as JSON and as Markdown.
///
/// It is read and written a part at a time. What is deleted or added while it runs may be in it or
/// not; a failure cuts it short, which every reader of ZIP notices.
struct UserExport: Sendable {
    let pool: PostgresPool
    let storage: any ObjectStorage
    let logger: Logger

    /// Rows in one query.
    private static let fileCountMax = 100
    private static let conversationCountMax = 100

    @concurrent func write(
        for principal: Principal, to body: inout any ResponseBodyWriter
    ) async throws {
        var archive = ZipWriter()
        var files = try await files(of: principal, after: nil)
        while let last = files.last {
            for file in files { try await write(file, to: &body, &archive) }
            files = try await self.files(of: principal, after: last)
        }
        try await writeFileList(of: principal, to: &body, &archive)
        var conversations = try await conversations(of: principal, after: nil)
        while let last = conversations.last {
            for conversation in conversations {
                for form in ConversationForm.allCases {
                    try await write(conversation, as: form, principal, to: &body, &archive)
                }
            }
            conversations = try await self.conversations(of: principal, after: last)
        }
        try await body.write(archive.finish())
    }

    private func files(
        of principal: Principal, after last: Attachment?
    ) async throws -> [Attachment] {
        try await pool.read { session in
            try AttachmentStore(session).list(
                for: principal, sources: [.mine], limit: Self.fileCountMax, offset: 0,
                before: last?.sequence)
        }
    }

    private func conversations(
        of principal: Principal, after last: Conversation?
    ) async throws -> [Conversation] {
        try await pool.read { session in
            try ConversationStore(session).list(
                for: principal, after: last?.id, limit: Self.conversationCountMax)
        }
    }

    @concurrent private func write(
        _ file: Attachment, to body: inout any ResponseBodyWriter, _ archive: inout ZipWriter
    ) async throws {
        let object: ObjectBody
        do {
            object = try await storage.get(key: file.storageKey, range: nil)
        } catch .notFound {
            // Deleted since it was listed, or lost: the rest is still the member's to have.
            logger.warning("bytes are not there", metadata: ["attachment.id": "\(file.id)"])
            return
        }
        let name = "uploads/\(file.id)/\(file.filename)"
        try await body.write(archive.begin(name, at: file.createdAt))
        for try await piece in object.bytes { try await body.write(archive.add(piece)) }
        try await body.write(archive.end())
    }

    @concurrent private func writeFileList(
        of principal: Principal, to body: inout any ResponseBodyWriter,
        _ archive: inout ZipWriter
    ) async throws {
        try await body.write(archive.begin("uploads.json", at: Date()))
        var separator = "["
        var files = try await files(of: principal, after: nil)
        while let last = files.last {
            for file in files {
                let item = AttachmentBody(file, as: .item(nil))
                try await body.write(archive.add(try exportedJSON(item, after: separator + "\n")))
                separator = ","
            }
            files = try await self.files(of: principal, after: last)
        }
        let end = separator == "[" ? "[]\n" : "\n]\n"
        try await body.write(archive.add(ByteBuffer(string: end)))
        try await body.write(archive.end())
    }

    @concurrent private func write(
        _ conversation: Conversation, as form: ConversationForm, _ principal: Principal,
        to body: inout any ResponseBodyWriter, _ archive: inout ZipWriter
    ) async throws {
        let name = "conversations/\(conversation.id).\(form.rawValue)"
        try await body.write(archive.begin(name, at: conversation.lastMessageAt))
        let export = ConversationExport(pool: pool)
        for try await piece in export.pieces(of: conversation, as: form, for: principal) {
            try await body.write(archive.add(piece))
        }
        try await body.write(archive.end())
    }
}
