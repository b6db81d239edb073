import Database
import Domain
import HTTPService
import HTTPTypes
import Hummingbird
import Logging
import Postgres

/// What a member has, taking all of it away, and erasing all of it.
struct UserRoutes: Sendable {
    let pool: PostgresPool
    let limits: UserLimits
    /// Of one file.
    let uploadByteCountMax: Int
    let export: UserExport
    let erasure: UserErasure
    let logger: Logger

    func add(to router: some RouterMethods<ServiceContext>) {
        router.get("user/usage", use: usage)
        router.get("user/export", use: download)
        router.delete("user", use: erase)
    }

    private struct Usage: Encodable {
        struct Quotas: Encodable {
            let bytes: Int
            let files: Int
            let uploads: Int
            let uploadBytes: Int

            private enum CodingKeys: String, CodingKey {
                case bytes, files, uploads
                case uploadBytes = "upload_bytes"
            }
        }

        struct Tokens: Encodable {
            let prompt: Int
            let completion: Int

            private enum CodingKeys: String, CodingKey {
                case prompt = "prompt_tokens"
                case completion = "completion_tokens"
            }
        }

        let bytes: Int
        let files: Int
        let uploads: Int
        let tokens: Tokens
        let quotas: Quotas
    }

    private func usage(_ request: Request, context: ServiceContext) async throws -> Response {
        let (usage, tokens) = try await pool.read { session in
            let store = UsageStore(session, for: context.principal)
            return (try store.usage(), try store.tokens())
        }
        return try JSONResponse.make(
            .ok,
            Usage(
                bytes: usage.storedByteCount, files: usage.fileCount, uploads: usage.uploadCount,
                tokens: .init(
                    prompt: tokens.promptTokenCount, completion: tokens.completionTokenCount),
                quotas: .init(
                    bytes: limits.storedByteCountMax, files: limits.fileCountMax,
                    uploads: limits.uploadCountMax, uploadBytes: uploadByteCountMax)))
    }

    private func download(_ request: Request, context: ServiceContext) async throws -> Response {
        let principal = context.principal
        // Once bytes flow there is no other status: so ask first whether Postgres is there.
        try await pool.read { _ = try UsageStore($0, for: principal).usage() }
        return Response(
            status: .ok,
            headers: [
                .contentType: "application/zip", .cacheControl: "no-store",
                .contentDisposition: "attachment; filename=\"export.zip\"",
                .xContentTypeOptions: "nosniff",
            ],
            body: ResponseBody { body in
                try await export.write(for: principal, to: &body)
                try await body.finish(nil)
            })
    }

    private struct Erased: Encodable {
        let status = "deleted"
        let attachments: Int
        let conversations: Int
        let messages: Int
        private enum CodingKeys: CodingKey { case status, attachments, conversations, messages }
    }

    private func erase(_ request: Request, context: ServiceContext) async throws -> Response {
        let counts = try await erasure.erase(context.principal, by: context.author)
        logger.info(
            "user erased",
            metadata: [
                "attachment.count": "\(counts.attachmentCount)",
                "conversation.count": "\(counts.conversationCount)",
            ])
        return try JSONResponse.make(
            .ok,
            Erased(
                attachments: counts.attachmentCount, conversations: counts.conversationCount,
                messages: counts.messageCount))
    }
}
