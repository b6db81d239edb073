import Database
import Domain
import FoundationEssentials
import HTTPService
import HTTPTypes
import Hummingbird
import NIOCore
import Postgres

/// `GET /admin/audit`: who did what, page by page, or all of it as lines of JSON.
struct AuditRoutes: Sendable {
    let pool: PostgresPool

    private static let pageSize = PageSize(200, most: 500)
    /// Records in one piece of an export.
    private static let exportCount = 500
    private static let actorLengthMax = 255

    func add(to router: some RouterMethods<ServiceContext>) {
        router.get("admin/audit", use: audit)
    }

    private func audit(_ request: Request, context: ServiceContext) async throws -> Response {
        let (filter, paging) = (try Self.filter(request), try Paging(request, Self.pageSize))
        switch try request.parameter("format") {
        case nil, "json": return try await page(paging, filter)
        case "jsonl": return try await export(filter)
        default: throw Problem.invalid("/format", "`format` must be json or jsonl.")
        }
    }

    private func page(_ paging: Paging, _ filter: AuditStore.Filter) async throws -> Response {
        let before = try paging.place { Int($0) }
        let page = try await pool.read { session in
            let store = AuditStore(session)
            return Page(
                try store.list(
                    filter, before: before, offset: paging.offset, limit: paging.rowCountMax),
                paging, total: try store.count(filter), place: { String($0.id) }
            ) { AuditBody($0) }
        }
        return try JSONResponse.make(.ok, page)
    }

    /// Oldest first; records that come meanwhile are in it.
    private func export(_ filter: AuditStore.Filter) async throws -> Response {
        // Once bytes flow there is no other status: so read the first ones before.
        let first = try await records(filter, after: 0)
        return Response(
            status: .ok,
            headers: [.contentType: "application/x-ndjson", .cacheControl: "no-store"],
            body: ResponseBody { writer in
                var records = first
                while let last = records.last {
                    var lines = ByteBuffer()
                    for record in records {
                        lines.writeImmutableBuffer(try JSONResponse.encode(AuditBody(record)))
                        lines.writeString("\n")
                    }
                    try await writer.write(lines)
                    records = try await self.records(filter, after: last.id)
                }
                try await writer.finish(nil)
            })
    }

    private func records(
        _ filter: AuditStore.Filter, after id: Int
    ) async throws -> [AuditRecord] {
        try await pool.read {
            try AuditStore($0).list(filter, after: id, limit: Self.exportCount)
        }
    }

    private static func filter(_ request: Request) throws -> AuditStore.Filter {
        var filter = AuditStore.Filter()
        if let actor = try request.parameter("actor") {
            filter.actor = String(actor.prefix(actorLengthMax))
        }
        if let text = try request.parameter("action") {
            guard let action = AuditAction(rawValue: text) else {
                throw Problem.invalid("/action", "There is no such action.")
            }
            filter.action = action
        }
        return filter
    }
}

struct AuditBody: Encodable, Sendable {
    let record: AuditRecord

    init(_ record: AuditRecord) { self.record = record }

    private enum CodingKeys: String, CodingKey {
        case id, actor, action, subject, details
        case createdAt = "created_at"
        case isAdmin = "is_admin"
        case requestID = "request_id"
    }

    func encode(to encoder: any Encoder) throws {
        var body = encoder.container(keyedBy: CodingKeys.self)
        try body.encode(record.id, forKey: .id)
        try body.encode(Int(record.createdAt.timeIntervalSince1970), forKey: .createdAt)
        try body.encode(record.author.actor, forKey: .actor)
        try body.encode(record.author.isAdmin, forKey: .isAdmin)
        try body.encode(record.action, forKey: .action)
        try body.encode(record.subject, forKey: .subject)
        try body.encode(record.details, forKey: .details)
        try body.encode(record.author.requestID, forKey: .requestID)
    }
}
