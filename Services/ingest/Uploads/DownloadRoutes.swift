import Database
import Domain
import HTTPService
import HTTPTypes
import Hummingbird
import NIOCore
import ObjectStorage
import Postgres

/// `GET /attachments/{id}/raw`: the bytes as they were uploaded, whole or in part.
struct DownloadRoutes: Sendable {
    let pool: PostgresPool
    let storage: any ObjectStorage

    func add(to router: some RouterMethods<ServiceContext>) {
        router.get("attachments/:id/raw", use: download)
        router.head("attachments/:id/raw", use: download)
    }

    private func download(_ request: Request, context: ServiceContext) async throws -> Response {
        let id = try context.parameters.id(
            "id", as: Attachment.ID.self, orThrow: .attachmentNotFound)
        let principal = context.principal
        let found = try await pool.read { try AttachmentStore($0).find(id, for: principal) }
        guard let found else { throw Problem.attachmentNotFound }
        let conditions = DownloadConditions(request.headers, attachment: found)
        var headers = Self.headers(of: found)
        if conditions.isUnchanged { return Response(status: .notModified, headers: headers) }
        switch conditions.range {
        case .unsatisfiable:
            throw Problem(
                .rangeNotSatisfiable, code: "range_not_satisfiable",
                detail: "The file has \(found.byteCount) bytes.",
                headers: [.contentRange: "bytes */\(found.byteCount)"])
        case .whole:
            return try await response(.ok, headers, found, 0..<found.byteCount, request)
        case .part(let range):
            headers[.contentRange] =
                "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(found.byteCount)"
            return try await response(.partialContent, headers, found, range, request)
        }
    }

    private func response(
        _ status: HTTPResponse.Status, _ headers: HTTPFields, _ attachment: Attachment,
        _ range: Range<Int>, _ request: Request
    ) async throws -> Response {
        if request.method == .head {
            return Response(
                status: status, headers: headers,
                body: ResponseBody(contentLength: range.count) { try await $0.finish(nil) })
        }
        let object = try await storage.get(
            key: attachment.storageKey, range: range.count == attachment.byteCount ? nil : range)
        return Response(
            status: status, headers: headers,
            body: ResponseBody(contentLength: range.count) { writer in
                try await writer.write(object.bytes)
                try await writer.finish(nil)
            })
    }

    private static func headers(of attachment: Attachment) -> HTTPFields {
        var policy = "default-src 'none'; frame-ancestors 'none'"
        // Browsers do not show a PDF in a sandbox.
        if attachment.contentType != "application/pdf" { policy += "; sandbox" }
        var headers: HTTPFields = [
            .eTag: DownloadConditions.tag(of: attachment), .acceptRanges: "bytes",
            .cacheControl: "private, no-cache", .contentSecurityPolicy: policy,
            .xContentTypeOptions: "nosniff",
            .contentDisposition: ContentDisposition.header(
                filename: attachment.filename, contentType: attachment.contentType),
        ]
        let isText = attachment.contentType.hasPrefix("text/")
        headers[.contentType] = attachment.contentType + (isText ? "; charset=utf-8" : "")
        return headers
    }
}

/// What a request asks about the copy it may have (RFC 9110, section 13).
struct DownloadConditions {
    /// The client's copy is the current one.
    let isUnchanged: Bool
    let range: ByteRange

    init(_ headers: HTTPFields, attachment: Attachment) {
        let tag = Self.tag(of: attachment)
        isUnchanged = Self.isKnown(tag, by: headers)
        // A range of another version would not fit what the client has.
        let isSame = headers[.ifRange].map { $0 == tag } ?? true
        range = isSame ? ByteRange(headers[.range], byteCount: attachment.byteCount) : .whole
    }

    static func isKnown(_ tag: String, by headers: HTTPFields) -> Bool {
        for list in headers[values: .ifNoneMatch] {
            for item in list.split(separator: ",") {
                var known = item.drop { $0 == " " }.prefix { $0 != " " }
                if known.hasPrefix("W/") { known = known.dropFirst(2) }
                if known == "*" || known == tag { return true }
            }
        }
        return false
    }

    /// The bytes never change, so their hash is a strong validator.
    static func tag(of attachment: Attachment) -> String {
        "\"\(hexadecimal(attachment.sha256.prefix(16)))\""
    }
}
