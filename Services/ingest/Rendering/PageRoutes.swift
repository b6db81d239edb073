import Database
import Domain
import HTTPService
import HTTPTypes
import Hummingbird
import NIOCore
import Postgres

/// `GET /attachments/{id}/pages/{n}`: a page of a PDF, or a picture, as a PNG to look at.
struct PageRoutes: Sendable {
    let pool: PostgresPool
    let renderer: PageRenderer

    /// Rises when the same page is drawn otherwise.
    private static let version = 1

    func add(to router: some RouterMethods<ServiceContext>) {
        router.get("attachments/:id/pages/:page", use: page)
    }

    private func page(_ request: Request, context: ServiceContext) async throws -> Response {
        let id = try context.parameters.id(
            "id", as: Attachment.ID.self, orThrow: .attachmentNotFound)
        let principal = context.principal
        let found = try await pool.read { try AttachmentStore($0).find(id, for: principal) }
        guard let found else { throw Problem.attachmentNotFound }
        // What cannot be opened, or has no pages, has not this one.
        guard let number = context.parameters.get("page", as: Int.self), number > 0,
            let document = try? IndexableDocument(found), document.format.isReadByTools
        else { throw Problem.pageNotFound }
        let tag = "\"\(hexadecimal(found.sha256.prefix(16)))-\(number)-\(Self.version)\""
        var headers: HTTPFields = [
            .eTag: tag, .cacheControl: "private, no-cache", .xContentTypeOptions: "nosniff",
        ]
        if DownloadConditions.isKnown(tag, by: request.headers) {
            return Response(status: .notModified, headers: headers)
        }
        let rendered = try await render(number, of: document)
        headers[.contentType] = "image/png"
        headers[.contentSecurityPolicy] = "default-src 'none'; frame-ancestors 'none'; sandbox"
        if let name = HTTPField.Name.pixelsPerUnit { headers[name] = "\(rendered.scale)" }
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: rendered.png)))
    }

    private func render(
        _ number: Int, of document: IndexableDocument
    ) async throws -> RenderedPage {
        do {
            return try await renderer.render(number, of: document.content, as: document.format)
        } catch let failure as ExtractionFailure {
            switch failure {
            case .noSuchPage: throw Problem.pageNotFound
            case .toolMissing: throw Problem.unavailable("Pages cannot be drawn at the moment.")
            default:
                throw Problem(.unprocessableContent, code: failure.code, detail: failure.message)
            }
        } catch is Turns.AllWaiting {
            throw Problem.unavailable("Too many pages are being drawn. Please try again.")
        }
    }
}

extension Problem {
    fileprivate static let pageNotFound = Problem(
        .notFound, code: "page_not_found", detail: "The file has no such page.")
}

extension HTTPField.Name {
    /// What a source's boxes are multiplied by to find their place on the picture.
    fileprivate static let pixelsPerUnit = HTTPField.Name("X-Pixels-Per-Unit")
}
